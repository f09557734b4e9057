/** Whoever has bytes to write. */
export interface Writer {
  writeDue(): void;
}

export interface WriteQueue {
  /** @param pressing the writer has enough to write, or what somebody waits for: it does not wait for company */
  add(writer: Writer, pressing: boolean): void;
}

export interface WriteQueueOptions {
  /** The longest that answers wait for more of their connection, in milliseconds; 0: never. */
  readonly maxWaitMs: number;
  /** How many answers have become due so far, of all connections. */
  due(): number;
}

/** So many answers a millisecond are no load yet: each connection writes once a turn of the event loop. */
const QUIET_PER_MS = 5;
/** For each answer a millisecond above it, answers wait so much longer. */
const WAIT_MS_PER_RATE = 8;
const RATE_WINDOW_MS = 50;
const TICK_MS = 8;

interface Group {
  readonly since: number;
  readonly writers: Writer[];
}

/**
 * Lets connections write. A write costs the gateway and the device's end a passage through the network stack, whatever is in it: of
 * many devices that each send now and then it is the dearest part of a message. The busier the gateway is, the longer an
 * answer waits for the next one of its connection, up to `maxWaitMs`.
 */
export function createWriteQueue(options: WriteQueueOptions): WriteQueue {
  const { maxWaitMs } = options;
  let writers: Writer[] = [];
  const waiting: Group[] = [];
  let ticking = false;
  let waitMs = 0;
  let measuredAt = Date.now();
  let dueThen = 0;

  const measure = (now: number) => {
    const elapsed = now - measuredAt;
    if (elapsed < RATE_WINDOW_MS) return;
    const perMs = (options.due() - dueThen) / elapsed;
    waitMs = Math.min(maxWaitMs, Math.max(0, Math.round((perMs - QUIET_PER_MS) * WAIT_MS_PER_RATE)));
    [measuredAt, dueThen] = [now, options.due()];
  };
  const writeDue = () => {
    const ready = writers;
    writers = [];
    for (const writer of ready) writer.writeDue();
  };
  const writeWaiting = () => {
    const now = Date.now();
    measure(now);
    for (let first = waiting[0]; first && now - first.since >= waitMs; first = waiting[0]) {
      waiting.shift();
      for (const writer of first.writers) writer.writeDue();
    }
    ticking = waiting.length > 0;
    if (ticking) setTimeout(writeWaiting, TICK_MS);
  };

  return {
    add(writer, pressing) {
      const now = Date.now();
      measure(now);
      if (pressing || waitMs < TICK_MS) {
        if (writers.length === 0) setImmediate(writeDue);
        writers.push(writer);
        return;
      }
      const last = waiting.at(-1);
      if (last && now - last.since < TICK_MS) last.writers.push(writer);
      else waiting.push({ since: now, writers: [writer] });
      if (!ticking) setTimeout(writeWaiting, TICK_MS);
      ticking = true;
    },
  };
}
