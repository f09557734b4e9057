/** JSON text as bytes among those of others. Whoever needs it as a string makes one; few do. */
export class JsonText {
  readonly bytes: Uint8Array;
  /** Where it begins, and where the next one does. */
  readonly from: number;
  readonly to: number;

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.bytes = bytes;
    this.from = from;
    this.to = to;
  }

  /** A text in a buffer of its own. */
  static of(text: string): JsonText {
    const bytes = Buffer.from(text);
    return new JsonText(bytes, 0, bytes.length);
  }

  get length(): number {
    return this.to - this.from;
  }

  toString(): string {
    const { buffer, byteOffset } = this.bytes;
    return Buffer.from(buffer, byteOffset + this.from, this.length).toString('utf8');
  }
}

const BLOCK_BYTES = 64 * 1024;
/** More blocks than a batch of ordinary frames fills are not kept for the next one. */
const MAX_KEPT_BLOCKS = 32;

/**
 * Texts one behind the other, in blocks of 64 KiB that are used again: a batch of readings makes no garbage by its values. What was written
 * stays as it is until `clear`.
 */
export class JsonTexts {
  readonly #blocks: Buffer[] = [];
  /** Of the next block. */
  #next = 0;
  #block: Buffer = Buffer.alloc(0);
  #length = 0;

  /** Bytes of which at least `bytes` are free from `length` on. */
  room(bytes: number): Uint8Array {
    if (this.#length + bytes > this.#block.length) this.#begin(bytes);
    return this.#block;
  }

  /** Where the next text begins in what `room` gave. */
  get length(): number {
    return this.#length;
  }

  /** Takes what was written up to `to` for a text. */
  take(to: number): JsonText {
    const text = new JsonText(this.#block, this.#length, to);
    this.#length = to;
    return text;
  }

  add(text: string): JsonText {
    this.room(text.length * 3);
    return this.take(this.#length + this.#block.write(text, this.#length, 'utf8'));
  }

  /** Forgets all texts. Nobody may read one of them afterwards. */
  clear(): void {
    this.#blocks.splice(MAX_KEPT_BLOCKS);
    this.#next = 0;
    this.#block = Buffer.alloc(0);
    this.#length = 0;
  }

  #begin(bytes: number): void {
    const known = this.#blocks[this.#next];
    if (known && bytes <= known.length) {
      this.#block = known;
      this.#next++;
    } else {
      this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, bytes));
      // One that is longer than the others is kept by its texts alone.
      if (bytes <= BLOCK_BYTES) this.#blocks[this.#next++] = this.#block;
    }
    this.#length = 0;
  }
}
