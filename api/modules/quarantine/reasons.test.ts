import { describe, expect, it } from 'vitest';
import { bucketFor, toReasonSeries } from './reasons.ts';

describe('reasons over time', () => {
  it('has a point in every bucket, and the most frequent reason first', () => {
    const at = (minute: number) => new Date(minute * 60_000);
    const rows = [
      { reason: 'BAD_JSON', at: at(11), count: 1 },
      { reason: 'TOO_OLD', at: at(10), count: 2 },
      { reason: 'TOO_OLD', at: at(12), count: 3 },
    ];
    const series = toReasonSeries(rows, new Date(10.5 * 60_000), at(13), 60);
    expect(series.map(({ reason, total }) => [reason, total])).toEqual([
      ['TOO_OLD', 5],
      ['BAD_JSON', 1],
    ]);
    expect(series[0]?.points).toEqual([
      { at: at(10), count: 2 },
      { at: at(11), count: 0 },
      { at: at(12), count: 3 },
    ]);
  });

  it('chooses the narrowest bucket that keeps within 200 points', () => {
    expect(bucketFor(3_600_000)).toBe(60);
    expect(bucketFor(24 * 3_600_000)).toBe(900);
    expect(bucketFor(30 * 86_400_000)).toBe(6 * 3_600);
    expect(bucketFor(400 * 86_400_000)).toBe(7 * 86_400);
  });
});
