import { malformed, PacketError } from './protocol/packet-error.ts';

const EMPTY = Buffer.alloc(0);
/** The remaining length takes at most four bytes (MQTT 3.1.1, 2.2.3). */
const MAX_LENGTH_BYTES = 4;

/**
 * Cuts the bytes of one connection into packets. Bytes are copied only when a packet is spread over several chunks,
 * and then into one buffer of the packet's length; a packet that is announced longer than the limit is refused
 * before any of its body is kept.
 */
export class PacketReader {
  /** Holds the packet that `next` has found; valid until the following `next`. */
  buffer: Buffer = EMPTY;
  /** The first byte: type in the upper four bits, flags in the lower. */
  header = 0;
  /** The body, after the fixed header. */
  start = 0;
  end = 0;
  /** Whether the marker may occur in the packet; false means that it does not. */
  marked = false;

  /** The longest remaining length; may be changed between packets. */
  maxLength: number;
  readonly #marker: Buffer;
  #chunk: Buffer = EMPTY;
  #chunkMarked = false;
  #at = 0;
  #partial: Buffer | undefined;
  #filled = 0;
  #partialHeader = 0;

  constructor(maxLength: number, marker: Buffer) {
    this.maxLength = maxLength;
    this.#marker = marker;
  }

  /** Hands over bytes as they came, which are not copied: see `keep`. */
  push(chunk: Buffer): void {
    const rest = this.#chunk.length - this.#at;
    this.#chunk = rest === 0 ? chunk : Buffer.concat([this.#chunk.subarray(this.#at), chunk]);
    this.#chunkMarked = this.#chunk.includes(this.#marker);
    this.#at = 0;
  }

  /** The bytes handed over last are about to change: makes what is left of them its own. */
  keep(): void {
    if (this.#at < this.#chunk.length) this.#keepRest();
    else this.#drop();
  }

  /**
   * Finds the next complete packet. False when more bytes are needed.
   * @throws PacketError after which the connection cannot be read any further
   */
  next(): boolean {
    if (this.#partial) return this.#fill(this.#partial);
    const chunk = this.#chunk;
    let at = this.#at;
    if (at + 2 > chunk.length) return this.#keepRest();
    const header = chunk.readUInt8(at++);
    let length = 0;
    let complete = false;
    for (let index = 0; index < MAX_LENGTH_BYTES; index++) {
      if (at >= chunk.length) return this.#keepRest();
      const byte = chunk.readUInt8(at++);
      length += (byte & 0x7f) << (7 * index);
      if (byte < 0x80) {
        complete = true;
        break;
      }
    }
    if (!complete) throw malformed('the remaining length has more than four bytes');
    if (length > this.maxLength) {
      throw new PacketError('PACKET_TOO_LARGE', `a packet of ${length} bytes; ${this.maxLength} are allowed`);
    }
    const end = at + length;
    this.header = header;
    if (end > chunk.length) {
      this.#begin(at, length);
      return false;
    }
    this.buffer = chunk;
    this.marked = this.#chunkMarked;
    this.start = at;
    this.end = end;
    this.#at = end;
    return true;
  }

  /** Starts a buffer for a packet of which only the beginning is here. */
  #begin(bodyAt: number, length: number): void {
    const partial = Buffer.allocUnsafeSlow(length);
    this.#filled = this.#chunk.copy(partial, 0, bodyAt);
    this.#partial = partial;
    this.#partialHeader = this.header;
    this.#drop();
  }

  #fill(partial: Buffer): boolean {
    const taken = this.#chunk.copy(partial, this.#filled, this.#at);
    this.#at += taken;
    this.#filled += taken;
    if (this.#filled < partial.length) {
      this.#drop();
      return false;
    }
    this.#partial = undefined;
    this.buffer = partial;
    this.header = this.#partialHeader;
    this.marked = partial.includes(this.#marker);
    this.start = 0;
    this.end = partial.length;
    return true;
  }

  /** Less than a fixed header is left: keeps those bytes alone, not the chunk they came in. */
  #keepRest(): boolean {
    const rest = this.#chunk.subarray(this.#at);
    this.#chunk = rest.length === 0 ? EMPTY : Buffer.from(rest);
    this.#at = 0;
    return false;
  }

  #drop(): void {
    this.#chunk = EMPTY;
    this.#at = 0;
  }
}
