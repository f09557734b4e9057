import { describe, expect, it } from 'vitest';
import type { TelemetryEvent } from '#core/bus/events.ts';
import { type Conflatable, conflate, merge } from './conflate.ts';

const event = (
  deviceId: number,
  ts: number,
  metrics: TelemetryEvent['metrics'],
  id = '1',
): TelemetryEvent => ({
  deviceId,
  device: `d${deviceId}`,
  siteId: null,
  ts,
  id,
  receivedAt: ts,
  metrics,
});

async function run(items: readonly Conflatable<string>[], maxHz = 50) {
  let merged = 0;
  async function* source() {
    yield* items;
  }
  const found: Conflatable<string>[] = [];
  const options = {
    maxHz,
    cursor: 'c0',
    signal: new AbortController().signal,
    onMerged: () => (merged += 1),
  };
  for await (const item of conflate(source(), options)) found.push(item);
  return { found, merged };
}

describe('merge', () => {
  it('keeps the newest of each metric, whichever came first', () => {
    const [old, young] = [event(1, 10, { a: 1, b: 1 }), event(1, 20, { b: 2 })];
    for (const result of [merge(old, young), merge(young, old)]) {
      expect(result).toMatchObject({ ts: 20, metrics: { a: 1, b: 2 } });
    }
  });

  it('lets the larger message id win within a millisecond', () => {
    const [small, large] = [event(1, 10, { a: 9 }, '9'), event(1, 10, { a: 10 }, '10')];
    expect(merge(large, small).metrics).toEqual({ a: 10 });
  });
});

describe('conflate', () => {
  it('gives the first at once, then one reading a device, the last with the new cursor and the others with the old', async () => {
    const readings = [1, 2, 1, 2, 3].map((device, n) => ({
      reading: { event: event(device, n, { n }), cursor: `c${n + 1}` },
    }));
    const { found, merged } = await run(readings);
    expect(merged).toBe(1);
    expect(
      found.map((item) =>
        'reading' in item
          ? [item.reading.event.deviceId, item.reading.event.metrics['n'], item.reading.cursor]
          : item,
      ),
    ).toEqual([
      [1, 0, 'c1'],
      [2, 3, 'c1'],
      [1, 2, 'c1'],
      [3, 4, 'c5'],
    ]);
  });

  it('keeps anything else in its place, behind what came before it', async () => {
    const { found } = await run([
      { reading: { event: event(1, 1, { n: 1 }), cursor: 'c1' } },
      { other: 'gap', cursor: 'c2' },
      { reading: { event: event(1, 2, { n: 2 }), cursor: 'c3' } },
      { reading: { event: event(2, 2, { n: 2 }), cursor: 'c4' } },
    ]);
    expect(
      found.map((item) =>
        'other' in item ? item.other : [item.reading.event.metrics['n'], item.reading.cursor],
      ),
    ).toEqual([[1, 'c1'], 'gap', [2, 'c2'], [2, 'c4']]);
  });

  it('passes the failure of its source on, behind what came before it', async () => {
    async function* broken(): AsyncGenerator<Conflatable<string>> {
      yield { reading: { event: event(1, 1, { n: 1 }), cursor: 'c1' } };
      throw new Error('gone');
    }
    const found: unknown[] = [];
    const options = {
      maxHz: 10,
      cursor: 'c0',
      signal: new AbortController().signal,
      onMerged: () => undefined,
    };
    await expect(
      (async () => {
        for await (const item of conflate(broken(), options)) found.push(item);
      })(),
    ).rejects.toThrow('gone');
    expect(found).toHaveLength(1);
  });
});
