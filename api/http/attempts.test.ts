import { describe, expect, it } from 'vitest';
import { attemptName, createAttempts } from './attempts.ts';

describe('attempts', () => {
  it('run out, come back with time, and belong to one name', () => {
    const attempts = createAttempts(3, 10);
    for (const left of [2, 1, 0]) expect(attempts.count('a', 1_000)).toBe(left);
    expect(attempts.refusal('a', 1_000)).toBe(20);
    expect(attempts.refusal('b', 1_000)).toBeUndefined();
    expect(attempts.refusal('a', 20_999)).toBe(1);
    expect(attempts.refusal('a', 21_001)).toBeUndefined();
    expect(attempts.refusal('a', 1_000_000)).toBeUndefined();
    expect(attempts.count('a', 1_000_000)).toBe(2);
  });

  it('beyond what there is are a debt', () => {
    const attempts = createAttempts(1, 10);
    for (const left of [0, -1, -2]) expect(attempts.count('a', 0)).toBe(left);
    expect(attempts.refusal('a', 0)).toBe(180);
  });

  it('are remembered for so many names and no more', () => {
    const attempts = createAttempts(1, 2);
    for (const name of ['a', 'b', 'a', 'c']) attempts.count(name, 0);
    expect(attempts.size).toBe(2);
    expect([attempts.refusal('a', 0), attempts.refusal('b', 0)]).toEqual([120, undefined]);
  });

  it('of an IPv6 network count together', () => {
    expect(attemptName('192.0.2.7')).toBe('192.0.2.7');
    expect(attemptName(null)).toBe('unknown');
    expect(attemptName('2001:db8:0:1::7')).toBe('2001:db8:0:1');
    expect(attemptName('2001:0DB8::1:2:3:4:5')).toBe(attemptName('2001:db8:0:1:ffff::'));
    expect(attemptName('::1')).toBe('0:0:0:0');
  });
});
