import { describe, expect, it } from 'vitest';
import { EVERY_FAULT, NO_FAULTS, planDevice, stormTimes } from './known-set.ts';

const options = { seed: 7, samples: 1_000, intervalMs: 10, faults: EVERY_FAULT };

describe('a known set', () => {
  it('is the same for the same seed and another for another', () => {
    expect(planDevice('a', 1, options)).toEqual(planDevice('a', 1, options));
    expect(planDevice('a', 1, options)).not.toEqual(planDevice('a', 1, { ...options, seed: 8 }));
    expect(planDevice('a', 1, options)).not.toEqual(planDevice('b', 1, options));
  });

  it('without faults sends every sample once, in order, when it is measured', () => {
    const { samples, sends, dropped } = planDevice('a', 2, { ...options, faults: NO_FAULTS });
    expect(dropped).toEqual([]);
    expect(sends.map(({ sample }) => sample)).toEqual(samples);
    expect(sends.map(({ dueMs }) => dueMs)).toEqual(samples.map(({ at }) => at));
  });

  it('has every fault it is asked for, and loses no sample but the dropped ones', () => {
    const { samples, sends, dropped } = planDevice('a', 2, options);
    const numbers = sends.map(({ sample }) => sample.seq);
    const once = new Set(numbers);
    expect(dropped.length).toBeGreaterThan(5);
    expect(once.size + dropped.length).toBe(1_000);
    expect(numbers.length).toBeGreaterThan(once.size);
    expect(numbers.some((seq, index) => seq < (numbers[index - 1] ?? 0))).toBe(true);
    expect(samples[0]?.at).not.toBe(0);
    expect(Math.abs(samples[0]?.at ?? 0)).toBeLessThanOrEqual(300_000);
    expect(sends.every(({ dueMs }, index) => dueMs >= (sends[index - 1]?.dueMs ?? 0))).toBe(true);
  });

  it('is silent after a storm, then sends what was measured meanwhile in one burst', () => {
    const [storm = 0] = stormTimes(options);
    const { sends } = planDevice('a', 0, {
      ...options,
      faults: { ...EVERY_FAULT, reorder: 0, drop: 0, duplicate: 0 },
    });
    const after = sends.filter(({ dueMs }) => dueMs >= storm && dueMs <= storm + EVERY_FAULT.silentMs);
    expect(after.length).toBeGreaterThanOrEqual(50);
    expect(new Set(after.map(({ dueMs }) => dueMs)).size).toBe(1);
  });

  it('breaches the limit in the breach pattern and holds still in the constant one', () => {
    const long = { ...options, samples: 200, intervalMs: 1_000, faults: NO_FAULTS };
    const values = (index: number) =>
      planDevice('a', index, long).samples.map(({ metrics }) => Number(metrics['value']));
    const beyond = values(4).filter((value) => value > 90).length;
    expect(beyond).toBeGreaterThan(5);
    expect(beyond).toBeLessThan(60);
    expect(new Set(values(3))).toEqual(new Set([42]));
  });
});
