import type { TenantAccount, TenantAccounts } from '#core/auth/tenant-accounts.ts';
import type { DeviceId, TenantId } from '#core/fleet/ids.ts';
import type { Limits, Meter } from '#core/fleet/limits.ts';
import { Recent } from '#core/fleet/recent.ts';

/** Whose limit a connection has exceeded for too long. */
export type Excess = 'device' | 'tenant';

export interface ThrottleOptions {
  /** How long a device may go on sending more than it should before it is sent away, in ms. */
  readonly patienceMs: number;
  /** True: reads no more until false. */
  onHold(held: boolean): void;
  /** The patience is at its end. Called once. */
  onExcess(excess: Excess): void;
}

/** Whoever was read for so long without having to wait has stopped sending too much; less may be our own being late. */
const BREAK_MS = 250;
/** Whoever is made to wait looks again at least this often: limits may have changed. */
const LONGEST_WAIT_MS = 1_000;

/**
 * The limits of one connection. Whoever sends faster is first read more slowly, so that it is its own network that holds
 * it up, and after a while sent away. A message that is here is taken: it counts against the ones after it.
 */
export class Throttle {
  readonly account: TenantAccount;
  readonly meter: Meter;
  readonly #burstSeconds: number;
  readonly #options: ThrottleOptions;
  #limits: Limits;
  #timer: NodeJS.Timeout | undefined;
  #until = 0;
  #readAgainAt = 0;
  #over: { readonly since: number; readonly excess: Excess } | undefined;

  constructor(account: TenantAccount, meter: Meter, burstSeconds: number, options: ThrottleOptions) {
    this.account = account;
    this.meter = meter;
    this.#burstSeconds = burstSeconds;
    this.#options = options;
    this.#limits = account.limits;
    // What a device owes may come from a session under other limits.
    this.#adopt(account.limits);
  }

  /** Counts a PUBLISH, taken or refused. Costs a few additions while there are tokens. */
  take(bytes: number, now: number): void {
    const { account } = this;
    account.usage.messages += 1;
    account.usage.bytes += bytes;
    if (account.limits !== this.#limits) this.#adopt(account.limits);
    const ofDevice = this.meter.take(bytes, now);
    const ofTenant = account.meter.take(bytes, now);
    if (ofDevice > 0 || ofTenant > 0) this.#hold(ofDevice, ofTenant, now);
    else if (this.#over && now - this.#readAgainAt > BREAK_MS) this.#over = undefined;
  }

  /** The connection ends. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #hold(ofDevice: number, ofTenant: number, now: number): void {
    const excess = ofDevice > 0 ? 'device' : 'tenant';
    if (this.#over?.excess !== excess) this.#over = { since: now, excess };
    // A device answers for its own rate, and for its tenant's only when it could not be served in time at all.
    const late = excess === 'device' ? now - this.#over.since : ofTenant;
    if (late > this.#options.patienceMs) {
      this.account.usage.refused += 1;
      this.#options.onExcess(excess);
      return;
    }
    this.account.usage.throttled += 1;
    this.#options.onHold(true);
    this.#until = now + Math.max(ofDevice, ofTenant);
    this.#wait(now);
  }

  #wait(now: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lookAgain(), Math.min(this.#until - now, LONGEST_WAIT_MS));
  }

  #lookAgain(): void {
    const now = Date.now();
    const { limits } = this.account;
    if (limits === this.#limits && now < this.#until) {
      this.#wait(now);
      return;
    }
    if (limits !== this.#limits) this.#adopt(limits);
    this.#readAgainAt = now;
    this.#options.onHold(false);
  }

  #adopt(limits: Limits): void {
    this.#limits = limits;
    this.meter.configure(limits.deviceMessagesPerSecond, limits.deviceBytesPerSecond, this.#burstSeconds);
  }
}

/** Gives every session its throttle. */
export interface Throttles {
  open(device: ThrottledDevice, options: Omit<ThrottleOptions, 'patienceMs'>): Throttle;
  /** The session ended: what its device owes is kept for a while, so that coming back does not pay. */
  close(device: ThrottledDevice, throttle: Throttle): void;
}

export interface ThrottledDevice {
  readonly tenant: string;
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
}

/** Devices that are gone and have something to pay. */
const MAX_DEBTORS = 10_000;

export function createThrottles(accounts: TenantAccounts, patienceMs: number): Throttles {
  const debtors = new Recent<DeviceId, Meter>(MAX_DEBTORS);
  return {
    open({ tenant, tenantId, deviceId }, options) {
      const account = accounts.open(tenantId, tenant);
      const meter = debtors.get(deviceId) ?? accounts.createDeviceMeter(account);
      debtors.delete(deviceId);
      return new Throttle(account, meter, accounts.plan.burstSeconds, { ...options, patienceMs });
    },
    close({ deviceId }, throttle) {
      throttle.close();
      if (!throttle.meter.isFull(Date.now())) debtors.set(deviceId, throttle.meter);
    },
  };
}
