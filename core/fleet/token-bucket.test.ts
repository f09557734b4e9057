import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

const NOW = 1_800_000_000_000;

describe('a token bucket', () => {
  it('gives a burst at once and then as much as comes', () => {
    const bucket = new TokenBucket(10, 2);
    for (let n = 0; n < 20; n++) expect(bucket.take(1, NOW)).toBe(0);
    expect(bucket.take(1, NOW)).toBeCloseTo(100);
    expect(bucket.take(1, NOW)).toBeCloseTo(200);
    expect(bucket.take(1, NOW + 300)).toBe(0);
    expect(bucket.take(1, NOW + 300)).toBeCloseTo(100);
  });

  it('is full again after a burst’s time, and not fuller later', () => {
    const bucket = new TokenBucket(10, 2);
    expect(bucket.isFull(NOW)).toBe(true);
    bucket.take(20, NOW);
    expect(bucket.isFull(NOW + 1_999)).toBe(false);
    expect(bucket.isFull(NOW + 2_000)).toBe(true);
    expect(bucket.wait(20, NOW + 60_000)).toBe(0);
    expect(bucket.take(21, NOW + 60_000)).toBeCloseTo(100);
  });

  it('says how long to wait without taking, and for more than a burst when it is full', () => {
    const bucket = new TokenBucket(10, 1);
    bucket.take(10, NOW);
    expect(bucket.wait(1, NOW)).toBeCloseTo(100);
    expect(bucket.wait(1, NOW)).toBeCloseTo(100);
    expect(bucket.wait(500, NOW)).toBeCloseTo(1_000);
    expect(bucket.wait(500, NOW + 1_000)).toBeCloseTo(0);
  });

  it('always lets one through in the end, however small the burst', () => {
    const bucket = new TokenBucket(0.1, 1);
    expect(bucket.take(1, NOW)).toBe(0);
    expect(bucket.take(1, NOW + 10_000)).toBe(0);
    expect(bucket.take(1, NOW + 10_000)).toBeCloseTo(10_000);
  });

  it('without a limit never waits', () => {
    const bucket = new TokenBucket(Number.POSITIVE_INFINITY, 10);
    expect(bucket.take(1e12, NOW)).toBe(0);
    expect(bucket.wait(1e12, NOW)).toBe(0);
  });

  it('follows a new rate from the next token on', () => {
    const bucket = new TokenBucket(10, 1);
    bucket.take(10, NOW);
    bucket.configure(1_000, 1);
    expect(bucket.take(1, NOW)).toBeCloseTo(1);
    bucket.configure(1, 1);
    expect(bucket.take(1, NOW + 1_001)).toBe(0);
    expect(bucket.take(1, NOW + 1_001)).toBeCloseTo(1_000, 0);
  });

  it('never gives more than burst plus rate × time to whoever waits as told', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 50 })), {
          minLength: 1,
        }),
        (perSecond, burstSeconds, steps) => {
          const bucket = new TokenBucket(perSecond, burstSeconds);
          let now = NOW;
          let taken = 0;
          for (const [pauseMs, count] of steps) {
            now += pauseMs + bucket.take(count, now);
            taken += count;
            // The last step may be in debt by what it took itself.
            const due = perSecond * burstSeconds + (perSecond * (now - NOW)) / 1_000 + 50;
            expect(taken).toBeLessThanOrEqual(due + 1);
          }
        },
      ),
    );
  });
});
