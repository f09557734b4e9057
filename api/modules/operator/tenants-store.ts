import { all, type Sql, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import type { TenantStatus } from '#core/fleet/tenants.ts';
import { requireOperator } from './access.ts';

/** A tenant as operators see it. */
export interface OperatedTenantRow {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly status: TenantStatus;
  readonly retentionDays: number;
  readonly createdAt: Date;
  readonly deleteAfter: Date | null;
  readonly purgeStartedAt: Date | null;
}

export interface TenantFilter {
  readonly search?: string | null | undefined;
  readonly statuses?: readonly TenantStatus[] | null | undefined;
}

const COLUMNS = sql`t.id, t.slug, t.name, t.status, t.retention_days as "retentionDays", t.created_at as "createdAt",
  t.delete_after as "deleteAfter", t.purge_started_at as "purgeStartedAt"`;
const BY_SLUG: Keyset = {
  name: 'operator/tenants',
  columns: [
    { expression: sql`t.slug`, type: 'text' },
    { expression: sql`t.id`, type: 'int' },
  ],
  descending: false,
};

/** In the order of their slugs. */
export async function readTenants(
  operation: Operation,
  args: PageArgs,
  filter: TenantFilter,
): Promise<Page<OperatedTenantRow>> {
  const page = planPage(args, BY_SLUG);
  const rows = await requireOperator(operation).rows<OperatedTenantRow>(
    operation,
    sql`select ${COLUMNS} from tenants t where ${conditions(filter)} and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [row.slug, String(row.id)]);
}

export async function countTenants(operation: Operation, filter: TenantFilter): Promise<number> {
  const [row] = await requireOperator(operation).rows<{ count: number }>(
    operation,
    sql`select count(*)::int as count from tenants t where ${conditions(filter)}`,
  );
  return row?.count ?? 0;
}

export async function readTenantBySlug(
  operation: Operation,
  slug: string,
): Promise<OperatedTenantRow | undefined> {
  const [row] = await requireOperator(operation).rows<OperatedTenantRow>(
    operation,
    sql`select ${COLUMNS} from tenants t where t.slug = ${slug}`,
  );
  return row;
}

/** By id, whoever they are. */
export const loadOperatedTenant = defineLoader<number, OperatedTenantRow | undefined>(
  async (operation, ids) => {
    const rows = await requireOperator(operation).rows<OperatedTenantRow>(
      operation,
      sql`select ${COLUMNS} from tenants t where t.id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

export interface DeviceCounts {
  readonly devices: number;
  readonly online: number;
}

/** Devices that are in service or disabled, and how many of them are connected. */
export const loadDeviceCounts = defineLoader<number, DeviceCounts>(
  async (operation, ids) => {
    const rows = await requireOperator(operation).rows<DeviceCounts & { tenantId: number }>(
      operation,
      sql`select d.tenant_id as "tenantId", count(*)::int as devices,
            (count(*) filter (where p.connection = 'ONLINE'))::int as online
          from devices d left join device_presence p on p.device_id = d.id
          where d.tenant_id = any(${ids}::int[]) and d.status <> 'DECOMMISSIONED' group by 1`,
    );
    return new Map(rows.map((row) => [row.tenantId, row]));
  },
  () => ({ devices: 0, online: 0 }),
);

/** The time of the newest reading. */
export const loadLastReading = defineLoader<number, Date | null>(
  async (operation, ids) => {
    const rows = await requireOperator(operation).rows<{ tenantId: number; at: Date }>(
      operation,
      sql`select tenant_id as "tenantId", max(newest_ts) as at from device_latest
          where tenant_id = any(${ids}::int[]) group by 1`,
    );
    return new Map(rows.map((row) => [row.tenantId, row.at]));
  },
  () => null,
);

export interface Traffic {
  readonly accepted: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly deadLettered: number;
}

export interface TrafficOf {
  readonly today: Traffic;
  readonly total: Traffic;
}

interface TrafficRow extends Traffic {
  readonly tenantId: number;
  readonly isTotal: boolean;
}

const SUMS = sql`sum(accepted)::float8 as accepted, sum(stored)::float8 as stored, sum(duplicate)::float8 as duplicate,
  sum(quarantined)::float8 as quarantined, sum(dead_lettered)::float8 as "deadLettered"`;
const NOTHING: Traffic = { accepted: 0, stored: 0, duplicate: 0, quarantined: 0, deadLettered: 0 };

/** What became of the readings of the UTC day, and of all there ever were. */
export const loadTraffic = defineLoader<number, TrafficOf>(
  async (operation, ids) => {
    const rows = await requireOperator(operation).rows<TrafficRow>(
      operation,
      sql`select tenant_id as "tenantId", true as "isTotal", ${SUMS} from ingest_days
            where tenant_id = any(${ids}::int[]) group by tenant_id
          union all select tenant_id, false, ${SUMS} from ingest_days
            where tenant_id = any(${ids}::int[]) and day = (now() at time zone 'UTC')::date group by tenant_id`,
    );
    const of = (id: number, isTotal: boolean) =>
      rows.find((row) => row.tenantId === id && row.isTotal === isTotal) ?? NOTHING;
    return new Map(ids.map((id) => [id, { today: of(id, false), total: of(id, true) }]));
  },
  () => ({ today: NOTHING, total: NOTHING }),
);

function conditions({ search, statuses }: TenantFilter): Sql {
  return all([
    ...(search ? [sql`(t.slug ilike ${containing(search)} or t.name ilike ${containing(search)})`] : []),
    ...(statuses ? [sql`t.status = any(${statuses}::tenant_status[])`] : []),
  ]);
}

export const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;
