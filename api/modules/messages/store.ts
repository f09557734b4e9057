import { type Sql, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import type { ReadingRow } from '../telemetry/service.ts';

/** Where a frame has been. */
export interface FrameRow {
  readonly batchId: string;
  readonly framedAt: Date;
  readonly stream: string;
  readonly sequence: number;
  readonly origin: string | null;
  readonly worker: string | null;
  readonly streamedAt: Date | null;
  readonly storedAt: Date;
  readonly publishedAt: Date | null;
}

/** One part of one message of a frame, by the frame's manifest. */
export interface PartRow extends FrameRow {
  readonly deviceId: number;
  readonly flags: number;
  readonly idLow: string;
  readonly index: number;
  readonly part: number;
}

const FRAME = sql`f.batch_id::text as "batchId", f.framed_at as "framedAt", f.stream, f.stream_sequence::float8 as sequence, f.origin, f.worker,
  f.streamed_at as "streamedAt", f.stored_at as "storedAt", f.published_at as "publishedAt"`;
const PART = sql`${FRAME}, f.device_id as "deviceId", f.flags, f.id_low::text as "idLow", f.item_index as index, f.part`;
const READING = sql`r.device_id as "deviceId", r.ts, r.msg_id::text as "messageId", r.received_at as "receivedAt", r.stored_at as "storedAt",
  r.latitude, r.longitude, r.metrics, r.flags`;

/** The parts of one message, as far as they are the tenant's. */
export function readParts(
  operation: Operation,
  framedAt: Date,
  batchId: string,
  index: number,
): Promise<PartRow[]> {
  return operation.read.rows<PartRow>(
    sql`select ${PART} from tenant_frame_parts(${framedAt}, ${batchId}::uuid) f where f.item_index = ${index} order by f.part`,
  );
}

/** A frame in which the tenant has something. */
export async function readFrame(
  operation: Operation,
  framedAt: Date,
  batchId: string,
): Promise<FrameRow | undefined> {
  const [row] = await operation.read.rows<FrameRow>(
    sql`select ${FRAME} from tenant_frame(${framedAt}, ${batchId}::uuid) f`,
  );
  return row;
}

/** The part that a stored reading was; undefined when its frame is not kept any more. */
export async function findPartOf(
  operation: Operation,
  storedAt: Date,
  deviceId: number,
  idLow: string,
): Promise<PartRow | undefined> {
  const [row] = await operation.read.rows<PartRow>(
    sql`select ${PART} from tenant_frames_stored_at(${storedAt}) s
        cross join lateral tenant_frame_parts(s.framed_at, s.batch_id) f
        where f.device_id = ${deviceId} and f.id_low = ${idLow}::bigint and f.flags & 7 = 0 limit 1`,
  );
  return row;
}

export async function readReading(
  operation: Operation,
  deviceId: number,
  ts: Date,
  messageId: string,
): Promise<ReadingRow | undefined> {
  const [row] = await operation.read.rows<ReadingRow>(
    sql`select ${READING} from tenant_readings r where r.device_id = ${deviceId} and r.ts = ${ts} and r.msg_id = ${messageId}::bigint`,
  );
  return row;
}

/** The newest reading of a device with this message id that was measured since. */
export async function findReadingByNumber(
  operation: Operation,
  deviceId: number,
  messageId: string,
  since: Date,
): Promise<ReadingRow | undefined> {
  const [row] = await operation.read.rows<ReadingRow>(
    sql`select ${READING} from tenant_readings r
        where r.device_id = ${deviceId} and r.msg_id = ${messageId}::bigint and r.ts >= ${since} order by r.ts desc limit 1`,
  );
  return row;
}

/** The readings of a device that one transaction stored; looked for about a time first, then everywhere. */
export async function findStoredReading(
  operation: Operation,
  part: Pick<PartRow, 'deviceId' | 'idLow' | 'storedAt' | 'framedAt'>,
): Promise<ReadingRow | undefined> {
  const find = async (near: Sql) => {
    const [row] = await operation.read.rows<ReadingRow>(
      sql`select ${READING} from tenant_readings r where r.device_id = ${part.deviceId} and r.stored_at = ${part.storedAt}
            and r.msg_id & 4294967295 = ${part.idLow}::bigint and ${near} limit 1`,
    );
    return row;
  };
  return (await find(aboutDay(part.framedAt))) ?? find(sql`true`);
}

/** The reading that was there before a duplicate of it came, measured within a day of its arrival. */
export async function findOriginal(
  operation: Operation,
  part: Pick<PartRow, 'deviceId' | 'idLow' | 'storedAt' | 'framedAt'>,
): Promise<ReadingRow | undefined> {
  const [row] = await operation.read.rows<ReadingRow>(
    sql`select ${READING} from tenant_readings r where r.device_id = ${part.deviceId} and r.stored_at <= ${part.storedAt}
          and r.msg_id & 4294967295 = ${part.idLow}::bigint and ${aboutDay(part.framedAt)}
        order by r.stored_at desc limit 1`,
  );
  return row;
}

const aboutDay = (at: Date): Sql =>
  sql`r.ts between ${at}::timestamptz - interval '1 day' and ${at}::timestamptz + interval '1 day'`;

/** A message that nobody could use. */
export interface DeadLetterRow {
  readonly id: string;
  readonly batchId: string | null;
  readonly index: number;
  readonly deviceKey: string | null;
  readonly reason: string;
  readonly payload: Buffer;
  readonly stream: string;
  readonly sequence: number;
  readonly createdAt: Date;
}

const LETTER = sql`l.id::text as id, l.batch_id::text as "batchId", l.item_index as index, l.device_key as "deviceKey", l.reason,
  l.payload, l.stream, l.stream_sequence::float8 as sequence, l.created_at as "createdAt"`;
const NEWEST: Keyset = {
  name: 'deadLetters/newest',
  columns: [{ expression: sql`l.id`, type: 'bigint' }],
  descending: true,
};

export async function readDeadLetter(
  operation: Operation,
  batchId: string,
  index: number,
): Promise<DeadLetterRow | undefined> {
  const [row] = await operation.read.rows<DeadLetterRow>(
    sql`select ${LETTER} from dead_letters l where l.batch_id = ${batchId}::uuid and l.item_index = ${index} order by l.id limit 1`,
  );
  return row;
}

/** Newest first. */
export async function listDeadLetterRows(operation: Operation, args: PageArgs): Promise<Page<DeadLetterRow>> {
  const page = planPage(args, NEWEST);
  const rows = await operation.read.rows<DeadLetterRow>(
    sql`select ${LETTER} from dead_letters l where ${page.condition} order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [row.id]);
}
