import { EventError } from './events.ts';

/** What is known of every reading of a message without decoding it, one entry a reading. */
export interface TelemetryColumns {
  /** When it was taken, as its device says, in ms since the epoch. */
  readonly takenAt: Float64Array;
  /** When it arrived, likewise. */
  readonly receivedAt: Float64Array;
  readonly deviceIds: Int32Array;
  /** Where its body ends, counted from where the first one begins. */
  readonly ends: Uint32Array;
  /** Which of the message's shapes it has. */
  readonly shapes: Uint16Array;
  /** Of its device's name, in bytes. */
  readonly nameLengths: Uint8Array;
}

const ENTRY_BYTES = 8 + 8 + 4 + 4 + 2 + 1;

/** How many bytes the columns of so many readings take: one behind the other, as they are listed above, little-endian. */
export const columnBytes = (count: number): number => count * ENTRY_BYTES;

/** Columns in a buffer of their own, which begins where the first of them does. */
export function columnsIn(buffer: ArrayBuffer, count: number): TelemetryColumns {
  return {
    takenAt: new Float64Array(buffer, 0, count),
    receivedAt: new Float64Array(buffer, 8 * count, count),
    deviceIds: new Int32Array(buffer, 16 * count, count),
    ends: new Uint32Array(buffer, 20 * count, count),
    shapes: new Uint16Array(buffer, 24 * count, count),
    nameLengths: new Uint8Array(buffer, 26 * count, count),
  };
}

/**
 * The columns of a message and how many bytes the names behind them take.
 * @throws EventError when they are cut short or contradict themselves
 */
export function readColumns(
  bytes: Uint8Array,
  at: number,
  count: number,
  shapes: number,
): { readonly columns: TelemetryColumns; readonly nameBytes: number } {
  const end = at + columnBytes(count);
  if (end > bytes.length) throw new EventError('columns are cut short');
  // A copy, because a column must begin at a multiple of its width.
  const columns = columnsIn(new Uint8Array(bytes.subarray(at, end)).buffer, count);
  let nameBytes = 0;
  let before = -1;
  for (let index = 0; index < count; index++) {
    const ends = columns.ends[index] ?? 0;
    if (ends <= before || (columns.shapes[index] ?? 0) >= shapes)
      throw new EventError('columns contradict themselves');
    before = ends;
    nameBytes += columns.nameLengths[index] ?? 0;
  }
  return { columns, nameBytes };
}
