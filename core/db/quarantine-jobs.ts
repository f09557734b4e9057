import type { PatchStep } from '../fleet/payload-fix.ts';
import { writeOutbox } from './outbox.ts';
import { type Connection, type Pool, transaction } from './pool.ts';

/** Which rows a job is for; all conditions must hold. */
export interface QuarantineJobTarget {
  readonly ids?: readonly string[];
  readonly reasons?: readonly string[];
  readonly deviceKey?: string;
  /** Arrived not before and before, ISO-8601. */
  readonly from?: string;
  readonly to?: string;
}

/** As `quarantine_jobs.fix` holds it. */
export type QuarantineJobFix =
  | { readonly payload: string }
  | { readonly removeField: boolean; readonly steps: readonly PatchStep[] };

interface JobRow {
  id: string;
  tenant_id: number;
  tenant: string;
  action: 'REPLAY' | 'DISCARD';
  target: QuarantineJobTarget;
  fix: QuarantineJobFix | null;
  last_id: string;
  place: string;
}

/** A row that is to be sent again. */
export interface QuarantinedRow {
  readonly id: string;
  readonly device_key: string;
  readonly kind: string;
  readonly source: string;
  readonly dialect: string;
  readonly key_hash: Buffer | null;
  readonly user_properties: Buffer | null;
  readonly payload: Buffer;
  readonly received_at: Date;
  readonly field: string | null;
  readonly part: number;
  readonly whole: boolean;
}

/** Frames to publish, and the rows that could not be put into one. */
export interface ReplayFrames {
  readonly messages: readonly {
    readonly shard: number;
    readonly subject: string;
    readonly payload: Buffer;
  }[];
  readonly impossible: readonly string[];
}

export interface QuarantineStep {
  readonly handled: number;
  readonly finished: boolean;
}

const ROWS_A_STEP = 100;

/**
 * Takes the oldest unfinished job one step on, up to 100 rows in one transaction: discards them, or marks them as replaying and
 * leaves their frames in the outbox. Replicas may call it at once; a step that was not committed is done again by whoever comes.
 * @param toFrames puts rows into frames
 * @returns undefined when there is nothing to do
 */
export async function stepQuarantineJob(
  pool: Pool,
  toFrames: (
    tenant: string,
    rows: readonly QuarantinedRow[],
    fix: QuarantineJobFix | undefined,
  ) => ReplayFrames,
): Promise<QuarantineStep | undefined> {
  return transaction(pool, async (connection) => {
    const jobs = await connection.query<JobRow>(
      `select j.id, j.tenant_id, t.slug as tenant, j.action, j.target, j.fix, j.last_id, j.place
       from quarantine_jobs j join tenants t on t.id = j.tenant_id
       where j.finished_at is null order by j.id limit 1 for update of j skip locked`,
    );
    const [job] = jobs.rows;
    if (!job) return undefined;
    const rows = await lockRows(connection, job);
    const { messages, impossible } =
      job.action === 'DISCARD' || rows.length === 0
        ? { messages: [], impossible: [] }
        : toFrames(job.tenant, rows, job.fix ?? undefined);
    const taken = rows.map((row) => row.id).filter((id) => !impossible.includes(id));
    await writeOutbox(
      connection,
      messages.map((message) => ({ ...message, tenantId: job.tenant_id })),
    );
    await connection.query(
      `update quarantine set job_id = $2, status = $3::quarantine_status,
         resolved_at = case when $3 = 'DISCARDED' then now() end
       where id = any($1::bigint[])`,
      [taken, job.id, job.action === 'DISCARD' ? 'DISCARDED' : 'REPLAYING'],
    );
    const finished = rows.length < ROWS_A_STEP;
    await connection.query(
      `update quarantine_jobs set place = $2, handled = handled + $3,
         skipped = case when $4 then greatest(0, total - handled - $3) else skipped end, finished_at = case when $4 then now() end
       where id = $1`,
      [job.id, rows.at(-1)?.id ?? job.place, taken.length, finished],
    );
    return { handled: taken.length, finished };
  });
}

/** The next open rows of a job, which nobody else changes until the transaction ends. */
async function lockRows(connection: Connection, job: JobRow): Promise<QuarantinedRow[]> {
  const { ids, reasons, deviceKey, from, to } = job.target;
  const rows = await connection.query<QuarantinedRow>(
    `select id, device_key, kind, source, dialect, key_hash, user_properties, payload, received_at, field, part, whole
     from quarantine where tenant_id = $1 and status = 'OPEN' and id > $2 and id <= $3
       and ($4::bigint[] is null or id = any($4)) and ($5::text[] is null or reason = any($5))
       and ($6::text is null or device_key = $6)
       and ($7::timestamptz is null or received_at >= $7) and ($8::timestamptz is null or received_at < $8)
     order by id limit ${ROWS_A_STEP} for update`,
    [
      job.tenant_id,
      job.place,
      job.last_id,
      ids ?? null,
      reasons ?? null,
      deviceKey ?? null,
      from ?? null,
      to ?? null,
    ],
  );
  return rows.rows;
}
