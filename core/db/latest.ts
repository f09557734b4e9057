import type { MetricValue } from '../fleet/telemetry.ts';
import { type Pool, type Queryable, transaction } from './pool.ts';

/** The follower's name in `follower_cursors`. */
export const LATEST_FOLLOWER = 'device_latest';

/** As `device_latest.metrics` holds it: value, ts in ms, message id in decimal, received at in ms. */
export type LatestEntry = readonly [value: MetricValue, ts: number, id: string, receivedAt: number];

/** The newest values of one device within a fold. */
export interface LatestFold {
  readonly tenantId: number;
  readonly deviceId: number;
  /** The oldest and the newest `ts` among the entries. */
  oldestTs: number;
  newestTs: number;
  readonly metrics: Record<string, LatestEntry>;
}

export interface ShardCursor {
  readonly shard: number;
  /** When the stream was made, ISO-8601: another stream's sequences mean nothing. */
  readonly streamCreatedAt: string;
  readonly sequence: number;
}

/** Whether an entry is newer than another of the same metric: by time, then by message id. */
export function isNewer(entry: LatestEntry, than: LatestEntry): boolean {
  if (entry[1] !== than[1]) return entry[1] > than[1];
  return BigInt(entry[2]) > BigInt(than[2]);
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
    if (sorted.length > 0) {
      await connection.query({
        name: 'write-latest',
        text: `insert into device_latest as l (device_id, tenant_id, newest_ts, metrics)
               select w.device_id, w.tenant_id, w.newest_ts, w.metrics
               from unnest($1::int[], $2::int[], $3::timestamptz[], $4::jsonb[]) as w (device_id, tenant_id, newest_ts, metrics)
               on conflict (device_id) do update set
                 newest_ts = greatest(l.newest_ts, excluded.newest_ts),
                 metrics = case
                   when l.newest_ts < to_timestamp(($5::double precision[])[array_position($1::int[], excluded.device_id)] / 1000)
                     then l.metrics || excluded.metrics
                   else merge_latest(l.metrics, excluded.metrics) end`,
        values: [
          sorted.map((fold) => fold.deviceId),
          sorted.map((fold) => fold.tenantId),
          sorted.map((fold) => new Date(fold.newestTs)),
          sorted.map((fold) => JSON.stringify(fold.metrics)),
          sorted.map((fold) => fold.oldestTs),
        ],
      });
    }
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

/** Where the follower is, per shard. */
export async function readLatestCursors(db: Queryable): Promise<ShardCursor[]> {
  const rows = await db.query<{ shard: number; created: Date; sequence: string }>(
    'select shard, stream_created_at as created, sequence from follower_cursors where follower = $1',
    [LATEST_FOLLOWER],
  );
  return rows.rows.map((row) => ({
    shard: row.shard,
    streamCreatedAt: row.created.toISOString(),
    sequence: Number(row.sequence),
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
           (extract(epoch from r.received_at) * 1000)::bigint) as entry
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
