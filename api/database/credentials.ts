import type { Pool } from 'pg';
import type { MembershipRecord, TenantRecord } from '#core/auth/membership.ts';
import type { Role } from '#core/auth/permissions.ts';
import type { ApiKeyRecord, Person } from '#core/auth/viewer.ts';
import { translateFailure } from './failures.ts';

/** The tenant with this slug, whoever asks: nothing is known about the asker yet. */
export async function findTenant(pool: Pool, slug: string): Promise<TenantRecord | undefined> {
  if (slug.includes('\0')) return undefined;
  const { rows } = await pool
    .query<TenantRecord>('select id, slug, status from find_tenant($1)', [slug])
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
  scopes: string[];
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
      scopes: row.scopes,
      expiresAt: row.expires_at,
      revokedAt: row.revoked_at,
    }
  );
}

interface MembershipRow {
  id: number;
  tenant_id: number;
  tenant_slug: string;
  tenant_name: string;
  tenant_status: TenantRecord['status'];
  role: Role;
  origin: MembershipRecord['origin'];
  role_source: MembershipRecord['roleSource'];
  removed: boolean;
}

/** Every tenant whose members a person is or was among, in the order of joining. */
export async function findMemberships(
  pool: Pool,
  { issuer, subject }: Pick<Person, 'issuer' | 'subject'>,
): Promise<MembershipRecord[]> {
  const { rows } = await pool
    .query<MembershipRow>('select * from find_memberships($1, $2)', [issuer, subject])
    .catch(rethrow);
  return rows.map((row) => ({
    memberId: row.id,
    tenant: { id: row.tenant_id, slug: row.tenant_slug, status: row.tenant_status },
    tenantName: row.tenant_name,
    role: row.role,
    origin: row.origin,
    roleSource: row.role_source,
    removed: row.removed,
  }));
}

/** An invitation, good or not, before anybody has come into its tenant by it. */
export interface InvitationRecord {
  readonly id: number;
  readonly tenant: TenantRecord;
  readonly tenantName: string;
  readonly email: string;
  readonly role: Role;
  readonly invitedBy: string;
  readonly expiresAt: Date;
  readonly acceptedAt: Date | null;
  readonly revokedAt: Date | null;
}

type InvitationRow = Omit<InvitationRecord, 'tenant'> & {
  tenantId: number;
  tenantSlug: string;
  tenantStatus: TenantRecord['status'];
};

/** The invitation with this hash, of whatever tenant: who holds the secret may know of it. */
export async function findInvitation(pool: Pool, secretHash: Buffer): Promise<InvitationRecord | undefined> {
  const { rows } = await pool
    .query<InvitationRow>(
      `select id, tenant_id as "tenantId", tenant_slug as "tenantSlug", tenant_name as "tenantName",
         tenant_status as "tenantStatus", email, role, invited_by as "invitedBy", expires_at as "expiresAt",
         accepted_at as "acceptedAt", revoked_at as "revokedAt" from find_invitation($1)`,
      [secretHash],
    )
    .catch(rethrow);
  const [row] = rows;
  if (!row) return undefined;
  const { tenantId, tenantSlug, tenantStatus, ...invitation } = row;
  return { ...invitation, tenant: { id: tenantId, slug: tenantSlug, status: tenantStatus } };
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
