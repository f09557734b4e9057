import { describe, expect, it } from 'vitest';
import { buildPattern, PATTERN_NAMES, patternFor } from './patterns.ts';
import { createRandom, step, walk } from './signals.ts';

describe('a pattern', () => {
  it.each(PATTERN_NAMES)('%s gives finite numbers and booleans only, the same for the same key', (name) => {
    const one = buildPattern(name, 'device-1');
    const same = buildPattern(name, 'device-1');
    for (let at = 0; at < 500_000; at += 1000) {
      for (const [metric, signal] of Object.entries(one)) {
        const value = signal(at);
        expect(typeof value === 'boolean' || Number.isFinite(value)).toBe(true);
        expect(same[metric]?.(at)).toBe(value);
      }
    }
  });

  it('is chosen by the key', () => {
    expect(patternFor('reefer-03')).toBe('reefer');
    expect(patternFor('pump-1')).toBe('meter');
  });
});

describe('a signal', () => {
  it('walks within its bounds', () => {
    const signal = walk(createRandom(7), { from: 1, to: 2, stride: 5, digits: 2 });
    for (let at = 0; at < 1000; at++) {
      expect(signal(at)).toBeGreaterThanOrEqual(1);
      expect(signal(at)).toBeLessThanOrEqual(2);
    }
  });

  it('steps between its levels and holds each for a while', () => {
    const signal = step(createRandom(7), [1, 5], 10);
    const values = Array.from({ length: 1000 }, (_, index) => signal(index * 1000));
    expect(new Set(values)).toEqual(new Set([1, 5]));
    const changes = values.filter((value, index) => index > 0 && value !== values[index - 1]).length;
    expect(changes).toBeLessThan(200);
  });
});
