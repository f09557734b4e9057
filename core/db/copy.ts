import { from } from 'pg-copy-streams';
import type { Connection } from './pool.ts';

/** PostgreSQL counts from 2000-01-01, in microseconds. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/**
 * Builds the binary form of COPY.
 * @see https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-BINARY-FORMAT
 */
export class CopyWriter {
  #buffer: Buffer;
  #length: number;

  constructor(capacity = 64 * 1024) {
    this.#buffer = Buffer.allocUnsafe(Math.max(capacity, 1024));
    this.#length = SIGNATURE.copy(this.#buffer);
  }

  row(fields: number): void {
    this.#room(2);
    this.#length = this.#buffer.writeInt16BE(fields, this.#length);
  }

  null(): void {
    this.#room(4);
    this.#length = this.#buffer.writeInt32BE(-1, this.#length);
  }

  int4(value: number): void {
    this.#room(8);
    this.#length = this.#buffer.writeInt32BE(4, this.#length);
    this.#length = this.#buffer.writeInt32BE(value, this.#length);
  }

  int8(high: number, low: number): void {
    this.#room(12);
    this.#length = this.#buffer.writeInt32BE(8, this.#length);
    this.#length = this.#buffer.writeInt32BE(high, this.#length);
    this.#length = this.#buffer.writeInt32BE(low, this.#length);
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
    this.#room(12);
    this.#length = this.#buffer.writeInt32BE(8, this.#length);
    this.#length = this.#buffer.writeDoubleBE(value, this.#length);
  }

  bool(value: boolean): void {
    this.#room(5);
    this.#length = this.#buffer.writeInt32BE(1, this.#length);
    this.#length = this.#buffer.writeUInt8(value ? 1 : 0, this.#length);
  }

  /** JSON text; the leading byte is the version of the binary jsonb format. */
  jsonb(text: string): void {
    this.#room(5 + text.length * 3);
    const written = this.#buffer.write(text, this.#length + 5, 'utf8');
    this.#buffer.writeInt32BE(written + 1, this.#length);
    this.#buffer[this.#length + 4] = 1;
    this.#length += 5 + written;
  }

  /** The finished stream. The writer must not be used afterwards. */
  finish(): Buffer {
    this.#room(2);
    this.#length = this.#buffer.writeInt16BE(-1, this.#length);
    return this.#buffer.subarray(0, this.#length);
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** Sends a finished stream to `copy … from stdin (format binary)`. Rejects with the server's error. */
export async function copyIn(connection: Connection, statement: string, stream: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const sink = connection.query(from(statement));
    sink.on('error', reject);
    sink.on('finish', resolve);
    sink.end(stream);
  });
}
