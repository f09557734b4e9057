import type { ReadScope } from '#api/database/read-scope.ts';
import { sql } from '#api/database/sql.ts';

/** What a tenant sent from a moment on. */
export interface UsageRow {
  readonly from: Date;
  readonly messages: number;
  readonly bytes: number;
  readonly throttled: number;
  readonly refused: number;
}

/** Every minute in which the tenant sent something, from a moment on, in order. */
export async function readMinutes(scope: ReadScope, since: Date): Promise<UsageRow[]> {
  return scope.rows<UsageRow & Record<string, unknown>>(
    sql`select minute as "from", messages::float8 as messages, bytes::float8 as bytes, throttled::float8 as throttled,
      refused::float8 as refused from tenant_usage where minute >= ${since} order by minute`,
  );
}

/** What is written down as the tenant's limits. */
export async function readLimits(scope: ReadScope): Promise<unknown> {
  const rows = await scope.rows<{ limits: unknown }>(sql`select limits from tenants`);
  return rows[0]?.limits;
}
