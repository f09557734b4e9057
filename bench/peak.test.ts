import { describe, expect, it } from 'vitest';
import { findPeak } from './peak.ts';

const search = async (first: number, limit: number, stumbles: readonly number[] = []) => {
  const tried: number[] = [];
  const peak = await findPeak(
    first,
    async (rate) => {
      tried.push(rate);
      return { rate, held: rate <= limit && !stumbles.includes(tried.length), text: '' };
    },
    () => undefined,
  );
  return { peak: peak?.rate, tried };
};

describe('findPeak', () => {
  it.each([
    [1_000, 1_000],
    [1_000, 37_000],
    [20_000, 61_234],
    [20_000, 3_000],
  ])('finds from %i on the highest rate that holds up to %i, to a tenth', async (first, limit) => {
    const { peak = 0 } = await search(first, limit);
    expect(peak).toBeLessThanOrEqual(limit);
    expect(peak).toBeGreaterThan(limit / 1.11);
  });

  it('asks twice before it believes that a rate does not hold', async () => {
    const { peak = 0, tried } = await search(1_000, 4_000, [2, 5]);
    expect(peak).toBeGreaterThan(4_000 / 1.11);
    expect(tried.slice(0, 3)).toEqual([1_000, 1_500, 1_500]);
  });

  it('finds nothing where not even a twentieth holds', async () => {
    expect((await search(20_000, 900)).peak).toBeUndefined();
  });
});
