import { all, type Sql, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';

export type QuarantineStatus = 'OPEN' | 'REPLAYING' | 'REPLAYED' | 'DISCARDED';
export type ReplayOutcome = 'STORED' | 'DUPLICATE' | 'QUARANTINED' | 'ACCEPTED' | 'DEAD_LETTERED';

export interface QuarantineRow {
  readonly id: string;
  readonly deviceId: number | null;
  readonly deviceKey: string;
  readonly status: QuarantineStatus;
  readonly reason: string;
  readonly detail: string;
  readonly field: string | null;
  readonly kind: string;
  readonly source: string;
  readonly dialect: string;
  readonly keyHash: Uint8Array | null;
  readonly userProperties: Buffer | null;
  readonly payload: Buffer;
  readonly receivedAt: Date;
  readonly storedAt: Date;
  readonly batchId: string;
  readonly itemIndex: number;
  readonly part: number;
  readonly whole: boolean;
  readonly replayOf: string | null;
  readonly jobId: string | null;
  readonly resolvedAt: Date | null;
  readonly outcome: ReplayOutcome | null;
  readonly outcomeReason: string | null;
  readonly readingDeviceId: number | null;
  readonly readingTs: Date | null;
  readonly readingMessageId: string | null;
}

export interface QuarantineFilter {
  readonly reasons?: readonly string[] | null | undefined;
  readonly deviceKey?: string | null | undefined;
  readonly from?: Date | null | undefined;
  readonly to?: Date | null | undefined;
  readonly status?: readonly QuarantineStatus[] | null | undefined;
}

const COLUMNS = sql`q.id::text as id, q.device_id as "deviceId", q.device_key as "deviceKey", q.status::text as status, q.reason, q.detail, q.field,
  q.kind, q.source, q.dialect, q.key_hash as "keyHash", q.user_properties as "userProperties", q.payload, q.received_at as "receivedAt", q.stored_at as "storedAt",
  q.batch_id::text as "batchId", q.item_index as "itemIndex", q.part, q.whole, q.replay_of::text as "replayOf", q.job_id::text as "jobId",
  q.resolved_at as "resolvedAt", q.outcome::text as outcome, q.outcome_reason as "outcomeReason",
  q.reading_device_id as "readingDeviceId", q.reading_ts as "readingTs", q.reading_msg_id::text as "readingMessageId"`;

const NEWEST: Keyset = {
  name: 'quarantine/newest',
  columns: [{ expression: sql`q.id`, type: 'bigint' }],
  descending: true,
};

/** Rows with these ids, in no order. */
export function readQuarantined(operation: Operation, ids: readonly string[]): Promise<QuarantineRow[]> {
  return operation.read.rows<QuarantineRow>(
    sql`select ${COLUMNS} from quarantine q where q.id = any(${ids}::bigint[])`,
  );
}

/** Rows of one message: more than one where several of its readings were turned away. */
export function readQuarantinedOf(
  operation: Operation,
  batchId: string,
  itemIndex: number,
): Promise<QuarantineRow[]> {
  return operation.read.rows<QuarantineRow>(
    sql`select ${COLUMNS} from quarantine q where q.batch_id = ${batchId}::uuid and q.item_index = ${itemIndex} order by q.part`,
  );
}

/** The row that the replay of another ended in; undefined when it ended elsewhere. */
export async function readQuarantinedAgain(
  operation: Operation,
  replayOf: string,
): Promise<QuarantineRow | undefined> {
  const [row] = await operation.read.rows<QuarantineRow>(
    sql`select ${COLUMNS} from quarantine q where q.replay_of = ${replayOf}::bigint and q.id > ${replayOf}::bigint
        order by q.id limit 1`,
  );
  return row;
}

/** Newest first. */
export async function listQuarantined(
  operation: Operation,
  args: PageArgs,
  filter: QuarantineFilter,
): Promise<Page<QuarantineRow>> {
  const page = planPage(args, NEWEST);
  const rows = await operation.read.rows<QuarantineRow>(
    sql`select ${COLUMNS} from quarantine q where ${conditions(filter)} and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [row.id]);
}

/** The first rows that a job would take, oldest first. */
export function readOldest(
  operation: Operation,
  filter: QuarantineFilter,
  limit: number,
): Promise<QuarantineRow[]> {
  return operation.read.rows<QuarantineRow>(
    sql`select ${COLUMNS} from quarantine q where ${conditions(filter)} order by q.id limit ${limit}`,
  );
}

/** How many there are, counted no further than `limit`, and the newest of them. */
export async function countQuarantined(
  operation: Operation,
  filter: QuarantineFilter,
  limit: number,
): Promise<{ readonly count: number; readonly lastId: string }> {
  const [row] = await operation.read.rows<{ count: number; lastId: string }>(
    sql`select count(*)::int as count, coalesce(max(id), 0)::text as "lastId"
        from (select q.id from quarantine q where ${conditions(filter)} order by q.id limit ${limit}) counted`,
  );
  return row ?? { count: 0, lastId: '0' };
}

export interface ReasonCount {
  readonly reason: string;
  /** Start of the bucket. */
  readonly at: Date;
  readonly count: number;
}

/** How many messages arrived and were turned away, by reason and bucket, in that order. */
export function countReasons(
  operation: Operation,
  filter: QuarantineFilter,
  bucketSeconds: number,
): Promise<ReasonCount[]> {
  return operation.read.rows<ReasonCount>(
    sql`select q.reason, date_bin(${bucketSeconds} * interval '1 second', q.received_at, 'epoch'::timestamptz) as at, count(*)::int as count
        from quarantine q where ${conditions(filter)} group by 1, 2 order by 1, 2`,
  );
}

function conditions({ reasons, deviceKey, from, to, status }: QuarantineFilter): Sql {
  return all([
    ...(reasons ? [sql`q.reason = any(${reasons}::text[])`] : []),
    ...(deviceKey != null ? [sql`q.device_key = ${deviceKey}`] : []),
    ...(from ? [sql`q.received_at >= ${from}`] : []),
    ...(to ? [sql`q.received_at < ${to}`] : []),
    ...(status ? [sql`q.status = any(${status}::quarantine_status[])`] : []),
  ]);
}
