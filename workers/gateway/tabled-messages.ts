import type { DownlinkMessage } from './downlink-session.ts';

/** Waiting while the tables are read. */
const MAX_HELD = 128;
/** Far more than a device can have open at once: what is forgotten is finished, or comes twice. */
const MAX_REMEMBERED = 512;

/**
 * Which messages that the tables know a connection has had. They come from DOWNLINK as they are made and from the tables when
 * the device is back; each is handed out once, and while the tables are read newer ones wait, so that the order is theirs.
 */
export class TabledMessages {
  readonly #had = new Set<string>();
  #held: DownlinkMessage[] | undefined;
  #lacking = false;

  /** Another connection begins, which has had these. */
  reset(ids: Iterable<string>): void {
    this.#had.clear();
    this.#held = undefined;
    this.#lacking = false;
    for (const id of ids) this.#had.add(id);
  }

  /** The tables are about to be read. */
  begin(): void {
    this.#held ??= [];
    this.#lacking = false;
  }

  get isReading(): boolean {
    return this.#held !== undefined;
  }

  /** Whether a message waits until the tables are read. */
  hold(message: DownlinkMessage): boolean {
    if (!this.#held) return false;
    if (this.#held.length < MAX_HELD) this.#held.push(message);
    else this.#lacking = true;
    return true;
  }

  /** What is to be handed out now that the tables are read, in order. */
  finish(messages: readonly DownlinkMessage[]): readonly DownlinkMessage[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    return [...messages, ...held];
  }

  /** Notes that a message is handed out; false when it was before. */
  take(id: string): boolean {
    if (this.#had.has(id)) return false;
    this.#had.add(id);
    for (const oldest of this.#had) {
      if (this.#had.size <= MAX_REMEMBERED) break;
      this.#had.delete(oldest);
    }
    return true;
  }

  /** It was not handed out after all. */
  forget(id: string): void {
    this.#had.delete(id);
  }

  /** There was no room for a message: the tables are to be read again. */
  lack(): void {
    this.#lacking = true;
  }

  get isLacking(): boolean {
    return this.#lacking && !this.isReading;
  }
}
