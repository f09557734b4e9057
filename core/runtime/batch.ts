import { setTimeout as sleep } from 'node:timers/promises';
import { OverloadedError, UnavailableError } from './errors.ts';

export interface BatchOptions<Item, Result> {
  /** For the errors. */
  readonly name: string;
  readonly maxItems: number;
  /**
   * How long the first of a batch waits for company, in milliseconds. While a batch runs the next one gathers anyway. While more than
   * 200 items a second come, every batch waits, and no less than 15 ms.
   */
  readonly waitMs: number;
  /** The most items waiting. */
  readonly maxWaiting: number;
  /** How long a batch may run, in milliseconds; then its items fail and the next batch begins. */
  readonly timeoutMs: number;
  /** Two items with the same key never meet in one batch: the later one goes with the next. */
  readonly keyOf?: (item: Item) => unknown;
  /** One result an item, in the same order. */
  run(items: readonly Item[]): Promise<readonly Result[]>;
}

const BUSY_PER_SECOND = 200;
const BUSY_WAIT_MS = 15;
const RATE_WINDOW_MS = 250;

interface Waiting<Item, Result> {
  readonly item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Turns many small questions into few large ones, one batch at a time. Rejects with OverloadedError when
 * `maxWaiting` items wait already, UnavailableError after `timeoutMs`, and whatever `run` throws.
 */
export function createBatch<Item, Result>(
  options: BatchOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  let waiting: Waiting<Item, Result>[] = [];
  let running = false;
  const rate = watchRate();
  const busyWaitMs = Math.max(options.waitMs, BUSY_WAIT_MS);

  const take = (): Waiting<Item, Result>[] => {
    const keys = new Set<unknown>();
    const batch: Waiting<Item, Result>[] = [];
    const later: Waiting<Item, Result>[] = [];
    for (const entry of waiting) {
      const key = options.keyOf ? options.keyOf(entry.item) : entry;
      if (batch.length >= options.maxItems || keys.has(key)) later.push(entry);
      else {
        keys.add(key);
        batch.push(entry);
      }
    }
    waiting = later;
    return batch;
  };

  const runInTime = async (items: readonly Item[]): Promise<readonly Result[]> => {
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(() => timeout.reject(new UnavailableError(options.name)), options.timeoutMs);
    try {
      return await Promise.race([options.run(items), timeout.promise]);
    } finally {
      clearTimeout(timer);
    }
  };

  const work = async () => {
    running = true;
    await sleep(rate.isBusy() ? busyWaitMs : options.waitMs);
    while (waiting.length > 0) {
      const batch = take();
      try {
        const results = await runInTime(batch.map((entry) => entry.item));
        for (const [index, result] of results.entries()) batch[index]?.resolve(result);
      } catch (error) {
        for (const entry of batch) entry.reject(error);
      }
      if (waiting.length > 0 && waiting.length < options.maxItems && rate.isBusy()) await sleep(busyWaitMs);
    }
    running = false;
  };

  return (item) => {
    if (waiting.length >= options.maxWaiting) return Promise.reject(new OverloadedError(options.name));
    rate.count();
    return new Promise<Result>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!running) void work();
    });
  };
}

/** Whether many items a second have come of late. */
function watchRate() {
  let since = performance.now();
  let counted = 0;
  let busy = false;
  return {
    count() {
      counted += 1;
    },
    isBusy() {
      const elapsed = performance.now() - since;
      if (elapsed < RATE_WINDOW_MS) return busy;
      busy = (counted * 1_000) / elapsed > BUSY_PER_SECOND;
      since += elapsed;
      counted = 0;
      return busy;
    },
  };
}
