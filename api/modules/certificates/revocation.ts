import type { Pool } from 'pg';
import { findTenant } from '#api/database/credentials.ts';
import { type ReadScope, withReadScope } from '#api/database/read-scope.ts';
import { sql } from '#api/database/sql.ts';
import { createRevocationList, type RevokedCertificate } from '#core/auth/revocation-list.ts';
import type { SecretBox } from '#core/auth/secrets.ts';
import { readTenantAuthority } from './authorities.ts';

export interface RevocationDeps {
  readonly pool: Pool;
  readonly secretBox: SecretBox;
  readonly timeoutMs: number;
}

/** The tenant's list as of now, DER; undefined where there is no such tenant, or it never had a certificate. */
export async function makeRevocationList(deps: RevocationDeps, slug: string): Promise<Buffer | undefined> {
  const tenant = await findTenant(deps.pool, slug);
  if (!tenant) return undefined;
  const scope = { pool: deps.pool, tenantId: tenant.id, deadline: Date.now() + deps.timeoutMs };
  const found = await withReadScope(scope, async (read) => ({
    authority: await readTenantAuthority(read, deps.secretBox, tenant.id),
    revoked: await readRevoked(read),
  }));
  return found.authority && createRevocationList(found.authority, found.revoked);
}

/** One that has expired needs no entry. */
const readRevoked = (read: ReadScope): Promise<RevokedCertificate[]> =>
  read.rows<{ serial: string; revokedAt: Date; reason: RevokedCertificate['reason'] }>(
    sql`select serial, revoked_at as "revokedAt", revocation_reason as reason from device_credentials
        where kind = 'CERTIFICATE' and revoked_at is not null and expires_at > now() order by revoked_at, id`,
  );
