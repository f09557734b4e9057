import { all, type Sql, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import { requireOperator } from './access.ts';
import { containing } from './tenants-store.ts';

/** A device of whichever tenant. */
export interface OperatedDeviceRow {
  readonly id: number;
  readonly tenantId: number;
  readonly key: string;
  readonly name: string;
  readonly status: 'ACTIVE' | 'DISABLED' | 'DECOMMISSIONED';
  readonly connection: 'ONLINE' | 'OFFLINE' | 'UNKNOWN';
  readonly lastSeenAt: Date | null;
}

/** A message that nobody could handle. */
export interface DeadLetterRow {
  readonly id: string;
  readonly tenantId: number | null;
  readonly stream: string;
  readonly sequence: number;
  readonly itemIndex: number;
  readonly reason: string;
  readonly payloadBytes: number;
  readonly createdAt: Date;
}

const BY_KEY: Keyset = {
  name: 'operator/devices',
  columns: [
    { expression: sql`d.key`, type: 'text' },
    { expression: sql`d.id`, type: 'int' },
  ],
  descending: false,
};
const NEWEST: Keyset = {
  name: 'operator/deadLetters',
  columns: [{ expression: sql`l.id`, type: 'bigint' }],
  descending: true,
};

/** Devices whose key, name or serial number holds the text, in the order of their keys. */
export async function searchDevices(
  operation: Operation,
  args: PageArgs,
  { search, tenantId }: { readonly search: string; readonly tenantId: number | undefined },
): Promise<Page<OperatedDeviceRow>> {
  const page = planPage(args, BY_KEY);
  const found = sql`(d.key || ' ' || d.name || ' ' || coalesce(d.serial_number, '')) ilike ${containing(search)}`;
  const rows = await requireOperator(operation).rows<OperatedDeviceRow>(
    operation,
    sql`select d.id, d.tenant_id as "tenantId", d.key, d.name, d.status, coalesce(p.connection, 'UNKNOWN') as connection,
          p.last_seen_at as "lastSeenAt"
        from devices d left join device_presence p on p.device_id = d.id
        where ${all([found, ...ofTenant(sql`d.tenant_id`, tenantId)])} and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [row.key, String(row.id)]);
}

/** Newest first. */
export async function readDeadLetters(
  operation: Operation,
  args: PageArgs,
  filter: { readonly stream: string | undefined; readonly tenantId: number | undefined },
): Promise<Page<DeadLetterRow>> {
  const page = planPage(args, NEWEST);
  const limits = [
    ...(filter.stream === undefined ? [] : [sql`l.stream = ${filter.stream}`]),
    ...ofTenant(sql`l.tenant_id`, filter.tenantId),
  ];
  const rows = await requireOperator(operation).rows<DeadLetterRow>(
    operation,
    sql`select l.id::text as id, l.tenant_id as "tenantId", l.stream, l.stream_sequence::float8 as sequence,
          l.item_index as "itemIndex", l.reason, octet_length(l.payload) as "payloadBytes", l.created_at as "createdAt"
        from dead_letters l where ${all(limits)} and ${page.condition} order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [row.id]);
}

const ofTenant = (column: Sql, tenantId: number | undefined): Sql[] =>
  tenantId === undefined ? [] : [sql`${column} = ${tenantId}`];
