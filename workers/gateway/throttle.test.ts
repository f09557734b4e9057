import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TenantAccount } from '#core/auth/tenant-accounts.ts';
import type { TenantId } from '#core/fleet/ids.ts';
import { Meter } from '#core/fleet/limits.ts';
import { Share } from '#core/fleet/share.ts';
import { TokenBucket } from '#core/fleet/token-bucket.ts';
import { type Excess, Throttle } from './throttle.ts';

const PER_SECOND = 50;
const PATIENCE_MS = 3_000;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A device on a gateway whose timers are late by `lateMs`. */
function setUp(lateMs: number) {
  const startedAt = Date.now();
  let held = false;
  let excess: Excess | undefined;
  const throttle = new Throttle(createAccount(), new Meter(PER_SECOND, Infinity, 1), 1, {
    patienceMs: PATIENCE_MS,
    onHold: (on) => {
      held = on;
    },
    onExcess: (whose) => {
      excess = whose;
    },
  });
  return {
    excess: () => excess,
    passed: () => Date.now() - startedAt,
    /** One message, as soon as it may be read. */
    send() {
      if (held) {
        vi.setSystemTime(Date.now() + lateMs);
        vi.runOnlyPendingTimers();
      }
      throttle.take(100, Date.now());
    },
  };
}

function createAccount(): TenantAccount {
  const messagesPerSecond = 1_000_000;
  return {
    tenantId: 1 as TenantId,
    tenant: 'acme',
    limits: {
      ...{ messagesPerSecond, bytesPerSecond: Infinity, connectsPerSecond: Infinity },
      ...{ deviceMessagesPerSecond: PER_SECOND, deviceBytesPerSecond: Infinity, deviceConnectsPerSecond: 1 },
    },
    meter: new Meter(messagesPerSecond, Infinity, 1),
    connects: new TokenBucket(1, 1),
    inflight: new Share(1_000_000),
    usage: { messages: 0, bytes: 0, throttled: 0, refused: 0 },
  };
}

describe('a device that does not stop sending too much', () => {
  for (const lateMs of [0, 90, 400]) {
    it(`is sent away after the patience, by a gateway that is late by ${lateMs} ms`, () => {
      const device = setUp(lateMs);
      for (let sent = 0; sent < 1_000 && !device.excess(); sent += 1) device.send();
      expect(device.excess()).toBe('device');
      expect(device.passed()).toBeGreaterThanOrEqual(PATIENCE_MS);
      expect(device.passed()).toBeLessThan(PATIENCE_MS + 1_000);
    });
  }
});

describe('a device that pauses now and then', () => {
  it('is never sent away', () => {
    const device = setUp(0);
    for (let burst = 0; burst < 10; burst += 1) {
      for (let sent = 0; sent < 2 * PER_SECOND; sent += 1) device.send();
      vi.advanceTimersByTime(500);
    }
    expect(device.passed()).toBeGreaterThan(2 * PATIENCE_MS);
    expect(device.excess()).toBeUndefined();
  });
});
