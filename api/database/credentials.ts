import type { Pool } from 'pg';
import type { Role } from '#core/auth/permissions.ts';
import type { ApiKeyRecord, TenantRecord } from '#core/auth/viewer.ts';
import { translateFailure } from './failures.ts';

/** The tenant with this slug, whoever asks: nothing is known about the asker yet. */
export async function findTenant(pool: Pool, slug: string): Promise<TenantRecord | undefined> {
  const { rows } = await pool
    .query<TenantRecord>('select id, slug, status from find_tenant($1)', [slug.replaceAll('\0', '')])
    .catch(rethrow);
  return rows[0];
}

interface KeyRow {
  id: number;
  tenant_id: number;
  tenant_slug: string;
  tenant_status: TenantRecord['status'];
  secret_hash: Buffer;
  previous_secret_hash: Buffer | null;
  previous_expires_at: Date | null;
  name: string;
  role: Role;
  expires_at: Date | null;
  revoked_at: Date | null;
}

/** The API key with this prefix, good or not. */
export async function findApiKey(pool: Pool, prefix: string): Promise<ApiKeyRecord | undefined> {
  const { rows } = await pool.query<KeyRow>('select * from find_api_key($1)', [prefix]).catch(rethrow);
  const [row] = rows;
  return (
    row && {
      id: row.id,
      tenant: { id: row.tenant_id, slug: row.tenant_slug, status: row.tenant_status },
      secretHash: row.secret_hash,
      previous:
        row.previous_secret_hash && row.previous_expires_at
          ? { secretHash: row.previous_secret_hash, expiresAt: row.previous_expires_at }
          : null,
      name: row.name,
      role: row.role,
      expiresAt: row.expires_at,
      revokedAt: row.revoked_at,
    }
  );
}

/** Notes that a key was used. One noted less than a minute ago is left alone. */
export async function touchApiKey(pool: Pool, key: Pick<ApiKeyRecord, 'id' | 'tenant'>): Promise<void> {
  const [id, tenant] = [Math.trunc(key.id), Math.trunc(key.tenant.id)];
  // Both statements in one message are one transaction: the tenant does not outlive it.
  await pool.query(`select set_config('app.tenant_id', '${tenant}', true);
    update api_keys set last_used_at = now()
    where id = ${id} and (last_used_at is null or last_used_at < now() - interval '1 minute')`);
}

function rethrow(error: unknown): never {
  throw translateFailure(error);
}
