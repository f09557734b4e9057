import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { createApiKey } from '#core/auth/api-keys.ts';
import { createDeviceSecret, hashDeviceSecret, hintOf } from '#core/auth/device-credentials.ts';
import { deriveKey } from '#core/auth/keys.ts';
import type { LoadDevice } from '#simulator/load-connection.ts';
import { giveTemplates } from './template-fleet.ts';

/** A tenant made for one run. */
export interface BenchTenant {
  readonly slug: string;
  /** May read everything of the tenant. */
  readonly apiKey: string;
  readonly devices: readonly LoadDevice[];
}

/** What the devices are. */
interface BenchFleet {
  /** They have a template, a map and sensors. */
  readonly templates?: boolean | undefined;
  /** How often each is expected to send. Default: as a device is made. */
  readonly intervalSeconds?: number | undefined;
}

/** Makes tenants with devices and an API key each; names are new at every call. */
export async function provision(
  database: Pool,
  secretKey: string,
  tenants: number,
  devices: number,
  fleet: BenchFleet = {},
): Promise<BenchTenant[]> {
  const run = randomBytes(3).toString('hex');
  const made = await Promise.all(
    Array.from({ length: tenants }, (_, index) => {
      const count = Math.floor(devices / tenants) + (index < devices % tenants ? 1 : 0);
      return provisionTenant(database, secretKey, `bench-${run}-${index}`, count, fleet);
    }),
  );
  // As the server would do by itself a minute later, in the middle of what is measured.
  for (const table of ['tenants', 'devices', 'device_credentials', 'device_sensors'])
    await database.query(`vacuum analyze ${table}`);
  return made;
}

async function provisionTenant(
  database: Pool,
  secretKey: string,
  slug: string,
  count: number,
  { templates, intervalSeconds }: BenchFleet,
): Promise<BenchTenant> {
  const apiKey = createApiKey(deriveKey(secretKey, 'api-key'));
  const tokenKey = deriveKey(secretKey, 'device-token');
  const devices = Array.from({ length: count }, (_, index) => {
    const key = `meter-${index}`;
    return { tenant: slug, key, username: `${slug}/${key}`, password: createDeviceSecret() };
  });
  const { rows } = await database.query<{ id: number }>(
    'insert into tenants (slug, name) values ($1, $1) returning id',
    [slug],
  );
  const tenantId = rows[0]?.id ?? 0;
  await database.query(
    `insert into api_keys (tenant_id, prefix, secret_hash, name, role) values ($1, $2, $3, 'Bench', 'VIEWER')`,
    [tenantId, apiKey.prefix, apiKey.hash],
  );
  await database.query(
    `with made as (
       insert into devices (tenant_id, key, name, expected_interval_seconds)
       select $1, key, key, coalesce($5, 60) from unnest($2::text[]) key returning id, key
     )
     insert into device_credentials (tenant_id, device_id, kind, secret_hash, hint)
     select $1, made.id, 'TOKEN', w.hash, w.hint
     from unnest($2::text[], $3::bytea[], $4::text[]) as w (key, hash, hint) join made using (key)`,
    [
      tenantId,
      devices.map((device) => device.key),
      devices.map((device) => hashDeviceSecret(tokenKey, device.password)),
      devices.map((device) => hintOf(device.password)),
      intervalSeconds,
    ],
  );
  if (templates) await giveTemplates(database, tenantId);
  return { slug, apiKey: apiKey.token, devices };
}
