import type { ReadScope } from '#api/database/read-scope.ts';
import { sql } from '#api/database/sql.ts';
import type { WriteScope } from '#api/database/writes.ts';
import {
  ensureRoot,
  ensureTenantAuthority,
  openTenantAuthority,
  rotateTenantAuthority,
  type StoredAuthority,
  type TenantAuthority,
} from '#core/auth/authorities.ts';
import type { KeyedCertificate } from '#core/auth/certificates.ts';
import type { SecretBox } from '#core/auth/secrets.ts';
import { createAuthorityStore } from '#core/db/authorities.ts';

/** What certificates of a tenant are made with. */
export interface Authorities {
  readonly tenant: TenantAuthority;
  /** The certificate of the platform's root, DER. */
  readonly root: Uint8Array;
}

/** Made by whoever needs them first, in its transaction. */
export async function ensureAuthorities(scope: WriteScope, box: SecretBox): Promise<Authorities> {
  const store = storeOf(scope);
  const root = await ensureRoot(store, box);
  return { tenant: await ensureTenantAuthority(store, box, scope), root: root.certificate };
}

/** The next authority of the tenant, which signs from now on. */
export const rotateAuthority = (scope: WriteScope, box: SecretBox): Promise<TenantAuthority> =>
  rotateTenantAuthority(storeOf(scope), box, scope);

const storeOf = (scope: WriteScope) =>
  createAuthorityStore((statement, values) => scope.prisma.$queryRawUnsafe(statement, ...values));

/** Where the revocation list of an authority is, below the platform's address. */
export const crlPath = (tenant: string, generation: number): string =>
  generation === 1 ? `/crl/${tenant}.crl` : `/crl/${tenant}/${generation}.crl`;

/** Undefined where the tenant has no such generation. The scope is the tenant's. */
export async function readTenantAuthority(
  read: ReadScope,
  box: SecretBox,
  tenantId: number,
  generation: number,
): Promise<KeyedCertificate | undefined> {
  const [stored] = await read.rows<{ [Key in keyof StoredAuthority]: StoredAuthority[Key] }>(
    sql`select certificate, private_key as "privateKey" from certificate_authorities
        where generation = ${generation}`,
  );
  return stored && openTenantAuthority(box, tenantId, stored);
}
