import type { ReadScope } from '#api/database/read-scope.ts';
import { type Sql, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import { DEVICES } from '#core/db/device-filter.ts';
import { loadPresence, type PresenceRow } from '../presence/service.ts';

export type DeviceStatus = 'ACTIVE' | 'DISABLED' | 'DECOMMISSIONED';

export interface DeviceRow {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly status: DeviceStatus;
  readonly siteId: number | null;
  readonly tags: readonly string[];
  readonly attributes: unknown;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly serialNumber: string | null;
  readonly model: string | null;
  readonly firmware: string | null;
  readonly expectedIntervalSeconds: number;
  readonly templateId: number | null;
  readonly templateVersion: number | null;
  readonly parentId: number | null;
  /** As it is stored. */
  readonly metricMap: unknown;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly decommissionedAt: Date | null;
}

/** A device in a live event: what the event itself says; the rest is looked up when it is asked for. */
export interface DeviceStub {
  readonly id: number;
  readonly key: string;
}

export type DeviceNode = DeviceRow | DeviceStub;

export type DeviceOrderField = 'KEY' | 'NAME' | 'CREATED_AT' | 'LAST_SEEN_AT';

export interface DeviceOrder {
  readonly field: DeviceOrderField;
  readonly direction: 'ASC' | 'DESC';
}

const COLUMNS = sql`d.id, d.key, d.name, d.status, d.site_id as "siteId", d.tags, d.attributes, d.latitude, d.longitude,
  d.serial_number as "serialNumber", d.model, d.firmware, d.expected_interval_seconds as "expectedIntervalSeconds",
  d.template_id as "templateId", d.template_version as "templateVersion", d.parent_id as "parentId", d.metric_map as "metricMap",
  d.version, d.created_at as "createdAt", d.updated_at as "updatedAt", d.decommissioned_at as "decommissionedAt"`;

export async function readDevices(scope: ReadScope, ids: readonly number[]): Promise<DeviceRow[]> {
  return scope.rows<DeviceRow>(sql`select ${COLUMNS} from devices d where d.id = any(${ids}::int[])`);
}

/** Undefined where there is no such device in the tenant. A subscription asks the device cache. */
export const loadDevice = defineLoader<number, DeviceRow | undefined>(
  async (operation, ids) => {
    if (operation.isLive()) return operation.platform.devices.read(operation, ids);
    const rows = await readDevices(operation.read, ids);
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

export async function readDeviceByKey(operation: Operation, key: string): Promise<DeviceRow | undefined> {
  const [row] = await operation.read.rows<DeviceRow>(
    sql`select ${COLUMNS} from devices d where d.key = ${key}`,
  );
  return row;
}

interface Sorting {
  readonly column: Sql;
  readonly id: Sql;
  readonly type: 'text' | 'timestamptz';
  /** Which of the devices are sorted so; all of them by default. */
  readonly only?: Sql;
}

const ORDER: Readonly<Record<Exclude<DeviceOrderField, 'LAST_SEEN_AT'>, Sorting>> = {
  KEY: { column: sql`d.key`, id: sql`d.id`, type: 'text' },
  NAME: { column: sql`d.name`, id: sql`d.id`, type: 'text' },
  CREATED_AT: { column: sql`d.created_at`, id: sql`d.id`, type: 'timestamptz' },
};

/** Never seen sorts before everything. In two parts, of which an index gives the first rows: no index has what is not there. */
const SEEN: Sorting = {
  ...{ column: sql`p.last_seen_at`, id: sql`p.device_id`, type: 'timestamptz' },
  only: sql`p.last_seen_at is not null`,
};
const NEVER_SEEN: Sorting = {
  ...{ column: sql`'-infinity'::timestamptz`, id: sql`d.id`, type: 'timestamptz' },
  // Not `p.last_seen_at is null`: of how many devices that holds PostgreSQL cannot tell, and would go through all of them.
  only: sql`not exists (select from tenant_presence s
    where s.tenant_id = d.tenant_id and s.device_id = d.id and s.last_seen_at is not null)`,
};

/** One after the other, in the order in which the rows of the page come. */
function sortingsOf({ field, direction }: DeviceOrder, { last }: PageArgs): readonly Sorting[] {
  if (field !== 'LAST_SEEN_AT') return [ORDER[field]];
  const ascending = (direction === 'ASC') === (last == null);
  return ascending ? [NEVER_SEEN, SEEN] : [SEEN, NEVER_SEEN];
}

interface ListedRow extends DeviceRow, Omit<PresenceRow, 'deviceId'> {}

/** One page of the devices that meet a condition on DEVICES; their presence comes along in the same query. */
export async function listDeviceRows(
  operation: Operation,
  args: PageArgs,
  condition: Sql,
  order: DeviceOrder,
): Promise<Page<DeviceRow>> {
  const plans = sortingsOf(order, args).map(({ column, id, type, only }) => ({
    only: only ?? sql`true`,
    page: planPage(args, {
      name: `devices/${order.field}`,
      columns: [
        { expression: column, type },
        { expression: id, type: 'int' },
      ],
      descending: order.direction === 'DESC',
    }),
  }));
  const rows: ListedRow[] = [];
  for (const { only, page } of plans) {
    if (rows.length > page.size) break;
    const found = await operation.read.rows<ListedRow>(
      sql`select ${COLUMNS}, coalesce(p.connection, 'UNKNOWN') as connection, coalesce(p.freshness, 'SILENT') as freshness,
            p.last_seen_at as "lastSeenAt", p.connection_changed_at as "connectionChangedAt",
            coalesce(p.missing_metrics, '{}') as "missingMetrics"
          from ${DEVICES} where ${condition} and ${only} and ${page.condition} order by ${page.orderBy} limit ${page.limit}`,
    );
    rows.push(...found);
  }
  const [plan] = plans;
  if (!plan) throw new Error('devices are sorted in one way at least');
  const listed = rows.slice(0, plan.page.size + 1);
  for (const row of listed) loadPresence.prime(operation, row.id, { ...row, deviceId: row.id });
  return plan.page.toPage(listed, (row) => [orderKey(row, order.field), String(row.id)]);
}

function orderKey(row: ListedRow, field: DeviceOrderField): string {
  switch (field) {
    case 'KEY':
      return row.key;
    case 'NAME':
      return row.name;
    case 'CREATED_AT':
      return row.createdAt.toISOString();
    case 'LAST_SEEN_AT':
      return row.lastSeenAt?.toISOString() ?? '-infinity';
  }
}
