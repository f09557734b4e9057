import { describe, expect, it } from 'vitest';
import { limitsOf, Meter } from './limits.ts';

const PLAN = {
  ...{ messagesPerSecond: 100, bytesPerSecond: 1_000, connectsPerSecond: 10 },
  ...{ deviceMessagesPerSecond: 5, deviceBytesPerSecond: 50, deviceConnectsPerSecond: 1 },
};
const NOW = 1_800_000_000_000;

describe('the limits of a tenant', () => {
  it('are the plan’s but for what is written down', () => {
    expect(limitsOf(PLAN, {})).toEqual(PLAN);
    expect(limitsOf(PLAN, { deviceMessagesPerSecond: 0.5 })).toEqual({
      ...PLAN,
      deviceMessagesPerSecond: 0.5,
    });
  });

  it.each([null, undefined, 'x', 7, [], { messagesPerSecond: 0 }, { messagesPerSecond: -1 }])(
    'stay the plan’s where %j is written down',
    (written) => expect(limitsOf(PLAN, written)).toEqual(PLAN),
  );

  it('pass over names that are none and values that are no numbers', () => {
    expect(limitsOf(PLAN, { bytesPerSecond: '9', replicas: 7, __proto__: { connectsPerSecond: 1 } })).toEqual(
      PLAN,
    );
  });
});

describe('a meter', () => {
  it('waits for whichever is scarcer, messages or bytes', () => {
    const meter = new Meter(10, 1_000, 1);
    expect(meter.take(500, NOW)).toBe(0);
    expect(meter.take(500, NOW)).toBe(0);
    expect(meter.take(500, NOW)).toBeCloseTo(500);
    for (let n = 0; n < 12; n++) meter.take(0, NOW + 1_000);
    expect(meter.wait(0, NOW + 1_000)).toBeGreaterThan(0);
    expect(meter.isFull(NOW + 1_000)).toBe(false);
    expect(meter.isFull(NOW + 10_000)).toBe(true);
  });
});
