import { isUtf8 } from 'node:buffer';
import { malformed } from './packet-error.ts';

/** Reads the body of a packet from front to back. Every method throws PacketError when the bytes are not what it reads. */
export class PacketBody {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Where the next byte is read. */
  get at(): number {
    return this.#at;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  word(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  long(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  /** A number in one to four bytes, in as few as it needs (MQTT 5, 1.5.5). */
  varint(): number {
    let value = 0;
    for (let index = 0; index < 4; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) << (7 * index);
      if (byte >= 0x80) continue;
      if (byte === 0 && index > 0) throw malformed('a length in more bytes than it needs');
      return value;
    }
    throw malformed('a length of more than four bytes');
  }

  /** UTF-8 without NUL. */
  text(): string {
    const text = this.anyText();
    if (text.includes('\0')) throw malformed('a text holds NUL');
    return text;
  }

  /** UTF-8, NUL included. */
  anyText(): string {
    const bytes = this.binary();
    if (!isUtf8(bytes)) throw malformed('a text is not UTF-8');
    return bytes.toString('utf8');
  }

  /** Bytes behind their length; a view. */
  binary(): Buffer {
    const length = this.word();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** The next `length` bytes as a body of their own. */
  part(length: number): PacketBody {
    const start = this.#take(length);
    return new PacketBody(this.#bytes, start, start + length);
  }

  /** @throws PacketError when something follows */
  finish(): void {
    if (this.left > 0) throw malformed('bytes after the end of a packet');
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#end) throw malformed('a packet is shorter than it says');
    this.#at = at + length;
    return at;
  }
}
