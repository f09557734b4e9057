/** What gathering needs to know of a message. */
export interface Gatherable {
  readonly seq: number;
  readonly data: Uint8Array;
}

export interface GatherOptions {
  /** The most messages in one batch, and the most bytes. */
  readonly batchMessages: number;
  readonly batchBytes: number;
  /** How far apart batches begin while messages follow each other closely, in ms. */
  readonly gatherMs: number;
}

/** Messages that have come and wait for their batch, in the order of their first coming. */
export interface Gathering<Message extends Gatherable> {
  /** What comes again while it waits replaces the older copy. */
  add(message: Message): void;
  /**
   * The next batch: at once when it is full or when messages are few, else `gatherMs` after the one before. At most one caller may
   * wait. Undefined once it has ended.
   */
  next(): Promise<readonly Message[] | undefined>;
  /** No more batches; what waits stays. */
  end(): void;
  waiting(): Iterable<Message>;
  readonly size: number;
}

/** So many messages within the time to gather follow each other closely. */
const CLOSE_MESSAGES = 4;

/** Puts messages together so that what a batch costs is spread over many of them, and lets a lone message pass at once. */
export function createGathering<Message extends Gatherable>({
  batchMessages,
  batchBytes,
  gatherMs,
}: GatherOptions): Gathering<Message> {
  const held = new Map<number, Message>();
  /** When the last messages came, as a ring. */
  const arrivals = new Float64Array(CLOSE_MESSAGES).fill(Number.NEGATIVE_INFINITY);
  let arrived = 0;
  /** When the next batch may begin. */
  let nextAt = 0;
  let ended = false;
  let wake: (() => void) | undefined;

  const takeBatch = (): Message[] => {
    const batch: Message[] = [];
    let bytes = 0;
    for (const [sequence, message] of held) {
      bytes += message.data.length;
      if (batch.length > 0 && (batch.length >= batchMessages || bytes > batchBytes)) break;
      batch.push(message);
      held.delete(sequence);
    }
    nextAt = held.size > 0 ? 0 : performance.now() + gatherMs;
    return batch;
  };

  /** How long the next batch waits for company, in ms. */
  const pauseMs = (): number => {
    const now = performance.now();
    const close = now - (arrivals[arrived % CLOSE_MESSAGES] ?? 0) < gatherMs;
    return close && held.size < batchMessages ? nextAt - now : 0;
  };

  /** Until `enough` says so after a message or the end, at the latest after so many ms. */
  const until = (enough: () => boolean, ms?: number): Promise<void> =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        wake = undefined;
        resolve();
      };
      const timer = ms === undefined ? undefined : setTimeout(done, ms);
      wake = () => {
        if (ended || enough()) done();
      };
    });

  return {
    add(message) {
      held.set(message.seq, message);
      arrivals[arrived++ % CLOSE_MESSAGES] = performance.now();
      wake?.();
    },
    async next() {
      if (!ended && held.size === 0) await until(() => held.size > 0);
      const ms = ended ? 0 : pauseMs();
      if (ms > 0) await until(() => held.size >= batchMessages, ms);
      return ended ? undefined : takeBatch();
    },
    end() {
      ended = true;
      wake?.();
    },
    waiting: () => held.values(),
    get size() {
      return held.size;
    },
  };
}
