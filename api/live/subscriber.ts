import { BUNDLE } from '#api/graphql/bundles.ts';
import type { Bus } from '#core/bus/connect.ts';
import type { Follower } from './audience.ts';
import { type CursorSealer, type Position, WHOLE } from './cursor.ts';
import type { Entry } from './entry.ts';
import type { LiveFilter, LiveKind } from './filter.ts';
import type { LiveMetrics } from './metrics.ts';
import { EventQueue, type QueuedEvent, type QueueLimits } from './queue.ts';
import { pause, readBack } from './read-back.ts';
import type { ShardFeed } from './shard-feed.ts';

/** What a subscriber gets, in order. */
export type Delivery = QueuedEvent | Gap;

/** Events of the shard between two places may not have been delivered. */
export interface Gap {
  readonly type: 'gap';
  readonly from: Position;
  readonly to: Position;
  readonly reason: 'RETENTION' | 'SLOW_CONSUMER';
  /** Publishing times the places stand for, in ms since the epoch. */
  readonly fromAt: number;
  readonly toAt: number;
}

export interface SubscriberOptions {
  readonly bus: Bus;
  /** Called when the first delivery is asked for, and `leave` at the end. */
  readonly enter: () => ShardFeed;
  readonly leave: () => void;
  readonly shard: number;
  readonly sealer: CursorSealer;
  readonly tenantId: number;
  readonly kind: LiveKind;
  readonly filter: LiveFilter;
  /** Everything behind it is delivered. */
  readonly from: Position;
  /** The time that place stands for, in ms since the epoch. */
  readonly fromAt: number;
  readonly limits: QueueLimits;
  readonly metrics: LiveMetrics;
  readonly signal: AbortSignal;
}

const BEHIND_PAUSE_MS = 200;

/**
 * Delivers every wanted event behind a position, each once and in order, for ever. Normally the shard's feed serves it
 * through a bounded queue. When it is too slow for that, or comes from further back, it reads the stream by itself, at
 * its own pace, until the feed covers the place it has reached. A gap is told where the stream no longer holds what it
 * needs. Comes in bundles of what is there at once. Ends when the signal is aborted.
 */
export async function* deliver(options: SubscriberOptions): AsyncGenerator<readonly Delivery[]> {
  const { signal } = options;
  const feed = options.enter();
  const seat = createSeat(options, feed);
  signal.addEventListener('abort', seat.end, { once: true });
  let position = options.from;
  let at = options.fromAt;
  let reason: 'RETENTION' | 'SLOW_CONSUMER' = 'RETENTION';
  try {
    await feed.ready(signal);
    while (!signal.aborted) {
      if (feed.covers(position)) {
        seat.take(position);
        for (let items = await seat.next(); items.length > 0; items = await seat.next()) {
          at = items.at(-1)?.entry.at ?? at;
          options.metrics.delivered(options.kind, items.length);
          yield items;
        }
        position = seat.left.position;
        reason = seat.left.why === 'full' ? 'SLOW_CONSUMER' : 'RETENTION';
        if (seat.left.why === 'full') options.metrics.overflows.inc();
        continue;
      }
      options.metrics.catchUps.inc();
      for await (const found of readBack({ ...options, from: position })) {
        if (found.type === 'lost') {
          yield [{ type: 'gap', from: found.from, to: found.to, fromAt: at, toAt: found.until, reason }];
          position = found.to;
          at = found.until;
        } else if (found.type === 'end') {
          position = found.position;
        } else {
          const { entry } = found;
          for (const items of feed.isRepeat(entry) ? [] : wantedIn(entry, position, options)) {
            options.metrics.delivered(options.kind, items.length);
            yield items;
          }
          position = { created: entry.created, sequence: entry.sequence, index: WHOLE };
          at = entry.at;
        }
        if (signal.aborted || feed.covers(position)) break;
      }
      // The feed itself is behind: it is waiting for the server, or about to hear what was read here.
      if (!feed.covers(position)) await pause(BEHIND_PAUSE_MS, signal);
    }
  } finally {
    signal.removeEventListener('abort', seat.end);
    seat.leave();
    options.leave();
  }
}

/** What is wanted of an entry that lies behind a position, in bundles. */
function* wantedIn(
  entry: Entry,
  position: Position,
  { tenantId, kind, filter }: SubscriberOptions,
): Generator<readonly QueuedEvent[]> {
  const part = entry.partOf(tenantId, kind);
  if (!part) return;
  let items: QueuedEvent[] = [];
  for (let index = part.first; index < part.first + part.count; index++) {
    const event = entry.isBehind(position, index) ? entry.wanted(index, filter) : undefined;
    if (!event) continue;
    items.push({ type: 'event', entry, part, index, event });
    if (items.length < BUNDLE) continue;
    yield items;
    items = [];
  }
  if (items.length > 0) yield items;
}

interface Seat {
  take(position: Position): void;
  /** The next events; none once the queue of a follower that was let go of is empty, or at the end. */
  next(): Promise<readonly QueuedEvent[]>;
  /** Whoever waits for the next event waits no longer, nor does anybody after. */
  end(): void;
  leave(): void;
  /** Where and why the feed let go of it last. */
  readonly left: { readonly position: Position; readonly why: 'full' | 'lost' };
}

function createSeat(options: SubscriberOptions, feed: ShardFeed): Seat {
  const queue = new EventQueue(options.limits);
  let left: Seat['left'] = { position: options.from, why: 'lost' };
  let attached = false;
  let ended = options.signal.aborted;
  let wake: (() => void) | undefined;
  const follower: Follower = {
    tenantId: options.tenantId,
    kind: options.kind,
    filter: options.filter,
    offer(item) {
      const before = queue.bytes;
      if (!queue.push(item)) return false;
      options.metrics.queued(1, queue.bytes - before);
      wake?.();
      return true;
    },
    released(position, why) {
      attached = false;
      left = { position, why };
      wake?.();
    },
  };
  return {
    take(position) {
      attached = true;
      feed.attach(follower, position);
    },
    async next() {
      while (!ended) {
        const before = queue.bytes;
        const items = queue.take(BUNDLE);
        if (items.length > 0) {
          options.metrics.queued(-items.length, queue.bytes - before);
          return items;
        }
        if (!attached) return [];
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
      }
      return [];
    },
    end() {
      ended = true;
      wake?.();
    },
    leave() {
      if (attached) feed.detach(follower);
      attached = false;
      options.metrics.queued(-queue.length, -queue.bytes);
    },
    get left() {
      return left;
    },
  };
}
