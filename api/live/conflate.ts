import type { TelemetryEvent } from '#core/bus/events.ts';

/** A reading on its way out, with the cursor behind it. */
export interface Reading {
  readonly cursor: string;
  readonly event: TelemetryEvent;
}

/** What comes in is a reading to be merged, or something else that must keep its place. */
export type Conflatable<Other> =
  | { readonly reading: Reading }
  | { readonly other: Other; readonly cursor: string };

/** Values merged per device: the newest of each metric, by time and then by message id. */
export function merge(older: TelemetryEvent, newer: TelemetryEvent): TelemetryEvent {
  const [behind, ahead] = isNewer(older, newer) ? [newer, older] : [older, newer];
  const metrics = { ...behind.metrics, ...ahead.metrics };
  const { flags: _, ...event } = ahead;
  const flags = mergeFlags(behind, ahead);
  return flags ? { ...event, metrics, flags } : { ...event, metrics };
}

/** A flag goes with the value that is kept. */
function mergeFlags(behind: TelemetryEvent, ahead: TelemetryEvent): TelemetryEvent['flags'] {
  if (!behind.flags && !ahead.flags) return undefined;
  const kept = Object.entries(behind.flags ?? {}).filter(([metric]) => !Object.hasOwn(ahead.metrics, metric));
  return { ...Object.fromEntries(kept), ...ahead.flags };
}

function isNewer(a: TelemetryEvent, b: TelemetryEvent): boolean {
  return a.ts !== b.ts ? a.ts > b.ts : BigInt(a.id) > BigInt(b.id);
}

/**
 * Takes readings as fast as they come and gives the merged ones at most `maxHz` times a second for each device. Memory is
 * bounded by devices times metrics. Only the last reading of each flush carries the new cursor, the ones before it carry
 * the last flush's: resuming in between repeats, and never skips. Anything else is passed on behind what came before it.
 */
export async function* conflate<Other>(
  source: AsyncIterable<Conflatable<Other>>,
  options: {
    readonly maxHz: number;
    readonly cursor: string;
    readonly signal: AbortSignal;
    readonly onMerged: () => void;
  },
): AsyncGenerator<Conflatable<Other>> {
  const intervalMs = 1000 / options.maxHz;
  let pending = new Map<number, TelemetryEvent>();
  let reached = options.cursor;
  let flushed = options.cursor;
  let other: { readonly other: Other; readonly cursor: string } | undefined;
  let failure: unknown;
  let ended = false;
  let nextFlushAt = 0;
  let wake: (() => void) | undefined;
  let resume: (() => void) | undefined;

  const pump = async () => {
    try {
      for await (const item of source) {
        if ('other' in item) {
          other = item;
          wake?.();
          await new Promise<void>((resolve) => {
            resume = resolve;
          });
          continue;
        }
        const { event, cursor } = item.reading;
        const waiting = pending.get(event.deviceId);
        if (waiting) options.onMerged();
        pending.set(event.deviceId, waiting ? merge(waiting, event) : event);
        reached = cursor;
        wake?.();
      }
    } catch (error) {
      failure = error;
    }
    ended = true;
    wake?.();
  };
  const pumping = pump();

  try {
    while (!options.signal.aborted) {
      const due = pending.size > 0 && (Date.now() >= nextFlushAt || other !== undefined || ended);
      if (due) {
        const flushing = [...pending.values()];
        pending = new Map();
        const target = reached;
        nextFlushAt = Date.now() + intervalMs;
        for (const [index, event] of flushing.entries()) {
          const isLast = index === flushing.length - 1;
          yield { reading: { event, cursor: isLast ? target : flushed } };
        }
        flushed = target;
      } else if (other !== undefined) {
        const passing = other;
        other = undefined;
        reached = passing.cursor;
        flushed = passing.cursor;
        yield passing;
        resume?.();
      } else if (ended) {
        if (failure !== undefined) throw failure;
        return;
      } else {
        await waitFor(pending.size > 0 ? nextFlushAt - Date.now() : undefined, options.signal, (notify) => {
          wake = notify;
        });
        wake = undefined;
      }
    }
  } finally {
    resume?.();
    await Promise.race([pumping, Promise.resolve()]);
  }
}

/** Until notified, the time is up (never, when undefined) or the signal is aborted. */
function waitFor(
  ms: number | undefined,
  signal: AbortSignal,
  listen: (notify: () => void) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = ms === undefined ? undefined : setTimeout(done, Math.max(0, ms));
    signal.addEventListener('abort', done);
    // While a flush is due at a known time, more readings only join it.
    listen(ms === undefined ? done : () => undefined);
  });
}
