import type { Bus } from '#core/bus/connect.ts';
import type { Logger } from '#core/runtime/logger.ts';
import { Audience, type Follower } from './audience.ts';
import { type CursorSealer, isBefore, type Position, WHOLE } from './cursor.ts';
import { Entry, type EntryPart, storedMessage } from './entry.ts';
import { openTail, type Tail } from './tail.ts';

export interface ShardFeedOptions {
  readonly bus: Bus;
  readonly shard: number;
  readonly sealer: CursorSealer;
  /** Bytes of recent messages that are kept. */
  readonly recentBytes: number;
  readonly log: Logger;
}

/**
 * The one reader of a shard in this process. Serves every follower of every tenant in it, and keeps the most recent
 * messages, so that who was away for a moment needs no reader of its own.
 */
export interface ShardFeed {
  /** Resolves when it is known from where on the feed has everything. */
  ready(signal: AbortSignal): Promise<void>;
  /** Where the feed is; undefined before it is ready. */
  readonly position: Position | undefined;
  /** Whether the feed has every message behind the position. */
  covers(position: Position): boolean;
  /** Whether the same message was on the stream before: a publisher that was not sure published it again. */
  isRepeat(entry: Entry): boolean;
  /** Offers everything behind the position that is known, then everything that comes. The feed must cover it. */
  attach(follower: Follower, position: Position): void;
  detach(follower: Follower): void;
  renew(): void;
  stop(): Promise<void>;
}

/** Messages whose ids are remembered; the bus itself remembers them for two minutes only. */
const REMEMBERED_IDS = 20_000;

export function createShardFeed(options: ShardFeedOptions): ShardFeed {
  const { bus, shard, log } = options;
  /** By tenant and kind. */
  const audiences = new Map<string, Audience>();
  const joined = new Map<Follower, Position>();
  /** Kept unopened: what is decoded of a message and lived as long as this would be most of what the process holds. */
  let recent: Entry[] = [];
  /** Somebody came and has looked into `recent`. */
  let lookedInto = false;
  let recentBytes = 0;
  let created = 0;
  /** Everything of the shard behind this sequence is in `recent`. */
  let floor: number | undefined;
  let last = 0;
  const waiting = new Set<() => void>();
  /** The first sequence of each message id. */
  const firstSequence = new Map<string, number>();

  const position = () => (floor === undefined ? undefined : { created, sequence: last, index: WHOLE });

  const letGo = (follower: Follower, at: Position, why: 'full' | 'lost') => {
    remove(follower);
    follower.released(at, why);
  };

  const onPlace = (place: { readonly created: number; readonly sequence: number }) => {
    const before = position();
    for (const [follower, from] of joined)
      letGo(follower, before && isBefore(from, before) ? before : from, 'lost');
    recent = [];
    recentBytes = 0;
    if (created !== place.created) firstSequence.clear();
    created = place.created;
    floor = place.sequence;
    last = place.sequence;
    for (const wake of waiting) wake();
  };

  const isRepeat = ({ id, sequence }: Entry): boolean => {
    const first = id === undefined ? undefined : firstSequence.get(id);
    return first !== undefined && first < sequence;
  };

  const remember = ({ id, sequence }: Entry) => {
    if (id === undefined) return;
    if (firstSequence.size >= REMEMBERED_IDS) firstSequence.delete(firstSequence.keys().next().value ?? '');
    firstSequence.set(id, sequence);
  };

  const keep = (entry: Entry) => {
    recent.push(entry);
    recentBytes += entry.bytes;
    let dropped = 0;
    while (recentBytes > options.recentBytes && dropped < recent.length) {
      const oldest = recent[dropped++];
      recentBytes -= oldest?.bytes ?? 0;
      floor = oldest?.sequence ?? floor;
    }
    if (dropped > 0) recent.splice(0, dropped);
  };

  const dispatch = (entry: Entry) => {
    if (audiences.size === 0) return;
    for (const part of entry.parts) {
      const audience = audiences.get(`${part.tenantId}/${entry.kind}`);
      if (!audience) continue;
      for (let index = part.first; index < part.first + part.count; index++) {
        for (const follower of audience.of(entry, index)) give(follower, entry, part, index);
      }
    }
  };

  const give = (follower: Follower, entry: Entry, part: EntryPart, index: number) => {
    const from = joined.get(follower);
    if (!from || !entry.isBehind(from, index)) return;
    const event = entry.wanted(index, follower.filter);
    if (!event) return;
    if (!follower.offer({ type: 'event', entry, part, index, event }))
      letGo(follower, placeBefore({ created, sequence: entry.sequence, index }), 'full');
  };

  const remove = (follower: Follower) => {
    joined.delete(follower);
    const name = `${follower.tenantId}/${follower.kind}`;
    const audience = audiences.get(name);
    audience?.remove(follower);
    if (audience?.isEmpty) audiences.delete(name);
  };

  const add = (follower: Follower, from: Position) => {
    joined.set(follower, from);
    const name = `${follower.tenantId}/${follower.kind}`;
    const audience = audiences.get(name) ?? new Audience();
    audiences.set(name, audience);
    audience.add(follower);
  };

  const tail: Tail = openTail({
    bus,
    shard,
    log,
    onPlace,
    onMessage(message) {
      const source = { shard, created, sealer: options.sealer };
      const entry = new Entry(source, storedMessage(message));
      last = entry.sequence;
      if (lookedInto) recent = recent.map((each) => each.unopened());
      lookedInto = false;
      keep(entry.unopened());
      if (isRepeat(entry)) return;
      remember(entry);
      dispatch(entry);
    },
    onQuiet(sequence) {
      last = sequence;
      if (recent.length === 0) floor = sequence;
    },
  });

  return {
    ready(signal) {
      if (floor !== undefined || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
    },
    get position() {
      return position();
    },
    covers(wanted) {
      if (floor === undefined || wanted.created !== created) return false;
      return wanted.sequence > floor || (wanted.sequence === floor && wanted.index === WHOLE);
    },
    isRepeat,
    attach(follower, from) {
      add(follower, from);
      for (const entry of recent) {
        if (entry.sequence < from.sequence || isRepeat(entry)) continue;
        lookedInto = true;
        const part = entry.partOf(follower.tenantId, follower.kind);
        for (let index = part?.first ?? 0; part && index < part.first + part.count; index++) {
          give(follower, entry, part, index);
          if (!joined.has(follower)) return;
        }
      }
    },
    detach: remove,
    renew: () => tail.renew(),
    stop: () => tail.stop(),
  };
}

/** Everything before an event. */
function placeBefore({ created, sequence, index }: Position): Position {
  return index === 0
    ? { created, sequence: sequence - 1, index: WHOLE }
    : { created, sequence, index: index - 1 };
}
