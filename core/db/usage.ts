import type { TenantId } from '../fleet/ids.ts';
import type { Queryable } from './pool.ts';

/** What is written down as the limits of each tenant, in the same order; undefined for a tenant that is unknown. */
export async function findTenantLimits(database: Queryable, tenants: readonly string[]): Promise<unknown[]> {
  const { rows } = await database.query<{ slug: string; limits: unknown }>({
    name: 'find-tenant-limits',
    text: 'select slug, limits from find_tenant_limits($1)',
    values: [tenants],
  });
  const found = new Map(rows.map((row) => [row.slug, row.limits]));
  return tenants.map((tenant) => found.get(tenant));
}

/** What a tenant sent in a minute. */
export interface TenantUsage {
  readonly tenantId: TenantId;
  readonly minute: number;
  readonly messages: number;
  readonly bytes: number;
  readonly throttled: number;
  readonly refused: number;
}

/**
 * Adds what one process counted. A report that comes again, by source and sequence, adds nothing; sequences of a source
 * rise. A tenant may occur once a minute.
 */
export async function addUsage(
  database: Queryable,
  source: string,
  sequence: number,
  usage: readonly TenantUsage[],
): Promise<void> {
  await database.query({
    name: 'add-usage',
    text: 'select add_usage($1, $2, $3, $4, $5, $6, $7, $8)',
    values: [
      source,
      sequence,
      usage.map((row) => row.tenantId),
      usage.map((row) => new Date(row.minute)),
      usage.map((row) => row.messages),
      usage.map((row) => row.bytes),
      usage.map((row) => row.throttled),
      usage.map((row) => row.refused),
    ],
  });
}

/** Usage is shown minute by minute, for at most a day. */
const USAGE_DAYS = 2;

/** Forgets minutes that nobody is shown any more, and reporters that are gone for as long; returns how many rows. */
export async function deleteExpiredUsage(database: Queryable): Promise<number> {
  const minutes = await database.query(
    `delete from tenant_usage where minute < now() - $1 * interval '1 day'`,
    [USAGE_DAYS],
  );
  const sources = await database.query(
    `delete from usage_sources where reported_at < now() - $1 * interval '1 day'`,
    [USAGE_DAYS],
  );
  return (minutes.rowCount ?? 0) + (sources.rowCount ?? 0);
}
