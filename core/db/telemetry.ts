import { type Connection, type Pool, type Queryable, transaction } from './pool.ts';
import { insertDeadLetter, insertQuarantine, type QuarantineRow } from './quarantine.ts';
import { firstOfEach, type ReadingRow, storeReadings } from './readings.ts';

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
