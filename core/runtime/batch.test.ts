import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createBatch } from './batch.ts';
import { OverloadedError, UnavailableError } from './errors.ts';

const LIMITS = { name: 'a test', maxItems: 50, waitMs: 1, maxWaiting: 200, timeoutMs: 5_000 };

/** Doubles numbers, and remembers what it was asked together. */
function openDoubler(limits: Partial<typeof LIMITS> = {}) {
  const batches: number[][] = [];
  const double = createBatch<number, number>({
    ...{ ...LIMITS, ...limits },
    keyOf: (item) => item,
    async run(items) {
      batches.push([...items]);
      await sleep(1);
      return items.map((item) => 2 * item);
    },
  });
  return { batches, double };
}

/** Asks one after the other for a while, a few milliseconds apart. */
async function askFor(ms: number, pauseMs: number, double: (item: number) => Promise<number>) {
  const answers: Promise<number>[] = [];
  for (const began = performance.now(); performance.now() - began < ms; await sleep(pauseMs))
    answers.push(double(answers.length));
  return Promise.all(answers);
}

describe('questions in batches', () => {
  it('gives each its own answer, in few batches', async () => {
    const { batches, double } = openDoubler();
    const asked = Array.from({ length: 120 }, (_, index) => index);
    expect(await Promise.all(asked.map(double))).toEqual(asked.map((item) => 2 * item));
    expect(batches.map((batch) => batch.length)).toEqual([50, 50, 20]);
  });

  it('never asks twice for the same in one batch', async () => {
    const { batches, double } = openDoubler();
    expect(await Promise.all([7, 7, 8].map(double))).toEqual([14, 14, 16]);
    expect(batches).toEqual([[7, 8], [7]]);
  });

  it('lets batches wait for company while many come', async () => {
    const { batches, double } = openDoubler();
    await askFor(1_000, 1, double);
    const before = batches.length;
    const answers = await askFor(1_000, 1, double);
    expect(answers).toEqual(answers.map((_, index) => 2 * index));
    // One alone takes some 3 ms, so that without a wait there would be three hundred of them.
    expect(batches.length - before).toBeLessThan(100);
  });

  it('asks at once when few come', async () => {
    const { batches, double } = openDoubler();
    const answers = await askFor(500, 20, double);
    expect(batches.map((batch) => batch.length)).toEqual(answers.map(() => 1));
  });

  it('refuses when too many wait, and gives up after a while', async () => {
    const { double } = openDoubler({ maxWaiting: 2 });
    const first = [double(1), double(2)];
    await expect(double(3)).rejects.toThrow(OverloadedError);
    expect(await Promise.all(first)).toEqual([2, 4]);
    const never = createBatch<number, number>({
      ...{ ...LIMITS, timeoutMs: 20 },
      run: () => new Promise<readonly number[]>(() => undefined),
    });
    await expect(never(1)).rejects.toThrow(UnavailableError);
  });
});
