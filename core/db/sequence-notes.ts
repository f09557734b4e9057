import { numbersOf } from '../fleet/message-id.ts';
import type { Connection } from './pool.ts';
import type { ReadingRow } from './readings.ts';

/** That a device gave a message this number. Times are milliseconds since the epoch. */
export interface SequenceNote {
  readonly deviceId: number;
  readonly boot: number;
  readonly seq: number;
  readonly at: number;
}

const NOTE_BYTES = 20;

/**
 * Notes the numbers of a batch's messages, all in one row: device (4), boot (2), sequence (6), arrival (8, float64), little-endian.
 * The readings of one message share its number and count once. Rows that follow each other must be in the order of arrival.
 */
export async function insertSequenceNotes(
  connection: Connection,
  rows: readonly ReadingRow[],
): Promise<void> {
  const bytes = Buffer.allocUnsafe(rows.length * NOTE_BYTES);
  let at = 0;
  let before: ReadingRow | undefined;
  for (const row of rows) {
    const { high, low } = row.id;
    const numbers = numbersOf(row.id);
    if (!numbers) continue;
    const sameMessage =
      before?.itemIndex === row.itemIndex &&
      before.deviceId === row.deviceId &&
      before.id.low === low &&
      before.id.high === high &&
      before.slot + 1 === row.slot;
    before = row;
    if (sameMessage) continue;
    bytes.writeInt32LE(row.deviceId, at);
    bytes.writeUInt16LE(numbers.boot, at + 4);
    bytes.writeUIntLE(numbers.seq, at + 6, 6);
    bytes.writeDoubleLE(row.receivedAt, at + 12);
    at += NOTE_BYTES;
  }
  if (at === 0) return;
  await connection.query({
    name: 'insert-sequence-notes',
    text: 'insert into sequence_notes (notes) values ($1)',
    values: [bytes.subarray(0, at)],
  });
}

/** Takes away up to `limit` rows of notes, the oldest first, and says what they hold; another taker's are passed over. */
export async function takeSequenceNotes(connection: Connection, limit: number): Promise<SequenceNote[][]> {
  const taken = await connection.query<{ id: string; notes: Buffer }>(
    `delete from sequence_notes where id = any(array(
       select id from sequence_notes order by id limit $1 for update skip locked)) returning id, notes`,
    [limit],
  );
  return taken.rows.sort((a, b) => Number(a.id) - Number(b.id)).map(({ notes }) => readNotes(notes));
}

function readNotes(bytes: Buffer): SequenceNote[] {
  const notes: SequenceNote[] = [];
  for (let at = 0; at < bytes.length; at += NOTE_BYTES) notes.push(readNote(bytes, at));
  return notes;
}

const readNote = (bytes: Buffer, at: number): SequenceNote => ({
  deviceId: bytes.readInt32LE(at),
  boot: bytes.readUInt16LE(at + 4),
  seq: bytes.readUIntLE(at + 6, 6),
  at: bytes.readDoubleLE(at + 12),
});
