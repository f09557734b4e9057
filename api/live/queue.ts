import type { Entry, EntryPart } from './entry.ts';
import type { LiveEvent } from './filter.ts';

/** An event on its way to one subscriber. */
export interface QueuedEvent {
  readonly type: 'event';
  readonly entry: Entry;
  /** The part of the entry it is in. */
  readonly part: EntryPart;
  readonly index: number;
  readonly event: LiveEvent;
}

export interface QueueLimits {
  readonly events: number;
  /** Of the messages the events came in, each event counting its share. */
  readonly bytes: number;
}

/** First in, first out, bounded in number and bytes. */
export class EventQueue {
  readonly #limits: QueueLimits;
  #items: QueuedEvent[] = [];
  #head = 0;
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False when it is full; then nothing was added. One event always fits into an empty queue. */
  push(item: QueuedEvent): boolean {
    const bytes = shareOf(item);
    const full = this.length >= this.#limits.events || this.#bytes + bytes > this.#limits.bytes;
    if (full && this.length > 0) return false;
    this.#items.push(item);
    this.#bytes += bytes;
    return true;
  }

  /** The first ones, at most so many; none when it is empty. */
  take(count: number): readonly QueuedEvent[] {
    const taken = this.#items.slice(this.#head, this.#head + count);
    this.#head += taken.length;
    for (const item of taken) this.#bytes -= shareOf(item);
    if (this.#head > 1_000 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    } else if (this.length === 0) {
      this.#items = [];
      this.#head = 0;
    }
    return taken;
  }
}

const shareOf = ({ entry }: QueuedEvent): number => Math.ceil(entry.bytes / Math.max(1, entry.count));
