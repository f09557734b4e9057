import { type Sql, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import { CREDENTIAL_COLUMNS, type CredentialRow } from '../devices/service.ts';

/** `GOOD` ones are those that let a device in, `EXPIRING` those of them that end within 30 days. */
export type CertificateState = 'GOOD' | 'EXPIRING' | 'REVOKED' | 'EXPIRED';

export interface AuthorityRow {
  readonly generation: number;
  readonly certificate: Buffer;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly retiresAt: Date | null;
  readonly isCurrent: boolean;
  readonly liveCertificates: number;
}

/** The tenant's authorities, newest first. */
export const readAuthorities = (operation: Operation): Promise<AuthorityRow[]> =>
  operation.read.rows<{ [Key in keyof AuthorityRow]: AuthorityRow[Key] }>(
    sql`select a.generation, a.certificate, a.created_at as "createdAt", a.not_after as "expiresAt", a.retires_at as "retiresAt",
          a.generation = max(a.generation) over () as "isCurrent", count(c.id)::int as "liveCertificates"
        from certificate_authorities a left join device_credentials c on c.kind = 'CERTIFICATE'
          and c.authority_generation = a.generation and ${STATES.GOOD}
        group by a.tenant_id, a.generation order by a.generation desc`,
  );

/** The certificate of the platform's root, DER; undefined before anybody needed one. */
export async function readRoot(operation: Operation): Promise<Buffer | undefined> {
  const [root] = await operation.read.rows<{ certificate: Buffer }>(
    sql`select certificate from platform_authorities order by generation desc limit 1`,
  );
  return root?.certificate;
}

const END = sql`least(c.expires_at, c.retires_at)`;
const STATES: Readonly<Record<CertificateState, Sql>> = {
  GOOD: sql`c.revoked_at is null and ${END} > now()`,
  EXPIRING: sql`c.revoked_at is null and ${END} > now() and ${END} < now() + interval '30 days'`,
  REVOKED: sql`(c.revoked_at is not null or c.retires_at <= now())`,
  EXPIRED: sql`c.revoked_at is null and c.expires_at <= now() and coalesce(c.retires_at > now(), true)`,
};

/** Revoked and expired ones newest first, the others the one that ends first. */
export async function readCertificates(
  operation: Operation,
  args: PageArgs,
  state: CertificateState,
): Promise<Page<CredentialRow>> {
  const past = state === 'REVOKED' || state === 'EXPIRED';
  const at = state === 'REVOKED' ? sql`coalesce(c.revoked_at, c.retires_at)` : END;
  const keyset: Keyset = {
    name: `certificates/${state}`,
    columns: [
      { expression: at, type: 'timestamptz' },
      { expression: sql`c.id`, type: 'int' },
    ],
    descending: past,
  };
  const page = planPage(args, keyset);
  const rows = await operation.read.rows<CredentialRow & { readonly at: Date }>(
    sql`select ${CREDENTIAL_COLUMNS}, ${at} as at from device_credentials c
        where c.kind = 'CERTIFICATE' and ${STATES[state]} and ${page.condition} order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [row.at.toISOString(), String(row.id)]);
}

export async function countCertificates(operation: Operation, state: CertificateState): Promise<number> {
  const [row] = await operation.read.rows<{ count: number }>(
    sql`select count(*)::int as count from device_credentials c where c.kind = 'CERTIFICATE' and ${STATES[state]}`,
  );
  return row?.count ?? 0;
}
