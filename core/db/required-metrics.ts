import { LATEST_FOLLOWER } from './latest.ts';
import type { Queryable } from './pool.ts';

type Template = { readonly templateId: number; readonly version: number };

/** The metrics that each of these versions of templates requires, in the order of the argument; none of undefined. */
export async function findRequiredMetrics(
  db: Queryable,
  templates: readonly (Template | undefined)[],
): Promise<(readonly string[])[]> {
  const nameOf = ({ templateId, version }: Template) => `${templateId}/${version}`;
  const wanted = new Map(templates.flatMap((template) => (template ? [[nameOf(template), template]] : [])));
  if (wanted.size === 0) return templates.map(() => []);
  const refs = [...wanted.values()];
  const found = await db.query<{ template_id: number; version: number; required: readonly string[] }>(
    `select v.template_id, v.version, jsonb_path_query_array(v.definition, '$.metrics[*] ? (@.required == true).key') as required
     from unnest($1::int[], $2::int[]) as w (template_id, version) join template_versions v using (template_id, version)`,
    [refs.map((ref) => ref.templateId), refs.map((ref) => ref.version)],
  );
  const required = new Map(
    found.rows.map((row) => [nameOf({ templateId: row.template_id, version: row.version }), row.required]),
  );
  return templates.map((template) => (template && required.get(nameOf(template))) ?? []);
}

/** When metrics of a device were last heard, in milliseconds since the epoch. */
export interface MetricsHeard {
  /** Those that were asked for; no entry when never. */
  readonly heardAt: ReadonlyMap<string, number>;
  /** Any of its metrics. */
  readonly dataAt: number;
}

/**
 * When metrics of devices were last heard, as far as the latest values know; no entry for a device that has none. A value whose time
 * lies ahead hides what came after it and counts as heard now.
 */
export async function findMetricsHeard(
  db: Queryable,
  wanted: readonly { readonly deviceId: number; readonly metrics: readonly string[] }[],
): Promise<Map<number, MetricsHeard>> {
  if (wanted.length === 0) return new Map();
  const found = await db.query<{ device_id: number; data_at: number; heard: Record<string, number> | null }>(
    `select l.device_id, max((e.value ->> 3)::float8) as data_at,
       jsonb_object_agg(e.key, greatest((e.value ->> 3)::float8, least((e.value ->> 1)::float8, extract(epoch from now()) * 1000)))
         filter (where w.metrics ? e.key) as heard
     from unnest($1::int[], $2::jsonb[]) as w (device_id, metrics)
     join device_latest l on l.device_id = w.device_id cross join lateral jsonb_each(l.metrics) e
     group by l.device_id`,
    [wanted.map(({ deviceId }) => deviceId), wanted.map(({ metrics }) => JSON.stringify(metrics))],
  );
  return new Map(
    found.rows.map((row) => [
      row.device_id,
      { dataAt: row.data_at, heardAt: new Map(Object.entries(row.heard ?? {})) },
    ]),
  );
}

/** The shards whose latest values were written within this time: those of others may lack what was heard. */
export async function findFollowedShards(db: Queryable, withinMs: number): Promise<Set<number>> {
  const found = await db.query<{ shard: number }>(
    `select shard from follower_cursors where follower = $1 and updated_at > now() - $2 * interval '1 millisecond'`,
    [LATEST_FOLLOWER, withinMs],
  );
  return new Set(found.rows.map((row) => row.shard));
}
