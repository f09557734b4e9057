import { describe, expect, it } from 'vitest';
import { formatInstant } from './scalars.ts';

describe('an instant', () => {
  it('is written as a Date writes it, whatever was written before', () => {
    const around = [0, 1, 59_999, 60_000, 1_795_289_100_007, 1_795_289_159_999.9, 8.64e15];
    for (const ms of around.flatMap((each) => [each, -each, each + 1, 60_000 - each])) {
      if (Math.abs(ms) > 8.64e15) continue;
      expect(formatInstant(ms)).toBe(new Date(ms).toISOString());
      expect(formatInstant(new Date(ms))).toBe(new Date(ms).toISOString());
    }
  });

  it('is refused when it is none', () => {
    for (const none of [Number.NaN, Infinity, 8.64e15 + 1, new Date(Number.NaN), '2026', null, undefined])
      expect(() => formatInstant(none)).toThrow('not an instant');
  });
});
