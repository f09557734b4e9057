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

/**
 * The list of one of a tenant's authorities as of now, DER: of the certificates that it signed. Undefined where there is
 * no such tenant or authority.
 */
export async function makeRevocationList(
  deps: RevocationDeps,
  slug: string,
  generation: number,
): Promise<Buffer | undefined> {
  const tenant = await findTenant(deps.pool, slug);
  if (!tenant) return undefined;
  const scope = { pool: deps.pool, tenantId: tenant.id, deadline: Date.now() + deps.timeoutMs };
  const found = await withReadScope(scope, async (read) => ({
    authority: await readTenantAuthority(read, deps.secretBox, tenant.id, generation),
    revoked: await readRevoked(read, generation),
  }));
  return found.authority && createRevocationList(found.authority, found.revoked);
}

/** One that has expired needs no entry; one that was retired has been superseded. */
const readRevoked = (read: ReadScope, generation: number): Promise<RevokedCertificate[]> =>
  read.rows<{ serial: string; revokedAt: Date; reason: RevokedCertificate['reason'] }>(
    sql`select serial, coalesce(revoked_at, retires_at) as "revokedAt",
          case when revoked_at is null then 'SUPERSEDED' else revocation_reason end as reason
        from device_credentials
        where kind = 'CERTIFICATE' and authority_generation = ${generation} and expires_at > now()
          and (revoked_at is not null or retires_at <= now())
        order by 2, id`,
  );
