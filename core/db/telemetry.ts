import type { Manifest } from './manifest.ts';
import { type Connection, type Pool, type Queryable, transaction } from './pool.ts';
import {
  insertDeadLetter,
  insertQuarantine,
  type QuarantineRow,
  type ReplayOutcome,
  writeReplayOutcomes,
} from './quarantine.ts';
import { type ReadingRow, storeReadings } from './readings.ts';
import { findResends } from './resends.ts';
import { insertSequenceNotes } from './sequence-notes.ts';

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
  /** Where it lay on the bus. */
  readonly stream: string;
  readonly streamSequence: number;
  /** When JetStream stored it, in ms since the epoch. */
  readonly streamedAt: number;
  /** Who made it, where that is known. */
  readonly origin: string | undefined;
  readonly shard: number;
  readonly items: number;
  /** In the order of the frame. */
  readonly rows: readonly Row[];
  readonly quarantine: readonly QuarantineRow[];
  readonly deadLetters: readonly {
    readonly itemIndex: number;
    readonly tenantId: number | undefined;
    readonly device: string;
    readonly payload: Uint8Array;
    readonly reason: string;
  }[];
  /** Replays whose outcome is known before storing; storing finds out about those that are rows. */
  readonly replays: readonly ReplayOutcome[];
  /** Storing says of each row's entry what became of it. */
  readonly manifest: Manifest;
  /** Per tenant id, `NO_TENANT` for messages of nobody we know: what is known before storing; storing adds `stored`, `duplicate` and moves what it rejects. */
  readonly counts: Map<number, FrameCounts>;
}

/** Stands for the tenant of a message whose tenant does not exist. */
export const NO_TENANT = 0;

/** How a frame ended: one flag a slot, true where a new row was stored. */
export interface StoredFrame {
  readonly batchId: string;
  readonly fresh: readonly boolean[];
  readonly published: boolean;
  readonly streamSequence: number;
}

/** A message without readings that is turned away only when it is stored, because the database has nothing it could be about. */
export interface TurnedAway {
  readonly frame: { readonly batchId: string };
  /** Its entry in the frame's manifest. */
  readonly entry: number;
  readonly row: QuarantineRow;
}

/** Stores in the transaction what the frames hold beside readings; returns what it turns away. */
export type StoreMessages<Frame> = (
  connection: Connection,
  frames: readonly Frame[],
) => Promise<readonly TurnedAway[]>;

/** A row the database refused by itself: it goes to quarantine and the rest of the batch goes on. */
export type RejectedToQuarantine<Row> = (
  row: Row,
  detail: string,
  frame: { readonly batchId: string },
) => QuarantineRow;

/** The frames among these that were stored before, whether or not their events were published. */
export async function findStoredFrames(
  db: Queryable,
  frames: readonly { readonly batchId: string; readonly framedAt: number }[],
): Promise<StoredFrame[]> {
  const found = await db.query<{
    batch_id: string;
    fresh: Buffer;
    published: boolean;
    stream_sequence: string;
  }>({
    name: 'find-stored-frames',
    text: `select f.batch_id, f.fresh, f.published_at is not null as published, f.stream_sequence
           from unnest($1::timestamptz[], $2::uuid[]) as w (framed_at, batch_id)
           join ingest_frames f on f.framed_at = w.framed_at and f.batch_id = w.batch_id`,
    values: [frames.map((frame) => new Date(frame.framedAt)), frames.map((frame) => frame.batchId)],
  });
  return found.rows.map((row) => ({
    batchId: row.batch_id,
    fresh: unpackBits(row.fresh),
    published: row.published,
    streamSequence: Number(row.stream_sequence),
  }));
}

/**
 * Stores a batch of frames in one transaction: readings exactly once, quarantine, dead letters, the numbers of the messages,
 * and one row a frame that proves it. Returns the frames in the order given.
 * @param worker who stores them
 * @throws the database's error when it is nobody's row that is at fault; nothing was stored then
 */
export async function storeFrames<Row extends ReadingRow, Frame extends FrameToStore<Row>>(
  pool: Pool,
  frames: readonly Frame[],
  rejected: RejectedToQuarantine<Row>,
  worker: string,
  storeMessages: StoreMessages<Frame> = async () => [],
): Promise<StoredFrame[]> {
  return transaction(pool, async (connection) => {
    const rows = frames.flatMap((frame) => frame.rows);
    const resends = await findResends(connection, rows);
    const { known, rejected: refused } = await storeReadings(
      connection,
      resends.size === 0 ? rows : rows.filter((row) => !resends.has(row)),
    );
    const fateOf = (row: Row) =>
      refused.has(row) ? 'QUARANTINED' : known.has(row) || resends.has(row) ? 'DUPLICATE' : 'STORED';
    const returned = await storeMessages(connection, frames);
    const stored = frames.map((frame) => {
      const turnedAway = (refused.size === 0 ? [] : frame.rows).flatMap((row) => {
        const detail = refused.get(row);
        return detail === undefined ? [] : [rejected(row, detail, frame)];
      });
      const back = returned.filter((each) => each.frame.batchId === frame.batchId);
      const { fresh, replays } = settleRows(frame, fateOf);
      return {
        ...{ frame, fresh },
        quarantine: [...frame.quarantine, ...turnedAway, ...back.map(({ row }) => row)],
        replays: [...replays, ...back.flatMap((each) => settleReturned(frame, each))],
      };
    });
    await insertQuarantine(connection, stored);
    await writeReplayOutcomes(
      connection,
      stored.flatMap(({ frame, replays }) => [...frame.replays, ...replays]),
    );
    await insertDeadLetters(connection, frames);
    await insertSequenceNotes(
      connection,
      refused.size === 0 ? rows : rows.filter((row) => !refused.has(row)),
    );
    await insertFrames(connection, stored, worker);
    return stored.map(({ frame: { batchId, streamSequence }, fresh }) => {
      return { batchId, streamSequence, fresh, published: false };
    });
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

/** Counts what became of the rows and says it in the manifest; returns which are new and what became of the replays among them. */
function settleRows<Row extends ReadingRow>(
  frame: FrameToStore<Row>,
  fateOf: (row: Row) => 'STORED' | 'DUPLICATE' | 'QUARANTINED',
): { readonly fresh: readonly boolean[]; readonly replays: readonly ReplayOutcome[] } {
  const fresh: boolean[] = [];
  const replays: ReplayOutcome[] = [];
  for (const row of frame.rows) {
    const fate = fateOf(row);
    fresh[row.slot] = fate === 'STORED';
    if (fate !== 'STORED') frame.manifest.settle(row.entry, fate);
    const counts = frame.counts.get(row.tenantId);
    if (counts && fate === 'STORED') counts.stored++;
    else if (counts && fate === 'QUARANTINED') counts.quarantined++;
    else if (counts) counts.duplicate++;
    if (row.replayOf !== undefined) {
      const { tenantId, replayOf: quarantineId } = row;
      const reason = fate === 'QUARANTINED' ? 'STORE_REJECTED' : undefined;
      replays.push({ quarantineId, tenantId, outcome: fate, reason, reading: row });
    }
  }
  return { fresh, replays };
}

/** Moves a message that was taken for a good one to what is turned away; returns what became of the replay that it is. */
function settleReturned(frame: FrameToStore<ReadingRow>, { entry, row }: TurnedAway): ReplayOutcome[] {
  frame.manifest.settle(entry, 'QUARANTINED');
  const counts = countsOf(frame.counts, row.tenantId);
  counts.accepted++;
  counts.quarantined++;
  if (row.replayOf === undefined) return [];
  const { tenantId, replayOf: quarantineId, reason } = row;
  return [{ quarantineId, tenantId, outcome: 'QUARANTINED', reason, reading: undefined }];
}

/** What is counted of a tenant, from nothing on its first message. */
export function countsOf(counts: Map<number, FrameCounts>, tenantId: number): FrameCounts {
  let tenant = counts.get(tenantId);
  if (!tenant) {
    tenant = { accepted: 0, stored: 0, duplicate: 0, quarantined: 0, deadLettered: 0 };
    counts.set(tenantId, tenant);
  }
  return tenant;
}

/** As `ingest_frames.counts` holds them: for a tenant all of whose messages were stored a number, otherwise what is not nothing. */
function writeCounts(counts: ReadonlyMap<number, FrameCounts>): string {
  const entries = [...counts].map(([tenantId, own]) => {
    if (own.stored === own.accepted) return [tenantId, own.stored];
    return [tenantId, Object.fromEntries(Object.entries(own).filter(([, count]) => count > 0))];
  });
  return JSON.stringify(Object.fromEntries(entries));
}

async function insertDeadLetters(
  connection: Connection,
  frames: readonly FrameToStore<ReadingRow>[],
): Promise<void> {
  for (const { batchId, stream, streamSequence: sequence, streamedAt, deadLetters } of frames) {
    for (const letter of deadLetters) {
      await insertDeadLetter(connection, {
        ...{ ...letter, stream, sequence, streamedAt, batchId },
      });
    }
  }
}

async function insertFrames<Row extends ReadingRow>(
  connection: Connection,
  stored: readonly { frame: FrameToStore<Row>; fresh: readonly boolean[] }[],
  worker: string,
): Promise<void> {
  await connection.query({
    name: 'insert-frames',
    text: `insert into ingest_frames (framed_at, batch_id, stream_sequence, shard, items, counts, fresh, streamed_at, origin, manifest, stream, worker)
           select w.*, $12 from unnest($1::timestamptz[], $2::uuid[], $3::bigint[], $4::int[], $5::int[], $6::jsonb[], $7::bytea[],
             $8::timestamptz[], $9::text[], $10::bytea[], $11::text[]) w`,
    values: [
      stored.map(({ frame }) => new Date(frame.framedAt)),
      stored.map(({ frame }) => frame.batchId),
      stored.map(({ frame }) => frame.streamSequence),
      stored.map(({ frame }) => frame.shard),
      stored.map(({ frame }) => frame.items),
      stored.map(({ frame }) => writeCounts(frame.counts)),
      stored.map(({ fresh }) => packBits(fresh)),
      stored.map(({ frame }) => new Date(frame.streamedAt)),
      stored.map(({ frame }) => frame.origin ?? null),
      stored.map(({ frame }) => frame.manifest.bytes),
      stored.map(({ frame }) => frame.stream),
      worker,
    ],
  });
}

/** A frame that came under a second sequence of its stream, although its batch is stored. */
export interface RepeatedFrame {
  readonly stream: string;
  readonly batchId: string;
  readonly streamSequence: number;
  readonly streamedAt: number;
}

/** Notes repeats, so that their sequences are accounted for. One that is noted already stays. */
export async function noteRepeats(db: Queryable, repeats: readonly RepeatedFrame[]): Promise<void> {
  await db.query(
    `insert into ingest_repeats (stream, stream_sequence, streamed_at, batch_id)
     select * from unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::uuid[]) on conflict do nothing`,
    [
      repeats.map((repeat) => repeat.stream),
      repeats.map((repeat) => repeat.streamSequence),
      repeats.map((repeat) => new Date(repeat.streamedAt)),
      repeats.map((repeat) => repeat.batchId),
    ],
  );
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
