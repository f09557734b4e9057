import type { Uplink } from './uplink.ts';

interface Receipt {
  /** The message on its way to the bus; undefined once it is stored. */
  uplink: Uplink | undefined;
  /** Repeats that came meanwhile; they are answered together with it. */
  repeats: Uplink[];
}

/**
 * The QoS 2 messages of a session that were taken and that the device has not released, so that a repeat is answered and
 * not taken again (MQTT 5, 4.3.3). Outlives the connection.
 */
export class Inbox {
  readonly #receipts = new Map<number, Receipt>();
  #changes = 0;

  /** @param packetIds of messages that are stored already */
  constructor(packetIds: readonly number[] = []) {
    for (const packetId of packetIds) this.#receipts.set(packetId, { uplink: undefined, repeats: [] });
  }

  /** Counts what would be written down differently. */
  get changes(): number {
    return this.#changes;
  }

  get size(): number {
    return this.#receipts.size;
  }

  /** Taken before and not released since. */
  has(packetId: number): boolean {
    return this.#receipts.has(packetId);
  }

  /** Ids whose messages are stored. */
  stored(): number[] {
    return [...this.#receipts].flatMap(([packetId, { uplink }]) => (uplink ? [] : [packetId]));
  }

  take(uplink: Uplink): void {
    this.#receipts.set(uplink.packetId, { uplink, repeats: [] });
  }

  /** A repeat of a message that was taken. True when that is stored; else the repeat is settled together with it. */
  repeat(uplink: Uplink): boolean {
    const receipt = this.#receipts.get(uplink.packetId);
    if (!receipt?.uplink) return true;
    receipt.repeats.push(uplink);
    return false;
  }

  /** What became of a message; one that was given up is to be taken again. */
  settled(uplink: Uplink, error: Error | undefined): void {
    const receipt = this.#receipts.get(uplink.packetId);
    if (receipt?.uplink !== uplink) return;
    const { repeats } = receipt;
    if (error) this.#receipts.delete(uplink.packetId);
    else {
      receipt.uplink = undefined;
      this.#changes += 1;
      receipt.repeats = [];
    }
    for (const repeat of repeats) repeat.owner?.settled(repeat, error);
  }

  /**
   * The device has heard that its message is stored and will not send it again.
   * @returns `early` when it cannot have heard that yet
   */
  release(packetId: number): 'released' | 'unknown' | 'early' {
    const receipt = this.#receipts.get(packetId);
    if (!receipt) return 'unknown';
    if (receipt.uplink) return 'early';
    this.#receipts.delete(packetId);
    this.#changes += 1;
    return 'released';
  }
}
