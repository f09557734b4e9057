import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import type { MeasuringFault, MetricFlags } from '#core/fleet/measuring.ts';
import type { BucketRow } from './series.ts';

/** The newest value of one metric. */
export interface LatestValue {
  readonly metric: string;
  readonly value: unknown;
  readonly at: Date;
  readonly receivedAt: Date;
  /** What is wrong with it; undefined when nothing is. */
  readonly flag: MeasuringFault | undefined;
}

/** As `device_latest.metrics` holds it: value, ts in ms, message id, received at in ms, what is wrong with it. */
export type LatestColumn = Readonly<
  Record<
    string,
    readonly [value: unknown, ts: number, id: string, receivedAt: number, flag?: MeasuringFault | undefined]
  >
>;

export interface ReadingRow {
  readonly deviceId: number;
  readonly ts: Date;
  readonly messageId: string;
  readonly receivedAt: Date;
  readonly storedAt: Date;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly metrics: unknown;
  readonly flags: MetricFlags | null;
}

/** The values of one row, sorted by metric. */
export function toLatestValues(column: LatestColumn): LatestValue[] {
  return Object.entries(column)
    .map(([metric, [value, ts, , receivedAt, flag]]) => ({
      metric,
      value,
      flag,
      at: new Date(ts),
      receivedAt: new Date(receivedAt),
    }))
    .sort((a, b) => (a.metric < b.metric ? -1 : 1));
}

/** Empty for a device that never sent anything. */
export const loadLatest = defineLoader<number, readonly LatestValue[]>(
  async (operation, deviceIds) => {
    const rows = await operation.read.rows<{ deviceId: number; metrics: LatestColumn }>(
      sql`select device_id as "deviceId", metrics from device_latest where device_id = any(${deviceIds}::int[])`,
    );
    return new Map(rows.map((row) => [row.deviceId, toLatestValues(row.metrics)]));
  },
  () => [],
);

export interface TimeRange {
  readonly from: Date;
  readonly to: Date;
}

/** How many readings there are, counted no further than `limit`. */
export async function countReadings(
  operation: Operation,
  deviceId: number,
  range: TimeRange,
  limit: number,
): Promise<number> {
  const [row] = await operation.read.rows<{ count: number }>(
    sql`select count(*)::int as count from (
          select from tenant_readings where device_id = ${deviceId} and ts >= ${range.from} and ts < ${range.to} limit ${limit}
        ) r`,
  );
  return row?.count ?? 0;
}

/** Values of the metrics wanted (null: every metric), or their buckets, in the order of metric and time. */
export async function readBuckets(
  operation: Operation,
  deviceId: number,
  range: TimeRange,
  metrics: readonly string[] | null,
  bucketSeconds: number | null,
): Promise<BucketRow[]> {
  const values = metrics
    ? sql`cross join lateral (select k.key, r.metrics -> k.key as value from unnest(${metrics}::text[]) as k (key)) m`
    : sql`cross join lateral jsonb_each(r.metrics) m`;
  const numeric = sql`case jsonb_typeof(m.value) when 'number' then m.value::float8
    when 'boolean' then case when m.value::boolean then 1 else 0 end end`;
  const rows = sql`select m.key as metric, r.ts, r.msg_id, m.value, ${numeric} as number
    from tenant_readings r ${values}
    where r.device_id = ${deviceId} and r.ts >= ${range.from} and r.ts < ${range.to} and m.value is not null`;
  if (bucketSeconds === null) {
    return operation.read.rows<BucketRow>(
      sql`select metric, ts as at, 1 as count, number as min, number as max, number as mean, value as last
          from (${rows}) v order by metric, ts, msg_id`,
    );
  }
  return operation.read.rows<BucketRow>(
    sql`select metric, at, count(*)::int as count, min(number), max(number), avg(number) as mean,
          (array_agg(value order by ts desc, msg_id desc))[1] as last
        from (select v.*, date_bin(${bucketSeconds} * interval '1 second', ts, 'epoch'::timestamptz) as at from (${rows}) v) b
        group by metric, at order by metric, at`,
  );
}

const NEWEST_FIRST: Keyset = {
  name: 'readings',
  columns: [
    { expression: sql`r.ts`, type: 'timestamptz' },
    { expression: sql`r.msg_id`, type: 'bigint' },
  ],
  descending: true,
};

/** Readings of a device, newest first. An end of the range that is absent is open. */
export async function readReadings(
  operation: Operation,
  deviceId: number,
  args: PageArgs,
  range: { readonly from?: Date | null | undefined; readonly to?: Date | null | undefined },
): Promise<Page<ReadingRow>> {
  const page = planPage(args, NEWEST_FIRST);
  const rows = await operation.read.rows<ReadingRow>(
    sql`select r.device_id as "deviceId", r.ts, r.msg_id::text as "messageId", r.received_at as "receivedAt",
          r.stored_at as "storedAt", r.latitude, r.longitude, r.metrics, r.flags
        from tenant_readings r
        where r.device_id = ${deviceId} and ${range.from ? sql`r.ts >= ${range.from}` : sql`true`}
          and ${range.to ? sql`r.ts < ${range.to}` : sql`true`} and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [row.ts.toISOString(), row.messageId]);
}
