import { describe, expect, it } from 'vitest';
import { createOffenders } from './offenders.ts';

const NOW = 1_800_000_000_000;
const open = (maxOffenders = 100) =>
  createOffenders({ freeFailures: 3, forgivenAfterMs: 1_000, maxDelayMs: 5_000, maxOffenders });

describe('whoever cannot prove who it is', () => {
  it('may err a few times, then waits longer each time, up to a bound', () => {
    const offenders = open();
    const delays = Array.from({ length: 12 }, () => offenders.fail('10.0.0.1', 'acme/m1', NOW));
    expect(delays.map((ms) => Math.round(ms))).toEqual([
      ...[0, 0, 0, 1_000, 2_000, 3_000, 4_000, 5_000, 5_000, 5_000, 5_000, 5_000],
    ]);
  });

  it('is forgiven in time, however often it failed', () => {
    const offenders = open();
    for (let n = 0; n < 10_000; n++) offenders.fail('10.0.0.1', 'acme/m1', NOW);
    expect(offenders.fail('10.0.0.1', 'acme/m1', NOW + 8_000)).toBe(0);
  });

  it('is known by its address under many names, and by the name from many addresses', () => {
    const offenders = open();
    for (let n = 0; n < 20; n++) offenders.fail('10.0.0.1', `acme/m${n}`, NOW);
    expect(offenders.fail('10.0.0.1', 'acme/fresh', NOW)).toBe(5_000);
    for (let n = 0; n < 20; n++) offenders.fail(`10.0.1.${n}`, 'acme/wanted', NOW);
    expect(offenders.fail('10.0.2.1', 'acme/wanted', NOW)).toBe(5_000);
    expect(offenders.fail('10.0.2.2', 'acme/other', NOW)).toBe(0);
  });

  it('is remembered in bounded memory, the last ones', () => {
    const offenders = open(50);
    for (let n = 0; n < 10_000; n++) offenders.fail(`10.1.${n >> 8}.${n & 255}`, `acme/m${n}`, NOW);
    expect(offenders.size).toBe(100);
  });
});
