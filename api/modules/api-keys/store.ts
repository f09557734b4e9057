import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import type { Role } from '#core/auth/permissions.ts';

export interface ApiKeyRow {
  readonly id: number;
  readonly name: string;
  readonly prefix: string;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
  readonly previousExpiresAt: Date | null;
}

/** Never a hash of a secret. */
const COLUMNS = sql`k.id, k.name, 'fgk_' || k.prefix as prefix, k.role, k.scopes, k.created_at as "createdAt", k.expires_at as "expiresAt",
  k.last_used_at as "lastUsedAt", k.revoked_at as "revokedAt",
  case when k.previous_expires_at > now() then k.previous_expires_at end as "previousExpiresAt"`;
const NEWEST: Keyset = {
  name: 'apiKeys/newest',
  columns: [{ expression: sql`k.id`, type: 'int' }],
  descending: true,
};

export const loadApiKey = defineLoader<number, ApiKeyRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<ApiKeyRow>(
      sql`select ${COLUMNS} from api_keys k where k.id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

/** Newest first, the revoked and expired ones too. */
export async function readApiKeys(operation: Operation, args: PageArgs): Promise<Page<ApiKeyRow>> {
  const page = planPage(args, NEWEST);
  const rows = await operation.read.rows<ApiKeyRow>(
    sql`select ${COLUMNS} from api_keys k where ${page.condition} order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (key) => [String(key.id)]);
}

export async function countApiKeys(operation: Operation): Promise<number> {
  const [row] = await operation.read.rows<{ count: number }>(
    sql`select count(*)::int as count from api_keys`,
  );
  return row?.count ?? 0;
}
