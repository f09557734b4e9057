/** Sequence numbers that are kept as bits. */
const MAX_SEQUENCE = 1 << 24;
const SEQUENCE_BITS = 47;

/** The ids of the messages of one device that were seen: a bit each for those that the device numbered. */
export class SeenMessages {
  #bits = new Uint8Array(256);
  readonly #others = new Set<string>();
  #boot: bigint | undefined;
  #count = 0;

  /** Different messages. */
  get count(): number {
    return this.#count;
  }

  /** False when it was seen before. */
  add(messageId: string): boolean {
    const fresh = this.#add(messageId);
    if (fresh) this.#count += 1;
    return fresh;
  }

  #add(messageId: string): boolean {
    const id = BigInt(messageId);
    const boot = id >> BigInt(SEQUENCE_BITS);
    this.#boot ??= boot;
    const sequence = Number(BigInt.asUintN(SEQUENCE_BITS, id));
    if (boot !== this.#boot || sequence >= MAX_SEQUENCE) {
      if (this.#others.has(messageId)) return false;
      this.#others.add(messageId);
      return true;
    }
    const [index, bit] = [sequence >> 3, 1 << (sequence & 7)];
    if (index >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(index + 1, this.#bits.length * 2));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    const byte = this.#bits[index] ?? 0;
    this.#bits[index] = byte | bit;
    return (byte & bit) === 0;
  }
}
