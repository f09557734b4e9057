import { setTimeout as sleep } from 'node:timers/promises';
import type { Haste } from '#core/auth/credential-cache.ts';
import type { Offenders } from '#core/auth/offenders.ts';
import type { TenantAccounts } from '#core/auth/tenant-accounts.ts';
import type { DeviceId } from '#core/fleet/ids.ts';
import { Recent } from '#core/fleet/recent.ts';
import { TokenBucket } from '#core/fleet/token-bucket.ts';
import type { ThrottledDevice } from './throttle.ts';

export interface ConnectGuardOptions {
  readonly accounts: TenantAccounts;
  readonly offenders: Offenders;
  /** Of one address, for those that were let in. */
  readonly addressConnectsPerSecond: number;
  /** Answers that are held back at once; beyond, they are given at once. */
  readonly maxHeldBack: number;
  /** How long a device may wait for its turn, in ms; beyond, it is refused. */
  readonly maxWaitMs: number;
}

/** Slows down who cannot prove who it is, and who comes too often. Nobody else waits for either. */
export interface ConnectGuard {
  /** `LATE` for an address at which many have just failed. */
  hasteOf(remote: string): Haste;
  /** After a refusal: resolves when the answer may be given. A name that its owner uses meanwhile is not concerned. */
  holdBack(username: string, remote: string): Promise<void>;
  /** For a device that may come in: waits for its turn. False when that would take too long. */
  turn(device: ThrottledDevice, remote: string): Promise<boolean>;
  readonly heldBack: number;
}

/** Devices and addresses whose connects are remembered. */
const MAX_REMEMBERED = 50_000;
const MAX_WAITING = 10_000;

export function createConnectGuard(options: ConnectGuardOptions): ConnectGuard {
  const { accounts, offenders, maxWaitMs } = options;
  const { burstSeconds } = accounts.plan;
  const devices = new Recent<DeviceId, TokenBucket>(MAX_REMEMBERED);
  const addresses = new Recent<string, TokenBucket>(MAX_REMEMBERED);
  let heldBack = 0;
  let waiting = 0;

  return {
    get heldBack() {
      return heldBack;
    },
    hasteOf: (remote) => (offenders.suspects(remote, Date.now()) ? 'LATE' : 'NOW'),
    async holdBack(username, remote) {
      const delayMs = offenders.fail(remote, username, Date.now());
      if (delayMs < 1 || heldBack >= options.maxHeldBack) return;
      heldBack += 1;
      await sleep(delayMs);
      heldBack -= 1;
    },
    async turn(device, remote) {
      const now = Date.now();
      const account = accounts.open(device.tenantId, device.tenant);
      const perSecond = account.limits.deviceConnectsPerSecond;
      const ofDevice = devices.getOrMake(device.deviceId, () => new TokenBucket(perSecond, burstSeconds));
      ofDevice.configure(perSecond, burstSeconds);
      const ofAddress = addresses.getOrMake(
        remote,
        () => new TokenBucket(options.addressConnectsPerSecond, burstSeconds),
      );
      const buckets = [ofDevice, account.connects, ofAddress];
      const waitMs = Math.max(...buckets.map((bucket) => bucket.wait(1, now)));
      if (waitMs > maxWaitMs || (waitMs > 0 && waiting >= MAX_WAITING)) {
        account.usage.refused += 1;
        return false;
      }
      for (const bucket of buckets) bucket.take(1, now);
      if (waitMs === 0) return true;
      account.usage.throttled += 1;
      waiting += 1;
      await sleep(waitMs);
      waiting -= 1;
      return true;
    },
  };
}
