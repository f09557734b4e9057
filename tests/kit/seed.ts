import type { Pool } from 'pg';
import { createApiKey } from '#core/auth/api-keys.ts';
import { createDeviceSecret, hashDeviceSecret, hintOf } from '#core/auth/device-credentials.ts';
import { deriveKey } from '#core/auth/keys.ts';

/** The deployment secret of every test platform. */
export const TEST_SECRET = '01'.repeat(32);

export interface SeededDevice {
  readonly id: number;
  readonly tenant: string;
  readonly key: string;
  readonly username: string;
  readonly password: string;
}

export interface TenantSeed {
  readonly id: number;
  readonly slug: string;
  /** A device with a live token. */
  device(
    key: string,
    options?: { readonly site?: string; readonly intervalSeconds?: number },
  ): Promise<SeededDevice>;
  /** Many devices with one query; keys are `{prefix}-0` and on. */
  devices(count: number, prefix?: string): Promise<SeededDevice[]>;
  site(key: string): Promise<number>;
  /** A new API key, as presented. Default role ADMIN. */
  apiKey(role?: 'VIEWER' | 'OPERATOR' | 'ENGINEER' | 'ADMIN'): Promise<string>;
}

/** A tenant and, fluently, what it owns. `admin` must be allowed to write everything. */
export async function seedTenant(admin: Pool, slug: string, retentionDays = 400): Promise<TenantSeed> {
  const tenant = await admin.query<{ id: number }>(
    'insert into tenants (slug, name, retention_days) values ($1, $1, $2) returning id',
    [slug, retentionDays],
  );
  const id = tenant.rows[0]?.id ?? 0;
  const tokenKey = deriveKey(TEST_SECRET, 'device-token');

  const insert = async (
    keys: readonly string[],
    siteId: number | null,
    intervalSeconds: number,
  ): Promise<SeededDevice[]> => {
    const secrets = keys.map(() => createDeviceSecret());
    const made = await admin.query<{ id: number; key: string }>(
      `insert into devices (tenant_id, key, name, site_id, expected_interval_seconds)
       select $1, key, key, $3, $4 from unnest($2::text[]) key returning id, key`,
      [id, keys, siteId, intervalSeconds],
    );
    const ids = new Map(made.rows.map((row) => [row.key, row.id]));
    await admin.query(
      `insert into device_credentials (tenant_id, device_id, kind, secret_hash, hint)
       select $1, w.device_id, 'TOKEN', w.hash, w.hint from unnest($2::int[], $3::bytea[], $4::text[]) as w (device_id, hash, hint)`,
      [
        id,
        keys.map((key) => ids.get(key)),
        secrets.map((secret) => hashDeviceSecret(tokenKey, secret)),
        secrets.map(hintOf),
      ],
    );
    return keys.map((key, index) => ({
      id: ids.get(key) ?? 0,
      tenant: slug,
      key,
      username: `${slug}/${key}`,
      password: secrets[index] ?? '',
    }));
  };

  return {
    id,
    slug,
    async site(key) {
      const site = await admin.query<{ id: number }>(
        'insert into sites (tenant_id, key, name) values ($1, $2, $2) returning id',
        [id, key],
      );
      return site.rows[0]?.id ?? 0;
    },
    async device(key, options = {}) {
      const site = options.site
        ? await admin.query<{ id: number }>('select id from sites where tenant_id = $1 and key = $2', [
            id,
            options.site,
          ])
        : undefined;
      const [device] = await insert([key], site?.rows[0]?.id ?? null, options.intervalSeconds ?? 60);
      if (!device) throw new Error('the device was not made');
      return device;
    },
    async apiKey(role = 'ADMIN') {
      const key = createApiKey(deriveKey(TEST_SECRET, 'api-key'));
      await admin.query(
        'insert into api_keys (tenant_id, prefix, secret_hash, name, role) values ($1, $2, $3, $4, $5)',
        [id, key.prefix, key.hash, `test ${role}`, role],
      );
      return key.token;
    },
    devices: (count, prefix = 'device') =>
      insert(
        Array.from({ length: count }, (_, index) => `${prefix}-${index}`),
        null,
        60,
      ),
  };
}
