import type { TenantAccounts } from '#core/auth/tenant-accounts.ts';
import type { DeviceId, TenantId } from '#core/fleet/ids.ts';
import type { Meter } from '#core/fleet/limits.ts';
import { Recent } from '#core/fleet/recent.ts';
import type { Share } from '#core/fleet/share.ts';
import type { HttpProblem } from './problem.ts';

/** Lets messages through the doors as fast as their device and its tenant may send. */
export interface IngestLimits {
  /** Counts a message, or says why it may not come now; then nothing is counted but the refusal. */
  admit(sender: Sender, bytes: number, now: number): HttpProblem | undefined;
  /** What the messages of a tenant on their way to the bus count against. */
  inflightOf(sender: Pick<Sender, 'tenant' | 'tenantId'>): Share;
}

export interface Sender {
  readonly tenant: string;
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
}

/** @param maxDevices devices whose rate is remembered; those that sent last */
export function createIngestLimits(accounts: TenantAccounts, maxDevices: number): IngestLimits {
  const meters = new Recent<DeviceId, Meter>(maxDevices);
  const { burstSeconds } = accounts.plan;
  return {
    admit({ tenant, tenantId, deviceId }, bytes, now) {
      const account = accounts.open(tenantId, tenant);
      const { limits, usage } = account;
      const meter = meters.getOrMake(deviceId, () => accounts.createDeviceMeter(account));
      meter.configure(limits.deviceMessagesPerSecond, limits.deviceBytesPerSecond, burstSeconds);
      const ofDevice = meter.wait(bytes, now);
      const ofTenant = account.meter.wait(bytes, now);
      if (ofDevice > 0 || ofTenant > 0) {
        usage.refused += 1;
        return tooMany(ofDevice > 0 ? 'device' : 'tenant', Math.max(ofDevice, ofTenant));
      }
      meter.take(bytes, now);
      account.meter.take(bytes, now);
      usage.messages += 1;
      usage.bytes += bytes;
      return undefined;
    },
    inflightOf: ({ tenant, tenantId }) => accounts.open(tenantId, tenant).inflight,
  };
}

const tooMany = (whose: 'device' | 'tenant', waitMs: number): HttpProblem => ({
  ...{ status: 429, code: whose === 'device' ? 'DEVICE_RATE_EXCEEDED' : 'TENANT_RATE_EXCEEDED' },
  detail: `more than the ${whose} may send; the limits are in the console under Settings`,
  retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)),
});
