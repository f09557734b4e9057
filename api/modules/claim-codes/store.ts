import type { Pool } from 'pg';
import { translateFailure } from '#api/database/failures.ts';
import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';

export interface ClaimCodeRow {
  readonly id: number;
  readonly hint: string;
  readonly deviceId: number | null;
  readonly deviceKey: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly claimedAt: Date | null;
  readonly credentialId: number | null;
  readonly revokedAt: Date | null;
}

/** Never the hash of a code. */
const COLUMNS = sql`c.id, c.hint, c.device_id as "deviceId", c.device_key as "deviceKey", c.created_at as "createdAt",
  c.expires_at as "expiresAt", c.claimed_at as "claimedAt", c.credential_id as "credentialId", c.revoked_at as "revokedAt"`;
const NEWEST: Keyset = {
  name: 'claimCodes/newest',
  columns: [{ expression: sql`c.id`, type: 'int' }],
  descending: true,
};

export const loadClaimCode = defineLoader<number, ClaimCodeRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<ClaimCodeRow>(
      sql`select ${COLUMNS} from claim_codes c where c.id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

/** Every code that was made for a device, or that made it, newest first. */
export const loadClaimCodesOf = defineLoader<number, readonly ClaimCodeRow[]>(
  async (operation, deviceIds) => {
    const rows = await operation.read.rows<ClaimCodeRow & { readonly deviceId: number }>(
      sql`select ${COLUMNS} from claim_codes c where c.device_id = any(${deviceIds}::int[]) order by c.id desc`,
    );
    return Map.groupBy(rows, (row) => row.deviceId);
  },
  () => [],
);

/** Newest first, the claimed, revoked and expired ones too. */
export async function readClaimCodes(operation: Operation, args: PageArgs): Promise<Page<ClaimCodeRow>> {
  const page = planPage(args, NEWEST);
  const rows = await operation.read.rows<ClaimCodeRow>(
    sql`select ${COLUMNS} from claim_codes c where ${page.condition} order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (code) => [String(code.id)]);
}

export async function countClaimCodes(operation: Operation): Promise<number> {
  const [row] = await operation.read.rows<{ count: number }>(
    sql`select count(*)::int as count from claim_codes`,
  );
  return row?.count ?? 0;
}

/** Whose code somebody has. */
export interface FoundClaimCode {
  readonly id: number;
  readonly tenantId: number;
  readonly tenantSlug: string;
  readonly tenantActive: boolean;
}

/** The code with this hash, good or not, whoever asks: nothing is known about the asker yet. */
export async function findClaimCode(pool: Pool, hash: Buffer): Promise<FoundClaimCode | undefined> {
  const { rows } = await pool
    .query<FoundClaimCode>(
      `select id, tenant_id as "tenantId", tenant_slug as "tenantSlug", tenant_active as "tenantActive"
       from find_claim_code($1)`,
      [hash],
    )
    .catch((error: unknown) => {
      throw translateFailure(error);
    });
  return rows[0];
}
