import type { ReadScope } from '#api/database/read-scope.ts';
import { sql } from '#api/database/sql.ts';
import type { WriteScope } from '#api/database/writes.ts';
import {
  ensureRoot,
  ensureTenantAuthority,
  openTenantAuthority,
  type StoredAuthority,
} from '#core/auth/authorities.ts';
import type { KeyedCertificate } from '#core/auth/certificates.ts';
import type { SecretBox } from '#core/auth/secrets.ts';
import { createAuthorityStore } from '#core/db/authorities.ts';

/** What certificates of a tenant are made with. */
export interface Authorities {
  readonly tenant: KeyedCertificate;
  /** The certificate of the platform's root, DER. */
  readonly root: Uint8Array;
}

/** Made by whoever needs them first, in its transaction. */
export async function ensureAuthorities(scope: WriteScope, box: SecretBox): Promise<Authorities> {
  const store = createAuthorityStore((statement, values) =>
    scope.prisma.$queryRawUnsafe(statement, ...values),
  );
  const root = await ensureRoot(store, box);
  return { tenant: await ensureTenantAuthority(store, box, scope), root: root.certificate };
}

/** Undefined as long as the tenant has had no certificate. The scope is the tenant's. */
export async function readTenantAuthority(
  read: ReadScope,
  box: SecretBox,
  tenantId: number,
): Promise<KeyedCertificate | undefined> {
  const [stored] = await read.rows<{ [Key in keyof StoredAuthority]: StoredAuthority[Key] }>(
    sql`select certificate, private_key as "privateKey" from certificate_authorities
        order by generation desc limit 1`,
  );
  return stored && openTenantAuthority(box, tenantId, stored);
}
