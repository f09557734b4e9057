import type { Queryable } from './pool.ts';

interface AuthorityRow {
  readonly certificate: Uint8Array;
  readonly privateKey: Uint8Array;
}

interface GenerationRow extends AuthorityRow {
  readonly generation: number;
}

interface NewAuthorityRow extends AuthorityRow {
  readonly notAfter: Date;
}

/** Sends one statement with `$1` … values and returns its rows. */
export type Ask = <Row extends object>(statement: string, values: readonly unknown[]) => Promise<Row[]>;

/** The newest generation counts. Adding one that there is keeps what came first. */
export function createAuthorityStore(ask: Ask) {
  const one = async <Row extends AuthorityRow>(
    statement: string,
    ...values: unknown[]
  ): Promise<Row | undefined> => {
    const [row] = await ask<Row>(statement, values);
    return row;
  };
  return {
    findRoot: () =>
      one<AuthorityRow>(
        'select certificate, private_key as "privateKey" from platform_authorities order by generation desc limit 1',
      ),
    findTenant: (tenantId: number) =>
      one<GenerationRow>(
        `select generation, certificate, private_key as "privateKey" from certificate_authorities
         where tenant_id = $1 order by generation desc limit 1`,
        tenantId,
      ),
    async addRoot({ certificate, privateKey, notAfter }: NewAuthorityRow) {
      await ask(
        `insert into platform_authorities (generation, certificate, private_key, not_after) values (1, $1, $2, $3)
         on conflict do nothing`,
        [certificate, privateKey, notAfter],
      );
    },
    async addTenant(
      tenantId: number,
      generation: number,
      { certificate, privateKey, notAfter }: NewAuthorityRow,
    ) {
      await ask(
        `insert into certificate_authorities (tenant_id, generation, certificate, private_key, not_after)
         values ($1, $2, $3, $4, $5) on conflict do nothing`,
        [tenantId, generation, certificate, privateKey, notAfter],
      );
    },
  };
}

/** The certificates of tenants' authorities, DER: one list a slug, in the same order; empty where there is none. */
export async function findAuthorityCertificates(
  database: Queryable,
  tenants: readonly string[],
): Promise<Uint8Array[][]> {
  const { rows } = await database.query<{ slug: string; certificate: Buffer }>({
    name: 'find-authority-certificates',
    text: `select t.slug, a.certificate from certificate_authorities a join tenants t on t.id = a.tenant_id
           where t.slug = any($1::text[])`,
    values: [tenants],
  });
  const found = Map.groupBy(rows, (row) => row.slug);
  return tenants.map((slug) => (found.get(slug) ?? []).map((row) => row.certificate));
}
