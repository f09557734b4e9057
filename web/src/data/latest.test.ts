import { expect, it } from 'vitest';
import { mergeLatest, readMetrics } from './latest.ts';

const value = (metric: string, of: unknown, at: string) => ({ metric, value: of, at, receivedAt: at });

it('keeps the later value of each metric, sorted', () => {
  const held = [value('b', 1, '2026-01-01T00:00:05Z'), value('c', 1, '2026-01-01T00:00:05Z')];
  const merged = mergeLatest(held, [
    value('a', 2, '2026-01-01T00:00:01Z'),
    value('b', 2, '2026-01-01T00:00:04Z'),
    value('c', 2, '2026-01-01T00:00:05.000Z'),
  ]);
  expect(merged.map(({ metric, value: of }) => [metric, of])).toEqual([
    ['a', 2],
    ['b', 1],
    ['c', 2],
  ]);
});

it('returns the same list when nothing is newer', () => {
  const held = [value('a', 1, '2026-01-01T00:00:05Z')];
  expect(mergeLatest(held, [value('a', 2, '2026-01-01T00:00:01Z')])).toBe(held);
});

it('reads metrics only out of an object', () => {
  expect(readMetrics({ t: 1 })).toEqual([['t', 1]]);
  for (const odd of [null, 'x', [1], undefined]) expect(readMetrics(odd)).toEqual([]);
});
