import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWriteQueue } from './write-queue.ts';

function open(maxWaitMs: number) {
  let due = 0;
  const queue = createWriteQueue({ maxWaitMs, due: () => due });
  const waits: number[] = [];
  const answer = (pressing = false) => {
    const since = Date.now();
    due += 1;
    queue.add({ writeDue: () => waits.push(Date.now() - since) }, pressing);
  };
  return {
    answer,
    waits,
    /** So many answers a millisecond, of a connection each, for so long; returns how long those waited that were written meanwhile. */
    async load(perMs: number, ms: number) {
      waits.length = 0;
      for (let passed = 0; passed < ms; passed++) {
        for (let n = 0; n < perMs; n++) answer();
        await vi.advanceTimersByTimeAsync(1);
      }
      return [...waits];
    },
  };
}

describe('the write queue', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('lets everybody write in the same turn of the event loop while there is little to write', async () => {
    const waits = await open(200).load(4, 500);
    expect(waits).toHaveLength(2_000);
    expect(Math.max(...waits)).toBeLessThan(2);
  });

  it('lets answers wait the longer the more there are, and not when they are pressing', async () => {
    const { answer, waits, load } = open(200);
    const longestAt = async (perMs: number) => {
      await load(perMs, 500);
      return Math.max(...(await load(perMs, 500)));
    };
    const [moderate, heavy, heavier] = [await longestAt(10), await longestAt(30), await longestAt(60)];
    expect(moderate).toBeGreaterThan(30);
    expect(moderate).toBeLessThan(70);
    expect(heavy).toBeGreaterThan(150);
    expect(heavier).toBeLessThanOrEqual(220);

    waits.length = 0;
    answer(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(Math.min(...waits)).toBeLessThan(2);
  });

  it('writes what waits, and at once again, when the load is over', async () => {
    const { answer, waits, load } = open(200);
    await load(30, 500);
    answer();
    waits.length = 0;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(waits.length).toBeGreaterThan(1_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(210);
    expect(Math.max(...(await load(1, 100)))).toBeLessThan(2);
  });

  it('never lets an answer wait where that is not wanted', async () => {
    expect(Math.max(...(await open(0).load(30, 300)))).toBeLessThan(2);
  });
});
