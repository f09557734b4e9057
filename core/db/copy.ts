import { from } from 'pg-copy-streams';
import type { JsonText } from '../fleet/json-text.ts';
import type { Connection } from './pool.ts';

/** PostgreSQL counts from 2000-01-01, in microseconds. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/** A field that is no text takes no more, nor does what stands before a text. */
const MAX_FIELD_BYTES = 12;

/**
 * Builds the binary form of COPY.
 * @see https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-BINARY-FORMAT
 */
export class CopyWriter {
  #buffer: Buffer;
  #view: DataView;
  #length: number;

  /** @param buffer to write into as far as it reaches */
  constructor(buffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024)) {
    this.#buffer = buffer;
    this.#view = viewOf(buffer);
    this.#length = SIGNATURE.copy(this.#buffer);
  }

  /** Begins a row, and makes room for all of it: `jsonBytes` are those of its JSON texts together. */
  row(fields: number, jsonBytes: number): void {
    this.#room(2 + fields * MAX_FIELD_BYTES + jsonBytes);
    this.#view.setInt16(this.#length, fields);
    this.#length += 2;
  }

  null(): void {
    this.#view.setInt32(this.#length, -1);
    this.#length += 4;
  }

  int4(value: number): void {
    this.#view.setInt32(this.#length, 4);
    this.#view.setInt32(this.#length + 4, value);
    this.#length += 8;
  }

  int8(high: number, low: number): void {
    this.#view.setInt32(this.#length, 8);
    this.#view.setInt32(this.#length + 4, high);
    this.#view.setInt32(this.#length + 8, low);
    this.#length += 12;
  }

  /** Milliseconds since 1970. */
  timestamptz(ms: number): void {
    const microseconds = (Math.round(ms) - POSTGRES_EPOCH_MS) * 1_000;
    this.int8(Math.floor(microseconds / 2 ** 32), microseconds | 0);
  }

  float8(value: number | undefined): void {
    if (value === undefined) {
      this.null();
      return;
    }
    this.#view.setInt32(this.#length, 8);
    this.#view.setFloat64(this.#length + 4, value);
    this.#length += 12;
  }

  bool(value: boolean): void {
    this.#view.setInt32(this.#length, 1);
    this.#buffer[this.#length + 4] = value ? 1 : 0;
    this.#length += 5;
  }

  /** The leading byte is the version of the binary jsonb format. */
  jsonb({ bytes, from, to }: JsonText): void {
    const buffer = this.#buffer;
    let at = this.#length;
    this.#view.setInt32(at, to - from + 1);
    buffer[at + 4] = 1;
    at += 5;
    for (let index = from; index < to; index++) buffer[at++] = bytes[index] ?? 0;
    this.#length = at;
  }

  /** The finished stream, in the buffer given or in a larger one. The writer must not be used afterwards. */
  finish(): Buffer {
    this.#room(2);
    this.#length = this.#buffer.writeInt16BE(-1, this.#length);
    return this.#buffer.subarray(0, this.#length);
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
    this.#view = viewOf(larger);
  }
}

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length);

/** Sends a finished stream to `copy … from stdin (format binary)`. Rejects with the server's error. */
export async function copyIn(connection: Connection, statement: string, stream: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const sink = connection.query(from(statement));
    sink.on('error', reject);
    sink.on('finish', resolve);
    sink.end(stream);
  });
}
