import { shardOf } from '../fleet/shards.ts';
import type { Logger } from '../runtime/logger.ts';
import { DEVICES } from './device-filter.ts';
import { writeOutbox } from './outbox.ts';
import { type Connection, type Pool, sqlState, transaction } from './pool.ts';
import { type Sql, type SqlReader, sql, toStatement } from './sql.ts';

/*
 * Jobs: one thing done to many devices, a batch at a time, each batch in a transaction of its own.
 *
 * A kind of job is a `JobHandler` under its name in the map that the janitor is given (`workers/janitor/fleet-jobs.ts`). The mutation that
 * asks for it runs the same handler itself where there are few devices, and otherwise calls `startJob` with the condition that the devices meet.
 * What is left to do are the rows of `fleet_job_devices` without an error. A batch locks some of them, does its work, deletes them and adds
 * to the job's counts, all in one transaction: killed half way it never happened, and done twice it cannot be. Replicas share a job batch by
 * batch, since each passes over the rows that another has locked. A job that was stopped has no further batch.
 */

/** The transaction of a batch, or of a mutation, in the name of who asked. */
export interface JobScope extends SqlReader {
  readonly tenantId: number;
  readonly tenantSlug: string;
  /** Of the tenant, on the bus. */
  readonly shard: number;
  /** As the audit log names who asked, for example `user:…` or `key:…`. */
  readonly actor: string;
  /** Null where a mutation does it itself. */
  readonly jobId: number | null;
  /** Leaves through the outbox, in this order, if the transaction commits. */
  publish(messages: readonly { readonly subject: string; readonly payload: Buffer }[]): Promise<void>;
}

/** Why something could not be done to a device. The code is one of those of user errors. */
export interface JobFault {
  readonly deviceId: number;
  readonly code: string;
  readonly message: string;
}

/** What became of a batch. Devices that are neither changed nor at fault were as they should be. */
export interface JobOutcome {
  readonly changed: number;
  readonly faults: readonly JobFault[];
}

/**
 * Does one thing to a batch of devices of the tenant, in the transaction it is given: reads and writes through `scope` alone, and names the
 * tenant in every statement, because the janitor has no row-level security. Locks devices in the order of their ids. What cannot be done to a
 * device is its fault and stops no other; what it throws is taken for a fault of one of the devices, which is then looked for.
 */
export type JobHandler = (
  scope: JobScope,
  input: unknown,
  deviceIds: readonly number[],
) => Promise<JobOutcome>;

/** By the name of the mutation that asks for it. */
export type JobHandlers = Readonly<Record<string, JobHandler>>;

export interface NewJob {
  readonly kind: string;
  /** JSON; what its handler takes. */
  readonly input: object;
  /** What it takes to stop it. */
  readonly permission: string;
  readonly actor: { readonly id: string; readonly kind: string; readonly name: string };
  readonly requestId: string;
}

/** Jobs of a tenant that are not finished. */
export const MAX_OPEN_JOBS = 20;

/**
 * Leaves a job for the devices that meet a condition, on DEVICES, now.
 * @returns its id and how many devices it has; undefined when the tenant has as many open jobs as it may
 */
export async function startJob(
  scope: SqlReader & { readonly tenantId: number },
  { kind, input, permission, actor, requestId }: NewJob,
  condition: Sql,
): Promise<{ id: number; total: number } | undefined> {
  const { tenantId } = scope;
  await scope.rows(
    sql`select pg_advisory_xact_lock(hashtext('fleet_jobs'), ${tenantId}::int) is null as locked`,
  );
  const [open] = await scope.rows<{ count: number }>(
    sql`select count(*)::int as count from fleet_jobs where tenant_id = ${tenantId} and status in ('QUEUED', 'RUNNING')`,
  );
  if ((open?.count ?? 0) >= MAX_OPEN_JOBS) return undefined;
  const [job] = await scope.rows<{ id: number }>(
    sql`insert into fleet_jobs (tenant_id, kind, input, permission, actor, actor_kind, actor_name, request_id)
        values (${tenantId}, ${kind}, ${JSON.stringify(input)}::jsonb, ${permission}, ${actor.id}, ${actor.kind}, ${actor.name},
          ${requestId}) returning id`,
  );
  if (!job) throw new Error('the job was not made');
  const [filled] = await scope.rows<{ total: number }>(
    sql`with listed as (insert into fleet_job_devices (job_id, tenant_id, device_id)
          select ${job.id}, d.tenant_id, d.id from ${DEVICES} where ${condition} returning device_id)
        select count(*)::int as total from listed`,
  );
  const total = filled?.total ?? 0;
  await scope.rows(sql`update fleet_jobs set total = ${total} where id = ${job.id} returning id`);
  return { id: job.id, total };
}

interface JobRow {
  id: number;
  tenant_id: number;
  tenant: string;
  kind: string;
  input: unknown;
  actor: string;
}

/** What one step did; `devices` is 0 where others hold all that is left. */
export interface JobStep {
  readonly kind: string;
  readonly devices: number;
  readonly failed: number;
}

export interface JobDeps {
  readonly pool: Pool;
  readonly handlers: JobHandlers;
  readonly shards: number;
  readonly log: Logger;
  /** Devices of one batch. Default 200. */
  readonly batch?: number;
}

/** Faults of a job that are kept one by one; beyond them they are only counted. */
export const MAX_KEPT_FAULTS = 100;
/** A replica that has gone silent in the midst of a batch loses it after this long. */
const SILENCE = '30s';

/**
 * Takes one batch of one unfinished job, whichever: every tenant's moves on. Jobs of suspended tenants and of kinds without a handler wait.
 * Replicas may call it at once. Nothing of a step is there unless all of it is.
 * @returns undefined when there is nothing to do
 */
export async function stepJob(deps: JobDeps): Promise<JobStep | undefined> {
  const { pool, handlers, batch = 200 } = deps;
  return transaction(pool, async (connection) => {
    await connection.query(
      `set local idle_in_transaction_session_timeout = '${SILENCE}'; set local statement_timeout = '${SILENCE}'`,
    );
    const jobs = await connection.query<JobRow>(
      `select j.id, j.tenant_id, t.slug as tenant, j.kind, j.input, j.actor
       from fleet_jobs j join tenants t on t.id = j.tenant_id and t.status = 'ACTIVE'
       where j.status in ('QUEUED', 'RUNNING') and j.kind = any($1) order by random() limit 1`,
      [Object.keys(handlers)],
    );
    const [job] = jobs.rows;
    const handler = job && handlers[job.kind];
    if (!job || !handler) return undefined;
    const left = await connection.query<{ device_id: number }>(
      `select device_id from fleet_job_devices where job_id = $1 and error_code is null
       order by device_id limit $2 for update skip locked`,
      [job.id, batch],
    );
    const ids = left.rows.map((row) => row.device_id);
    await connection.query(`select set_config('app.tenant_id', $1, true)`, [String(job.tenant_id)]);
    const outcome = await attempt(connection, handler, job, ids, deps);
    await settle(connection, job, ids, outcome);
    await finish(connection, job);
    return { kind: job.kind, devices: ids.length, failed: outcome.faults.length };
  });
}

/** Runs the handler; where it throws, for half of the devices at a time, until the one that it throws for is alone. */
async function attempt(
  connection: Connection,
  handler: JobHandler,
  job: JobRow,
  ids: readonly number[],
  deps: JobDeps,
): Promise<JobOutcome> {
  if (ids.length === 0) return { changed: 0, faults: [] };
  await connection.query('savepoint batch');
  try {
    const outcome = await handler(scopeOf(connection, job, deps.shards), job.input, ids);
    await connection.query('release savepoint batch');
    return outcome;
  } catch (error) {
    if (isPassing(error)) throw error;
    await connection.query('rollback to savepoint batch');
    const [deviceId] = ids;
    if (ids.length === 1 && deviceId !== undefined) {
      deps.log.error({ err: error, job: job.id, deviceId }, 'a job failed for a device');
      return {
        changed: 0,
        faults: [{ deviceId, code: 'INTERNAL', message: 'a fault of ours; it is in the log' }],
      };
    }
    const middle = Math.ceil(ids.length / 2);
    const first = await attempt(connection, handler, job, ids.slice(0, middle), deps);
    const second = await attempt(connection, handler, job, ids.slice(middle), deps);
    return { changed: first.changed + second.changed, faults: [...first.faults, ...second.faults] };
  }
}

/** Whether the same may work another time: the connection broke, or somebody was in the way. */
function isPassing(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined ? isConnectionError(error) : /^(08|40|53|55|57)/.test(state);
}

const isConnectionError = (error: unknown): boolean =>
  error instanceof Error && /connection|ECONN|EPIPE|terminated|not queryable/i.test(error.message);

function scopeOf(connection: Connection, job: JobRow, shards: number): JobScope {
  const { tenant_id: tenantId, tenant: tenantSlug, actor, id: jobId } = job;
  const shard = shardOf(tenantSlug, shards);
  return {
    ...{ tenantId, tenantSlug, shard, actor, jobId },
    rows: async (statement) => (await connection.query(toStatement(statement))).rows,
    publish: (messages) =>
      writeOutbox(
        connection,
        messages.map((message) => ({ ...message, tenantId, shard })),
      ),
  };
}

/** Adds to the counts of the job first: of two replicas the second waits here until the first has committed. */
async function settle(
  connection: Connection,
  { id, tenant_id: tenantId }: JobRow,
  ids: readonly number[],
  { changed, faults }: JobOutcome,
): Promise<void> {
  if (ids.length === 0) return;
  const before = await connection.query<{ failed: number }>(
    `update fleet_jobs set done = done + $2, changed = changed + $3, failed = failed + $4,
       status = case when status = 'QUEUED' then 'RUNNING' else status end, started_at = coalesce(started_at, now())
     where id = $1 returning failed - $4 as failed`,
    [id, ids.length - faults.length, changed, faults.length],
  );
  const kept = faults.slice(0, Math.max(0, MAX_KEPT_FAULTS - (before.rows[0]?.failed ?? 0)));
  await connection.query(
    `update fleet_job_devices j set error_code = w.code, error = w.message
     from unnest($2::int[], $3::text[], $4::text[]) as w (device_id, code, message)
     where j.job_id = $1 and j.device_id = w.device_id`,
    [id, kept.map((each) => each.deviceId), kept.map((each) => each.code), kept.map((each) => each.message)],
  );
  await connection.query(
    `delete from fleet_job_devices where job_id = $1 and tenant_id = $2 and device_id = any($3::int[]) and error_code is null`,
    [id, tenantId, ids],
  );
}

/** Ends the job when nothing is left, and writes into the audit log how it ended. */
async function finish(connection: Connection, { id }: JobRow): Promise<void> {
  await connection.query(
    `with ended as (
       update fleet_jobs j set status = case when failed > 0 and failed = total then 'FAILED'::job_status else 'SUCCEEDED' end,
         started_at = coalesce(started_at, now()), finished_at = now()
       where id = $1 and status in ('QUEUED', 'RUNNING')
         and not exists (select from fleet_job_devices d where d.job_id = j.id and d.error_code is null)
       returning *)
     insert into audit_entries (tenant_id, actor_kind, actor_id, actor_name, action, target_type, target_id, target_label, before, after,
       request_id)
     select tenant_id, actor_kind, actor, actor_name, 'job.finish', 'Job', id::text, kind, null,
       jsonb_build_object('status', status, 'total', total, 'changed', changed, 'failed', failed), request_id from ended`,
    [id],
  );
}
