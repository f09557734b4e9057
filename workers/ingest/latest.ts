import type { Bus } from '#core/bus/connect.ts';
import { type Following, follow, streamState } from '#core/bus/follow.ts';
import { eventsSubject } from '#core/bus/subjects.ts';
import { openEvents } from '#core/bus/telemetry-batch.ts';
import { readLatestCursors, rebuildLatest, type ShardCursor, writeLatest } from '#core/db/latest.ts';
import { releaseLeases, takeLeases } from '#core/db/leases.ts';
import type { Pool } from '#core/db/pool.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import type { Logger } from '#core/runtime/logger.ts';
import { createFolds } from './folds.ts';
import type { IngestMetrics } from './metrics.ts';

export interface LatestDeps {
  readonly bus: Bus;
  readonly pool: Pool;
  readonly shards: number;
  /** Names this process among the replicas that could do the same. */
  readonly holder: string;
  readonly log: Logger;
  readonly metrics: IngestMetrics;
}

/** Keeps `device_latest` a second behind EVENTS: one process a shard, by lease. */
export interface LatestFollower {
  start(): void;
  stop(): Promise<void>;
}

const FOLD_MS = 1_000;
const LEASE_MS = 10_000;
/** Stored rows this much older than the last cursor are folded again after a lost place; folding is harmless. */
const REBUILD_MARGIN_MS = 60_000;

interface ShardState {
  readonly following: Following;
  createdAt: string;
  sequence: number;
  /** When the place was lost: what was stored since must be folded from the readings. */
  lostSince: number | undefined;
  /** When everything up to the place was last written. */
  writtenAt: number;
}

export function createLatestFollower(deps: LatestDeps): LatestFollower {
  const { pool, bus, log } = deps;
  const shards = new Map<number, ShardState>();
  const folds = createFolds();
  let clock: Clock | undefined;

  const begin = async (shard: number, cursor: (ShardCursor & { readonly updatedAt: number }) | undefined) => {
    const state = await streamState(bus, 'EVENTS');
    const createdAt = new Date(state.createdAt).toISOString();
    const resumable =
      cursor?.streamCreatedAt === createdAt &&
      cursor.sequence + 1 >= state.first &&
      cursor.sequence <= state.last;
    const from = resumable ? cursor.sequence + 1 : state.first;
    const entry: ShardState = {
      createdAt,
      sequence: from - 1,
      writtenAt: cursor?.updatedAt ?? 0,
      lostSince: cursor !== undefined && !resumable ? cursor.updatedAt : undefined,
      following: follow({
        bus,
        log,
        stream: 'EVENTS',
        filter: eventsSubject(shard, 'telemetry'),
        from,
        onMessage(message) {
          const opened = openEvents(message.data);
          if (opened.kind === 'telemetry') folds.add(opened);
          entry.sequence = message.seq;
        },
        onQuiet(sequence) {
          entry.sequence = sequence;
        },
        onLost(first) {
          entry.lostSince ??= entry.writtenAt;
          entry.createdAt = new Date(first.createdAt).toISOString();
          entry.sequence = first.sequence - 1;
        },
      }),
    };
    shards.set(shard, entry);
  };

  const end = async (shard: number) => {
    const entry = shards.get(shard);
    shards.delete(shard);
    await entry?.following.stop();
  };

  const renew = async () => {
    const names = Array.from({ length: deps.shards }, (_, shard) => `latest/${shard}`);
    const held = new Set(
      (await takeLeases(pool, deps.holder, names, LEASE_MS)).map((name) => Number(name.slice(7))),
    );
    for (const shard of shards.keys()) if (!held.has(shard)) await end(shard);
    const fresh = [...held].filter((shard) => !shards.has(shard));
    if (fresh.length === 0) return;
    const cursors = new Map((await readLatestCursors(pool)).map((cursor) => [cursor.shard, cursor]));
    for (const shard of fresh) await begin(shard, cursors.get(shard));
  };

  const write = async () => {
    const cursors = [...shards].map(([shard, state]) => ({
      shard,
      streamCreatedAt: state.createdAt,
      sequence: state.sequence,
    }));
    const lost = [...shards.values()].filter((state) => state.lostSince !== undefined);
    if (cursors.length === 0) return;
    const began = Date.now();
    const writing = folds.take();
    try {
      if (lost.length > 0) {
        log.warn({ shards: lost.length }, 'place on the stream lost, folding from the readings');
        const since = Math.min(...lost.map((state) => state.lostSince ?? 0));
        await rebuildLatest(pool, new Date(since - REBUILD_MARGIN_MS));
        for (const state of lost) state.lostSince = undefined;
      }
      await writeLatest(pool, writing.folds(), cursors);
      for (const state of shards.values()) state.writtenAt = began;
      deps.metrics.latestFolds.inc(writing.size);
    } catch (error) {
      folds.giveBack(writing);
      throw error;
    }
  };

  let renewedAt = 0;
  return {
    start() {
      clock = every(FOLD_MS, 'latest', log, async () => {
        if (Date.now() - renewedAt > LEASE_MS / 3) {
          await renew();
          renewedAt = Date.now();
        }
        await write();
      });
    },
    async stop() {
      await clock?.stop();
      await Promise.all([...shards.values()].map((state) => state.following.stop()));
      await write().catch((error: unknown) =>
        log.warn({ err: error }, 'last fold not written; the next holder repeats it'),
      );
      await releaseLeases(pool, deps.holder).catch(() => undefined);
    },
  };
}
