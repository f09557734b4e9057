import type { MessageId } from '../fleet/message-id.ts';
import { messageIdText } from '../fleet/message-id.ts';
import type { QuarantineReason } from '../fleet/telemetry.ts';
import { errorMessage } from '../runtime/errors.ts';
import { CopyWriter, copyIn } from './copy.ts';
import { type Connection, type Pool, type Queryable, sqlState, transaction } from './pool.ts';

/** A validated reading on its way into `readings`. Times are milliseconds since the epoch. */
export interface ReadingRow {
  readonly tenantId: number;
  readonly deviceId: number;
  readonly ts: number;
  readonly id: MessageId;
  readonly receivedAt: number;
  readonly lat: number | undefined;
  readonly lng: number | undefined;
  readonly dupPossible: boolean;
  /** The metrics as JSON text. */
  readonly metricsJson: string;
  /** The place of the reading in its frame, whoever is known and allowed today. */
  readonly slot: number;
}

export interface QuarantineRow {
  readonly tenantId: number;
  readonly deviceId: number | null;
  readonly device: string;
  readonly reason: QuarantineReason;
  readonly detail: string;
  readonly kind: string;
  readonly payload: Uint8Array;
  readonly receivedAt: number;
  readonly itemIndex: number;
  readonly part: number;
}

/** What a tenant's part of a frame became. */
export interface FrameCounts {
  accepted: number;
  stored: number;
  duplicate: number;
  quarantined: number;
  deadLettered: number;
}

/** A decoded frame, ready to be stored. */
export interface FrameToStore<Row extends ReadingRow> {
  readonly batchId: string;
  readonly framedAt: number;
  readonly streamSequence: number;
  readonly shard: number;
  readonly items: number;
  /** In the order of the frame. */
  readonly rows: readonly Row[];
  readonly quarantine: readonly QuarantineRow[];
  readonly deadLetters: readonly {
    readonly itemIndex: number;
    readonly payload: Uint8Array;
    readonly reason: string;
  }[];
  /** Per tenant id: what is known before storing; storing adds `stored`, `duplicate` and moves what it rejects. */
  readonly counts: ReadonlyMap<number, FrameCounts>;
}

/** How a frame ended: one flag a slot, true where a new row was stored. */
export interface StoredFrame {
  readonly batchId: string;
  readonly fresh: readonly boolean[];
  readonly published: boolean;
}

/** A row the database refused by itself: it goes to quarantine and the rest of the batch goes on. */
export type RejectedToQuarantine<Row> = (row: Row, detail: string) => QuarantineRow;

const COLUMNS = 'tenant_id, device_id, ts, msg_id, received_at, latitude, longitude, dup_possible, metrics';

/** The frames among these that were stored before, whether or not their events were published. */
export async function findStoredFrames(
  db: Queryable,
  frames: readonly { readonly batchId: string; readonly framedAt: number }[],
): Promise<StoredFrame[]> {
  const found = await db.query<{ batch_id: string; fresh: Buffer; published: boolean }>({
    name: 'find-stored-frames',
    text: `select f.batch_id, f.fresh, f.published_at is not null as published
           from unnest($1::timestamptz[], $2::uuid[]) as w (framed_at, batch_id)
           join ingest_frames f on f.framed_at = w.framed_at and f.batch_id = w.batch_id`,
    values: [frames.map((frame) => new Date(frame.framedAt)), frames.map((frame) => frame.batchId)],
  });
  return found.rows.map((row) => ({
    batchId: row.batch_id,
    fresh: unpackBits(row.fresh),
    published: row.published,
  }));
}

/**
 * Stores a batch of frames in one transaction: readings exactly once, quarantine, dead letters, and one row a frame that
 * proves it. Returns the frames in the order given.
 * @throws the database's error when it is nobody's row that is at fault; nothing was stored then
 */
export async function storeFrames<Row extends ReadingRow>(
  pool: Pool,
  frames: readonly FrameToStore<Row>[],
  rejected: RejectedToQuarantine<Row>,
): Promise<StoredFrame[]> {
  return transaction(pool, async (connection) => {
    const rows = frames.flatMap((frame) => frame.rows);
    const outcome = await storeReadings(connection, firstOfEach(rows));
    const stored = frames.map((frame) => {
      const fresh: boolean[] = [];
      for (const row of frame.rows) fresh[row.slot] = outcome.fresh.has(row);
      const turnedAway = frame.rows.flatMap((row) => {
        const detail = outcome.rejected.get(row);
        return detail === undefined ? [] : [rejected(row, detail)];
      });
      countOutcome(frame, fresh, outcome.rejected);
      return { frame, fresh, quarantine: [...frame.quarantine, ...turnedAway] };
    });
    await insertQuarantine(connection, stored);
    await insertDeadLetters(connection, frames);
    await insertFrames(connection, stored);
    return stored.map(({ frame, fresh }) => ({ batchId: frame.batchId, fresh, published: false }));
  });
}

/** Notes that the events of these frames are on the bus. */
export async function markPublished(
  db: Queryable,
  frames: readonly { readonly batchId: string; readonly framedAt: number }[],
): Promise<void> {
  await db.query({
    name: 'mark-published',
    text: `update ingest_frames f set published_at = now()
           from unnest($1::timestamptz[], $2::uuid[]) as w (framed_at, batch_id)
           where f.framed_at = w.framed_at and f.batch_id = w.batch_id and f.published_at is null`,
    values: [frames.map((frame) => new Date(frame.framedAt)), frames.map((frame) => frame.batchId)],
  });
}

/** Makes sure that the partitions of these UTC days (`YYYY-MM-DD`) exist. */
export async function ensurePartitions(
  db: Queryable,
  parent: 'readings' | 'ingest_frames',
  days: readonly string[],
): Promise<void> {
  for (const day of days) await db.query('select ensure_partition($1, $2::date)', [parent, day]);
}

interface ReadingsOutcome<Row> {
  readonly fresh: Set<Row>;
  readonly rejected: Map<Row, string>;
}

/** The same reading twice in one batch is stored once: the first in the order of the frames. */
function firstOfEach<Row extends ReadingRow>(rows: readonly Row[]): Row[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const key = `${row.deviceId}/${row.ts}/${row.id.high}/${row.id.low}`;
    return !seen.has(key) && seen.add(key);
  });
}

/**
 * COPY straight into the table. A duplicate sends the rows through a staging table; a row the server cannot take is found
 * by halving and turned away alone.
 */
async function storeReadings<Row extends ReadingRow>(
  connection: Connection,
  rows: readonly Row[],
): Promise<ReadingsOutcome<Row>> {
  if (rows.length === 0) return { fresh: new Set(), rejected: new Map() };
  await connection.query('savepoint readings');
  try {
    await copyIn(connection, `copy readings (${COLUMNS}) from stdin (format binary)`, encodeRows(rows));
    await connection.query('release savepoint readings');
    return { fresh: new Set(rows), rejected: new Map() };
  } catch (error) {
    const state = sqlState(error);
    if (!isRowFault(state)) throw error;
    await connection.query('rollback to savepoint readings');
    let fault = error;
    if (state === '23505') {
      await connection.query('savepoint staging');
      try {
        return { fresh: await storeNew(connection, rows), rejected: new Map() };
      } catch (staged) {
        if (!isRowFault(sqlState(staged))) throw staged;
        await connection.query('rollback to savepoint staging');
        fault = staged;
      }
    }
    const [only] = rows;
    if (rows.length === 1 && only) {
      return {
        fresh: new Set(),
        rejected: new Map([[only, errorMessage(fault)]]),
      };
    }
    const half = Math.ceil(rows.length / 2);
    const left = await storeReadings(connection, rows.slice(0, half));
    const right = await storeReadings(connection, rows.slice(half));
    return {
      fresh: left.fresh.union(right.fresh),
      rejected: new Map([...left.rejected, ...right.rejected]),
    };
  }
}

/** A partition is missing: ours to make, not the row's fault. */
export const MISSING_PARTITION = '23514';

/** Data exceptions (class 22) and violated constraints (class 23) are the row's own. */
const isRowFault = (state: string | undefined): boolean =>
  state !== MISSING_PARTITION && (state?.startsWith('22') === true || state?.startsWith('23') === true);

/** Stores the rows that are not there yet and returns them. */
async function storeNew<Row extends ReadingRow>(
  connection: Connection,
  rows: readonly Row[],
): Promise<Set<Row>> {
  await connection.query(`create temporary table if not exists incoming_readings
    (like readings including defaults) on commit delete rows`);
  await connection.query('truncate incoming_readings');
  await copyIn(
    connection,
    `copy incoming_readings (${COLUMNS}) from stdin (format binary)`,
    encodeRows(rows),
  );
  const inserted = await connection.query<{ device_id: number; ts: Date; msg_id: string }>(
    `insert into readings (${COLUMNS}) select ${COLUMNS} from incoming_readings order by device_id, ts, msg_id
     on conflict do nothing returning device_id, ts, msg_id`,
  );
  const fresh = new Set(inserted.rows.map((row) => `${row.device_id}/${row.ts.getTime()}/${row.msg_id}`));
  return new Set(rows.filter((row) => fresh.has(`${row.deviceId}/${row.ts}/${messageIdText(row.id)}`)));
}

function encodeRows(rows: readonly ReadingRow[]): Buffer {
  const writer = new CopyWriter(rows.length * 192);
  for (const row of rows) {
    writer.row(9);
    writer.int4(row.tenantId);
    writer.int4(row.deviceId);
    writer.timestamptz(row.ts);
    writer.int8(row.id.high, row.id.low);
    writer.timestamptz(row.receivedAt);
    writer.float8(row.lat);
    writer.float8(row.lng);
    writer.bool(row.dupPossible);
    writer.jsonb(row.metricsJson);
  }
  return writer.finish();
}

function countOutcome<Row extends ReadingRow>(
  frame: FrameToStore<Row>,
  fresh: readonly boolean[],
  rejected: ReadonlyMap<Row, string>,
): void {
  for (const row of frame.rows) {
    const counts = frame.counts.get(row.tenantId);
    if (!counts) continue;
    if (fresh[row.slot]) counts.stored++;
    else if (rejected.has(row)) counts.quarantined++;
    else counts.duplicate++;
  }
}

async function insertQuarantine(
  connection: Connection,
  stored: readonly { frame: { batchId: string }; quarantine: readonly QuarantineRow[] }[],
): Promise<void> {
  const rows = stored.flatMap(({ frame, quarantine }) =>
    quarantine.map((row) => ({ ...row, batchId: frame.batchId })),
  );
  if (rows.length === 0) return;
  await connection.query(
    `insert into quarantine (tenant_id, device_id, device_key, reason, detail, kind, payload, payload_bytes, received_at,
       batch_id, item_index, part)
     select tenant_id, device_id, device_key, reason, detail, kind, payload, length(payload), received_at, batch_id, item_index, part
     from unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::timestamptz[], $9::uuid[],
       $10::int[], $11::int[]) as q (tenant_id, device_id, device_key, reason, detail, kind, payload, received_at, batch_id, item_index, part)
     on conflict do nothing`,
    [
      rows.map((row) => row.tenantId),
      rows.map((row) => row.deviceId),
      rows.map((row) => row.device),
      rows.map((row) => row.reason),
      rows.map((row) => row.detail.replaceAll('\u0000', '\\u0000').toWellFormed()),
      rows.map((row) => row.kind),
      rows.map((row) => Buffer.from(row.payload)),
      rows.map((row) => new Date(row.receivedAt)),
      rows.map((row) => row.batchId),
      rows.map((row) => row.itemIndex),
      rows.map((row) => row.part),
    ],
  );
}

async function insertDeadLetters(
  connection: Connection,
  frames: readonly FrameToStore<ReadingRow>[],
): Promise<void> {
  for (const frame of frames) {
    for (const letter of frame.deadLetters) {
      await insertDeadLetter(connection, {
        stream: 'TELEMETRY',
        sequence: frame.streamSequence,
        itemIndex: letter.itemIndex,
        payload: letter.payload,
        reason: letter.reason,
      });
    }
  }
}

/** Keeps what nobody can use, with the reason, for an operator to look at. */
export async function insertDeadLetter(
  db: Queryable,
  letter: {
    readonly stream: string;
    readonly sequence: number;
    readonly itemIndex: number;
    readonly payload: Uint8Array;
    readonly reason: string;
  },
): Promise<void> {
  await db.query(
    'insert into dead_letters (stream, stream_sequence, item_index, payload, reason) values ($1, $2, $3, $4, $5) on conflict do nothing',
    [letter.stream, letter.sequence, letter.itemIndex, Buffer.from(letter.payload), letter.reason],
  );
}

async function insertFrames<Row extends ReadingRow>(
  connection: Connection,
  stored: readonly { frame: FrameToStore<Row>; fresh: readonly boolean[] }[],
): Promise<void> {
  await connection.query({
    name: 'insert-frames',
    text: `insert into ingest_frames (framed_at, batch_id, stream_sequence, shard, items, counts, fresh)
           select * from unnest($1::timestamptz[], $2::uuid[], $3::bigint[], $4::int[], $5::int[], $6::jsonb[], $7::bytea[])`,
    values: [
      stored.map(({ frame }) => new Date(frame.framedAt)),
      stored.map(({ frame }) => frame.batchId),
      stored.map(({ frame }) => frame.streamSequence),
      stored.map(({ frame }) => frame.shard),
      stored.map(({ frame }) => frame.items),
      stored.map(({ frame }) => JSON.stringify(Object.fromEntries(frame.counts))),
      stored.map(({ fresh }) => packBits(fresh)),
    ],
  });
}

/** Eight flags a byte, the first in the lowest bit. */
export function packBits(flags: readonly (boolean | undefined)[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil(flags.length / 8));
  for (const [index, flag] of flags.entries()) {
    if (flag) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7));
  }
  return bytes;
}

/** The reverse of `packBits`; as many flags as the bytes hold. */
export function unpackBits(bytes: Uint8Array): boolean[] {
  return Array.from(
    { length: bytes.length * 8 },
    (_, index) => (((bytes[index >> 3] ?? 0) >> (index & 7)) & 1) === 1,
  );
}
