import type { WriteScope } from '#api/database/writes.ts';
import type { AnnouncedDevice } from '../announce.ts';
import type { DeviceState, KnownDevice } from './plan.ts';

/** A token to be kept; its secret is not. */
export interface NewTokenRow {
  readonly deviceId: number;
  readonly hash: Buffer;
  readonly hint: string;
}

/** The sites with these keys, which nobody deletes until the transaction ends. */
export async function readSiteIds(
  scope: WriteScope,
  keys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const sites = await scope.prisma.$queryRaw<{ id: number; key: string }[]>`
    select id, key from sites where key = any(${keys}::text[]) order by id for key share`;
  return new Map(sites.map(({ key, id }) => [key, id]));
}

/** The devices with these keys, which nobody else changes until the transaction ends. */
export async function lockKnown(
  scope: WriteScope,
  keys: readonly string[],
): Promise<ReadonlyMap<string, KnownDevice>> {
  const rows = await scope.prisma.$queryRaw<KnownDevice[]>`
    select id, key, name, status::text as status, site_id as "siteId", tags, attributes, latitude, longitude,
      serial_number as "serialNumber", model, expected_interval_seconds as "expectedIntervalSeconds"
    from devices where key = any(${keys}::text[]) order by id for update`;
  return new Map(rows.map((row) => [row.key, row]));
}

const FIELDS = `key text, name text, "siteId" int, tags jsonb, attributes jsonb, latitude float8, longitude float8,
  "serialNumber" text, model text, "expectedIntervalSeconds" int`;
const RETURNED = 'd.id, d.key, d.site_id as "siteId", d.version, d.updated_at as "updatedAt"';

/** Makes devices. One of a key that somebody took meanwhile is left out of the answer. */
export function insertDevices(
  scope: WriteScope,
  devices: readonly DeviceState[],
): Promise<AnnouncedDevice[]> {
  return scope.prisma.$queryRawUnsafe<AnnouncedDevice[]>(
    `insert into devices as d (tenant_id, key, name, site_id, tags, attributes, latitude, longitude, serial_number, model,
       expected_interval_seconds)
     select $1, key, name, "siteId", array(select jsonb_array_elements_text(tags)), attributes, latitude, longitude,
       "serialNumber", model, "expectedIntervalSeconds"
     from jsonb_to_recordset($2::jsonb) as w (${FIELDS})
     on conflict (tenant_id, key) do nothing returning ${RETURNED}`,
    scope.tenantId,
    JSON.stringify(devices),
  );
}

/** Changes devices that are locked. */
export function updateDevices(
  scope: WriteScope,
  devices: readonly (DeviceState & { readonly id: number })[],
): Promise<AnnouncedDevice[]> {
  return scope.prisma.$queryRawUnsafe<AnnouncedDevice[]>(
    `update devices d set name = w.name, site_id = w."siteId", tags = array(select jsonb_array_elements_text(w.tags)),
       attributes = w.attributes, latitude = w.latitude, longitude = w.longitude, serial_number = w."serialNumber",
       model = w.model, expected_interval_seconds = w."expectedIntervalSeconds", version = d.version + 1, updated_at = now()
     from jsonb_to_recordset($1::jsonb) as w (id int, ${FIELDS}) where d.id = w.id returning ${RETURNED}`,
    JSON.stringify(devices),
  );
}

/** Those of the devices that hold `limit` live tokens or more. */
export async function findFull(
  scope: WriteScope,
  deviceIds: readonly number[],
  limit: number,
): Promise<ReadonlySet<number>> {
  const rows = await scope.prisma.$queryRaw<{ id: number }[]>`
    select device_id as id from device_credentials
    where device_id = any(${deviceIds}::int[]) and kind = 'TOKEN' and revoked_at is null
      and (expires_at is null or expires_at > now())
    group by device_id having count(*) >= ${limit}`;
  return new Set(rows.map(({ id }) => id));
}

export async function insertTokens(scope: WriteScope, tokens: readonly NewTokenRow[]): Promise<void> {
  const rows = tokens.map(({ deviceId, hash, hint }) => ({ deviceId, hint, hash: hash.toString('hex') }));
  await scope.prisma.$executeRaw`
    insert into device_credentials (tenant_id, device_id, kind, secret_hash, hint)
    select ${scope.tenantId}, "deviceId", 'TOKEN', decode(hash, 'hex'), hint
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as w ("deviceId" int, hash text, hint text)`;
}
