import { describe, expect, it } from 'vitest';
import { type BucketRow, bucketsIn, chooseBucket, toSeries } from './series.ts';

const HOUR = 3_600_000;
const row = (seconds: number, metric = 'm'): BucketRow => ({
  metric,
  at: new Date(seconds * 1000),
  count: 1,
  min: 1,
  max: 1,
  mean: 1,
  last: 1,
});
const shape = (rows: BucketRow[], bucketSeconds: number | null, interval: number) =>
  toSeries(rows, bucketSeconds, interval)[0]?.points.map((point) => [point.at.getTime() / 1000, point.count]);

describe('bucket choice', () => {
  it.each([
    [HOUR, 1000, 'SECOND_10'],
    [24 * HOUR, 1000, 'MINUTE_5'],
    [24 * HOUR, 2000, 'MINUTE_1'],
    [30 * 24 * HOUR, 1000, 'HOUR_1'],
    [400 * 24 * HOUR, 1000, 'DAY_1'],
    [4_000 * 24 * HOUR, 10, 'DAY_1'],
  ] as const)('for %d ms and %d points is %s', (span, points, expected) => {
    expect(chooseBucket(span, points)).toBe(expected);
  });

  it('counts the bucket that a range begins inside of', () => {
    expect(bucketsIn(60_000, 60)).toBe(2);
  });
});

describe('series', () => {
  it('marks a gap once, where the next value was due', () => {
    expect(shape([row(0), row(60), row(300)], 60, 10)).toEqual([
      [0, 1],
      [60, 1],
      [120, 0],
      [300, 1],
    ]);
  });

  it('takes no pause for a gap that the interval of the device explains', () => {
    expect(shape([row(0), row(60), row(120)], 10, 60)).toEqual([
      [0, 1],
      [60, 1],
      [120, 1],
    ]);
    expect(shape([row(0), row(24), row(60)], null, 10)).toEqual([
      [0, 1],
      [24, 1],
      [34, 0],
      [60, 1],
    ]);
  });

  it('keeps metrics apart', () => {
    const series = toSeries([row(0, 'a'), row(60, 'a'), row(0, 'b')], 60, 60);
    expect(series.map(({ metric, points }) => [metric, points.length])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
  });
});
