import pg from 'pg';
import { UPLINK_STREAMS } from '#core/bus/uplink-streams.ts';
import type { StreamState } from './stream.ts';

/** What became of the readings of a tenant on one UTC day, and how many rows of them there are. */
export interface DayAccount {
  /** Undefined for messages of no tenant that exists. */
  readonly tenant: string | undefined;
  readonly day: string;
  readonly accepted: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly deadLettered: number;
  /** Rows that should be there: what was stored less what has expired, and those that are. */
  readonly readings: Rows;
  readonly quarantine: Rows;
  readonly deadLetters: Rows;
}

export interface Rows {
  readonly expected: number;
  readonly found: number;
}

/** What the frames say of the sequences of a stream. */
export interface SequenceAccount {
  readonly stream: string;
  readonly first: number | undefined;
  /** Sequences with an outcome, and how many were counted more than once. */
  readonly settled: number;
  readonly doubled: number;
  /** Sequences up to the stream's last that have neither an outcome nor lie on the stream; at most 20. */
  readonly missing: readonly number[];
  readonly missingCount: number;
}

/** Who made frames, and who stored them. */
export interface ProcessAccount {
  readonly process: string;
  readonly role: 'accepted by' | 'stored by';
  readonly frames: number;
  readonly messages: number;
}

export interface DatabaseAccount {
  readonly days: readonly DayAccount[];
  /** One a stream, in the order asked. */
  readonly sequences: readonly SequenceAccount[];
  readonly processes: readonly ProcessAccount[];
  /** Frames on the stream that are stored already and only wait to be acknowledged. */
  readonly storedBatches: ReadonlySet<string>;
}

export interface DatabaseQuestion {
  readonly databaseUrl: string;
  /** How many days back, today included. */
  readonly days: number;
  readonly streams: readonly StreamState[];
}

// Rows of tenants that are gone are gone with them.
const DAYS = `
  with since as (select (now() at time zone 'UTC')::date - ($1::int - 1) as day),
  sums as (
    select tenant_id, day, sum(accepted) as accepted, sum(stored) as stored, sum(duplicate) as duplicate, sum(quarantined) as quarantined,
      sum(dead_lettered) as dead_lettered, sum(expired_readings) as expired_readings,
      sum(expired_quarantined) as expired_quarantined, sum(expired_dead_letters) as expired_dead_letters
    from (
      select d.* from ingest_days d where d.day >= (select day from since)
      union all
      select c.tenant_id, (f.stored_at at time zone 'UTC')::date, c.accepted, c.stored, c.duplicate, c.quarantined, c.dead_lettered, 0, 0, 0
      from ingest_frames f cross join lateral read_counts(f.counts) c
      where f.transaction >= (select folded_to from ingest_folds) and f.stored_at >= (select day from since)::timestamp at time zone 'UTC'
    ) all_sums group by 1, 2
  ),
  rows as (
    select tenant_id, day, sum(readings) as readings, sum(quarantine) as quarantine, sum(dead_letters) as dead_letters
    from (
      select tenant_id, (stored_at at time zone 'UTC')::date as day, count(*) as readings, 0 as quarantine, 0 as dead_letters
      from readings where stored_at >= (select day from since)::timestamp at time zone 'UTC' group by 1, 2
      union all
      select tenant_id, (stored_at at time zone 'UTC')::date, 0, count(*), 0
      from quarantine where stored_at >= (select day from since)::timestamp at time zone 'UTC' group by 1, 2
      union all
      select coalesce(tenant_id, 0), (created_at at time zone 'UTC')::date, 0, 0, count(*)
      from dead_letters where stream = any($2) and item_index >= 0
        and created_at >= (select day from since)::timestamp at time zone 'UTC' group by 1, 2
    ) all_rows group by 1, 2
  )
  select t.slug as tenant, day::text as day, coalesce(s.accepted, 0)::float8 as accepted, coalesce(s.stored, 0)::float8 as stored,
    coalesce(s.duplicate, 0)::float8 as duplicate, coalesce(s.quarantined, 0)::float8 as quarantined,
    coalesce(s.dead_lettered, 0)::float8 as "deadLettered",
    json_build_object('expected', coalesce(s.stored - s.expired_readings, 0), 'found', coalesce(r.readings, 0)) as readings,
    json_build_object('expected', coalesce(s.quarantined - s.expired_quarantined, 0), 'found', coalesce(r.quarantine, 0)) as quarantine,
    json_build_object('expected', coalesce(s.dead_lettered - s.expired_dead_letters, 0), 'found', coalesce(r.dead_letters, 0)) as "deadLetters"
  from sums s full join rows r using (tenant_id, day) left join tenants t on t.id = tenant_id
  where t.id is not null or tenant_id = 0
  order by t.slug nulls last, day`;

// Whole days of frames are let go: the first day that is kept may hold sequences whose neighbours are gone.
const SEEN = `
  with kept as (select (min(framed_at) at time zone 'UTC')::date::timestamp at time zone 'UTC' as day from ingest_frames),
  since as (
    select case when date_trunc('milliseconds', $1::timestamptz) >= coalesce(k.day, '-infinity')
      then date_trunc('milliseconds', $1::timestamptz) else k.day + interval '1 day' end as at from kept k
  ),
  seen as (
    select stream_sequence as s from ingest_frames where stream = $4 and streamed_at >= (select at from since)
    union all select stream_sequence from ingest_repeats where stream = $4 and streamed_at >= (select at from since)
    union all select distinct stream_sequence from dead_letters
      where stream = $4 and item_index = -1 and streamed_at >= (select at from since)
  ),
  settled as (select s, count(*) as times from seen where s <= $2 group by s),
  places as (select s from settled union select unnest($3::bigint[])),
  gaps as (select s + 1 as a, lead(s, 1, $2::bigint + 1) over (order by s) - 1 as b from places),
  missing as (select a, b from gaps where b >= a)`;

const SEQUENCES = `${SEEN}
  select $4::text as stream, (select min(s) from places)::float8 as first, (select count(*) from settled)::float8 as settled,
    (select count(*) from settled where times > 1)::float8 as doubled,
    coalesce((select sum(b - a + 1) from missing), 0)::float8 as "missingCount",
    coalesce((select array_agg(n::float8) from (
      select n from missing m cross join lateral generate_series(m.a, least(m.b, m.a + 19)) n order by n limit 20) few), '{}') as missing`;

const PROCESSES = `
  select coalesce(origin, '(not said)') as process, 'accepted by' as role, count(*)::float8 as frames, sum(items)::float8 as messages
  from ingest_frames where stored_at >= ((now() at time zone 'UTC')::date - ($1::int - 1))::timestamp at time zone 'UTC' group by 1
  union all
  select coalesce(worker, '(not said)'), 'stored by', count(*)::float8, sum(items)::float8
  from ingest_frames where stored_at >= ((now() at time zone 'UTC')::date - ($1::int - 1))::timestamp at time zone 'UTC' group by 1
  order by role, process`;

const STORED = `
  select f.batch_id::text as batch from unnest($1::timestamptz[], $2::uuid[]) as w (framed_at, batch_id)
  join ingest_frames f on f.framed_at = w.framed_at and f.batch_id = w.batch_id`;

/** Asks the database, all of it in one state that is later than the stream's. */
export async function readDatabase(question: DatabaseQuestion): Promise<DatabaseAccount> {
  const client = new pg.Client({
    connectionString: question.databaseUrl,
    application_name: 'fleetgraph-conserve',
    connectionTimeoutMillis: 5_000,
  });
  await client.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    const { streams } = question;
    const pending = streams.flatMap((stream) => stream.pending);
    const frames = pending.flatMap(({ batchId, framedAt }) => (batchId ? [{ batchId, framedAt }] : []));
    const stored = await client.query<{ batch: string }>(STORED, [
      frames.map(({ framedAt }) => new Date(framedAt)),
      frames.map(({ batchId }) => batchId),
    ]);
    const days = await client.query<DayAccount & { tenant: string | null }>(DAYS, [
      question.days,
      [...UPLINK_STREAMS],
    ]);
    const sequences: SequenceAccount[] = [];
    for (const stream of streams) sequences.push(await readSequences(client, stream));
    const processes = await client.query<ProcessAccount>(PROCESSES, [question.days]);
    return {
      days: days.rows.map((day) => ({ ...day, tenant: day.tenant ?? undefined })),
      sequences,
      processes: processes.rows,
      storedBatches: new Set(stored.rows.map(({ batch }) => batch)),
    };
  } finally {
    await client.end();
  }
}

async function readSequences(
  client: pg.Client,
  { name, createdAt, lastSequence, pending }: StreamState,
): Promise<SequenceAccount> {
  const { rows } = await client.query<SequenceAccount & { first: number | null }>(SEQUENCES, [
    createdAt,
    lastSequence,
    pending.map(({ sequence }) => sequence),
    name,
  ]);
  const [row] = rows;
  if (!row) throw new Error('the database gave no sequences');
  return { ...row, first: row.first ?? undefined };
}
