import type { Pool } from 'pg';
import type { WriteScope, Writes } from '#api/database/writes.ts';
import { writeAudit } from '#api/graphql/audit.ts';
import { ConflictFault } from '#api/graphql/errors.ts';
import type { Grant } from '#core/auth/credential-cache.ts';
import { hashProvisioningToken } from '#core/auth/provisioning-tokens.ts';
import { type DeviceKey, isDeviceKey } from '#core/fleet/ids.ts';
import { createBatch } from '#core/runtime/batch.ts';
import { insertDevice } from '../devices/service.ts';
import { findProvisioning, type PresentedToken, type Provisioning } from './store.ts';

/** Why a provisioning token does not let a message in; `TOO_MANY_NEW_DEVICES` after how many seconds it may. */
export type ProvisioningRefusal =
  | 'BAD_CREDENTIALS'
  | 'NOT_ACTIVE'
  | 'DEVICE_EXISTS'
  | 'KEY_NOT_ALLOWED'
  | { readonly retryAfterSeconds: number };

/** Whom the message is from. */
export type ProvisioningGrant = Pick<Grant, 'tenantId' | 'deviceId'>;

export type Provision = (
  tenant: string,
  device: string,
  token: string,
  requestId: string,
) => Promise<ProvisioningGrant | ProvisioningRefusal>;

export interface ProvisionDeps {
  readonly pool: Pool;
  readonly writes: Writes;
  readonly key: Buffer;
  readonly timeoutMs: number;
}

/**
 * Lets a device in by a provisioning token, and makes it where there is none of that name: one transaction, the token's row
 * locked, so that of any number who come at once one makes it and the limit holds across processes. A device that somebody
 * else made is never touched. The function rejects when the database does not answer.
 */
export function createProvision({ pool, writes, key, timeoutMs }: ProvisionDeps): Provision {
  const find = createBatch<PresentedToken, Provisioning | undefined>({
    ...{ name: 'the database, asked for provisioning tokens,', maxItems: 500, waitMs: 1 },
    ...{ maxWaiting: 5_000, timeoutMs: 3_000, run: (some) => findProvisioning(pool, some) },
  });
  /** Devices that are being made; the others who name one wait for the same end. */
  const making = new Map<string, Promise<ProvisioningRefusal | undefined>>();

  const make = (found: Provisioning, presented: PresentedToken, key: DeviceKey, requestId: string) => {
    const name = `${found.tokenId}/${key}`;
    const running = making.get(name);
    if (running) return running;
    const tenant = { tenantId: found.tenantId, tenantSlug: presented.tenant };
    const made = writes
      .transaction(tenant, Date.now() + timeoutMs, (scope) => makeDevice(scope, found, key, requestId))
      .catch((error: unknown) => {
        // Somebody else was quicker: whose it is is looked up again.
        if (error instanceof ConflictFault) return undefined;
        throw error;
      })
      .finally(() => making.delete(name));
    making.set(name, made);
    return made;
  };

  return async (tenant, device, token, requestId) => {
    const presented = { hash: hashProvisioningToken(key, token), tenant, device };
    const before = await find(presented);
    if (!before || before.deviceId !== null || !mayMake(before, device)) return judge(before);
    const refusal = await make(before, presented, device, requestId);
    return refusal ?? judge(await find(presented));
  };
}

const mayMake = ({ tenantActive, keyPrefix }: Provisioning, device: string): device is DeviceKey =>
  tenantActive && isDeviceKey(device) && device.startsWith(keyPrefix);

function judge(found: Provisioning | undefined): ProvisioningGrant | ProvisioningRefusal {
  if (!found) return 'BAD_CREDENTIALS';
  if (!found.tenantActive) return 'NOT_ACTIVE';
  const { tenantId, deviceId } = found;
  if (deviceId === null) return 'KEY_NOT_ALLOWED';
  if (!found.deviceIsOwn) return 'DEVICE_EXISTS';
  return found.deviceActive === true ? { tenantId, deviceId } : 'NOT_ACTIVE';
}

interface LockedToken {
  readonly siteKey: string | null;
  readonly maxDevicesPerHour: number;
  readonly good: boolean;
}

/** Undefined when there is a device of that name afterwards, whoever made it. */
async function makeDevice(
  scope: WriteScope,
  { tokenId, name }: Provisioning,
  key: DeviceKey,
  requestId: string,
): Promise<ProvisioningRefusal | undefined> {
  const [token] = await scope.prisma.$queryRaw<LockedToken[]>`
    select s.key as "siteKey", p.max_devices_per_hour as "maxDevicesPerHour",
      p.revoked_at is null and p.expires_at > now() as good
    from provisioning_tokens p left join sites s on s.id = p.site_id where p.id = ${tokenId} for update of p`;
  if (!token?.good) return 'BAD_CREDENTIALS';
  const existing = await scope.prisma.device.findUnique({
    where: { tenantId_key: { tenantId: scope.tenantId, key } },
    select: { id: true },
  });
  if (existing) return undefined;
  const [full] = await scope.prisma.$queryRaw<{ seconds: number }[]>`
    select greatest(1, ceil(extract(epoch from created_at + interval '1 hour' - clock_timestamp())))::int as seconds
    from provisioned_devices
    where tenant_id = ${scope.tenantId} and token_id = ${tokenId} and created_at > clock_timestamp() - interval '1 hour'
    order by created_at desc offset ${token.maxDevicesPerHour - 1} limit 1`;
  if (full) return { retryAfterSeconds: full.seconds };
  const device = await insertDevice(scope, { key, siteKey: token.siteKey });
  await scope.prisma.$executeRaw`insert into provisioned_devices (tenant_id, device_id, token_id, created_at)
    values (${scope.tenantId}, ${device.id}, ${tokenId}, clock_timestamp())`;
  const viewer = { kind: 'PROVISIONING_TOKEN', credentialId: `provisioning:${tokenId}`, name } as const;
  await writeAudit(scope, { viewer, ip: null, requestId }, 'deviceProvision', {
    target: { type: 'Device', id: device.id, label: key },
    before: null,
    after: { key, siteId: device.siteId, status: device.status },
  });
  return undefined;
}
