import type { DeviceAccess, DeviceName, LiveCredential } from '../fleet/device-access.ts';
import type { DeviceId, TenantId } from '../fleet/ids.ts';
import type { Queryable } from './pool.ts';

interface AccessRow {
  index: number;
  tenant_id: TenantId;
  device_id: DeviceId;
  active: boolean;
  credential_id: number | null;
  kind: LiveCredential['kind'] | null;
  secret_hash: Buffer | null;
  expires_at: Date | null;
  revoked: boolean;
}

const FIND_ACCESS = `
  select wanted.index::int - 1 as index, d.tenant_id, d.id as device_id,
    d.status = 'ACTIVE' and t.status = 'ACTIVE' as active,
    c.id as credential_id, c.kind, c.secret_hash, least(c.expires_at, c.retires_at) as expires_at,
    c.revoked_at is not null or coalesce(c.retires_at <= now(), false) as revoked
  from unnest($1::text[], $2::text[]) with ordinality as wanted (tenant, device, index)
  join tenants t on t.slug = wanted.tenant
  join devices d on d.tenant_id = t.id and d.key = wanted.device
  left join device_credentials c on c.tenant_id = d.tenant_id and c.device_id = d.id and (c.revoked_at is null or c.kind = 'CERTIFICATE')
    and (c.expires_at is null or c.expires_at > now())
  order by c.id`;

/** One answer a name, in the same order, in one query; undefined where there is no such device. */
export function findDeviceAccess(
  database: Queryable,
  names: readonly DeviceName[],
): Promise<(DeviceAccess | undefined)[]> {
  return readAccess(database, names, { name: 'find-device-access', text: FIND_ACCESS });
}

/** The same for a role under row-level security, which no tenant has been set for yet. */
export function lookUpDeviceAccess(
  database: Queryable,
  names: readonly DeviceName[],
): Promise<(DeviceAccess | undefined)[]> {
  return readAccess(database, names, {
    name: 'look-up-device-access',
    text: 'select * from find_device_access($1, $2)',
  });
}

async function readAccess(
  database: Queryable,
  names: readonly DeviceName[],
  query: { readonly name: string; readonly text: string },
): Promise<(DeviceAccess | undefined)[]> {
  const found: (DeviceAccess & { credentials: LiveCredential[] })[] = [];
  const { rows } = await database.query<AccessRow>({
    ...query,
    values: [names.map((name) => name.tenant), names.map((name) => name.device)],
  });
  for (const row of rows) {
    let access = found[row.index];
    if (!access) {
      access = { tenantId: row.tenant_id, deviceId: row.device_id, active: row.active, credentials: [] };
      found[row.index] = access;
    }
    if (row.credential_id !== null && row.secret_hash !== null && row.kind !== null) {
      const { credential_id: id, kind, secret_hash: secretHash, revoked } = row;
      const expiresAt = row.expires_at ?? undefined;
      access.credentials.push({ id, kind, secretHash, expiresAt, revoked });
    }
  }
  return names.map((_, index) => found[index]);
}

/** Notes that credentials let somebody in. One written less than a minute ago is left alone. */
export async function touchCredentials(database: Queryable, ids: readonly number[]): Promise<void> {
  await database.query(
    `update device_credentials set last_used_at = now()
     where id = any($1::int[]) and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
    [ids],
  );
}
