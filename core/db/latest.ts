import type { MeasuringFault } from '../fleet/measuring.ts';
import type { MetricValue } from '../fleet/telemetry.ts';
import { type Pool, type Queryable, transaction } from './pool.ts';

/** The follower's name in `follower_cursors`. */
export const LATEST_FOLLOWER = 'device_latest';

/** As `device_latest.metrics` holds it: value, ts in ms, message id in decimal, received at in ms, and what is wrong with it, if anything. */
export type LatestEntry = readonly [
  value: MetricValue,
  ts: number,
  id: string,
  receivedAt: number,
  flag?: MeasuringFault,
];

/** The newest values of one device within a fold. */
export interface LatestFold {
  readonly tenantId: number;
  readonly deviceId: number;
  /** The oldest and the newest `ts` among the entries. */
  readonly oldestTs: number;
  readonly newestTs: number;
  readonly metrics: Record<string, LatestEntry>;
}

export interface ShardCursor {
  readonly shard: number;
  /** When the stream was made, ISO-8601: another stream's sequences mean nothing. */
  readonly streamCreatedAt: string;
  readonly sequence: number;
}

/** Whether a reading's values are newer than another's: by time, then by message id (decimal). */
export function isNewer(
  reading: { readonly ts: number; readonly id: string },
  than: { readonly ts: number; readonly id: string },
): boolean {
  if (reading.ts !== than.ts) return reading.ts > than.ts;
  return BigInt(reading.id) > BigInt(than.id);
}

/**
 * Writes a fold and the cursors it reaches in one transaction, so that whoever reads both has an exact snapshot. A value
 * already there that is newer stays; a cursor never goes back on the same stream.
 */
export async function writeLatest(
  pool: Pool,
  folds: readonly LatestFold[],
  cursors: readonly ShardCursor[],
): Promise<void> {
  const sorted = folds.toSorted((a, b) => a.deviceId - b.deviceId);
  await transaction(pool, async (connection) => {
    if (sorted.length > 0) await foldIn(connection, sorted);
    await connection.query({
      name: 'write-latest-cursors',
      text: `insert into follower_cursors as c (follower, shard, stream_created_at, sequence)
             select $1, w.* from unnest($2::int[], $3::timestamptz[], $4::bigint[]) as w
             on conflict (follower, shard) do update set stream_created_at = excluded.stream_created_at, updated_at = now(),
               sequence = case when c.stream_created_at = excluded.stream_created_at
                 then greatest(c.sequence, excluded.sequence) else excluded.sequence end`,
      values: [
        LATEST_FOLLOWER,
        cursors.map((cursor) => cursor.shard),
        cursors.map((cursor) => cursor.streamCreatedAt),
        cursors.map((cursor) => cursor.sequence),
      ],
    });
  });
}

/** A device that has a row is updated; the others are inserted, or merged where another was faster. */
async function foldIn(connection: Queryable, folds: readonly LatestFold[]): Promise<void> {
  const values = (some: readonly LatestFold[]) => [
    some.map((fold) => fold.deviceId),
    some.map((fold) => fold.tenantId),
    some.map((fold) => new Date(fold.newestTs)),
    some.map((fold) => JSON.stringify(fold.metrics)),
  ];
  const updated = await connection.query<{ device_id: number }>({
    name: 'update-latest',
    text: `update device_latest l set newest_ts = greatest(l.newest_ts, w.newest_ts),
             metrics = case when l.newest_ts < w.oldest_ts then l.metrics || w.metrics else merge_latest(l.metrics, w.metrics) end
           from unnest($1::int[], $2::int[], $3::timestamptz[], $4::jsonb[], $5::timestamptz[])
             as w (device_id, tenant_id, newest_ts, metrics, oldest_ts)
           where l.device_id = w.device_id returning l.device_id`,
    values: [...values(folds), folds.map((fold) => new Date(fold.oldestTs))],
  });
  const known = new Set(updated.rows.map((row) => row.device_id));
  const missing = folds.filter((fold) => !known.has(fold.deviceId));
  if (missing.length === 0) return;
  await connection.query({
    name: 'insert-latest',
    text: `insert into device_latest as l (device_id, tenant_id, newest_ts, metrics)
           select * from unnest($1::int[], $2::int[], $3::timestamptz[], $4::jsonb[])
           on conflict (device_id) do update set newest_ts = greatest(l.newest_ts, excluded.newest_ts),
             metrics = merge_latest(l.metrics, excluded.metrics)`,
    values: values(missing),
  });
}

/** Where the follower is, per shard, and since when. */
export async function readLatestCursors(db: Queryable): Promise<(ShardCursor & { updatedAt: number })[]> {
  const rows = await db.query<{ shard: number; created: Date; sequence: string; updated: Date }>(
    'select shard, stream_created_at as created, sequence, updated_at as updated from follower_cursors where follower = $1',
    [LATEST_FOLLOWER],
  );
  return rows.rows.map((row) => ({
    shard: row.shard,
    streamCreatedAt: row.created.toISOString(),
    sequence: Number(row.sequence),
    updatedAt: row.updated.getTime(),
  }));
}

/**
 * Folds what was stored since an instant straight from `readings` into `device_latest`: for a follower that has lost its
 * place on the stream.
 */
export async function rebuildLatest(db: Queryable, since: Date): Promise<void> {
  await db.query(
    `insert into device_latest as l (device_id, tenant_id, newest_ts, metrics)
     select device_id, min(tenant_id), max(ts), jsonb_object_agg(key, entry)
     from (
       select distinct on (r.device_id, m.key) r.device_id, r.tenant_id, r.ts, m.key,
         jsonb_build_array(m.value, (extract(epoch from r.ts) * 1000)::bigint, r.msg_id::text,
           (extract(epoch from r.received_at) * 1000)::bigint)
           || case when r.flags ? m.key then jsonb_build_array(r.flags -> m.key) else '[]' end as entry
       from readings r cross join lateral jsonb_each(r.metrics) m
       where r.stored_at >= $1
       order by r.device_id, m.key, r.ts desc, r.msg_id desc
     ) newest
     group by device_id
     on conflict (device_id) do update set newest_ts = greatest(l.newest_ts, excluded.newest_ts),
       metrics = merge_latest(l.metrics, excluded.metrics)`,
    [since],
  );
}
