import { badInput } from '#api/graphql/errors.ts';
import type { Bus } from '#core/bus/connect.ts';
import { shardOf } from '#core/fleet/shards.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { Metrics } from '#core/runtime/metrics.ts';
import { type CursorContent, createCursorSealer, type Position } from './cursor.ts';
import type { LiveFilter, LiveKind } from './filter.ts';
import { createLiveMetrics, type LiveMetrics } from './metrics.ts';
import type { QueueLimits } from './queue.ts';
import { createShardFeed, type ShardFeed } from './shard-feed.ts';
import { readStreamState, type StreamState } from './stream.ts';
import { type Delivery, deliver } from './subscriber.ts';

export interface LiveOptions {
  readonly bus: Bus;
  readonly shards: number;
  /** Seals cursors; 32 bytes. */
  readonly cursorKeys: readonly [Buffer, ...Buffer[]];
  readonly queue: QueueLimits;
  /** Bytes of recent messages kept for each shard in use. */
  readonly recentBytes: number;
  readonly metrics: Metrics;
  readonly log: Logger;
}

interface TenantRef {
  readonly tenantId: number;
  readonly tenantSlug: string;
}

export interface DeliveryRequest {
  readonly tenant: TenantRef;
  readonly kind: LiveKind;
  readonly filter: LiveFilter;
  readonly from: Position;
  readonly fromAt: number;
  readonly signal: AbortSignal;
}

/** The live side of the API: one reader for each shard in use, any number of subscribers. */
export interface LiveFeeds {
  /** See `deliver` in subscriber.ts. */
  deliver(request: DeliveryRequest): AsyncGenerator<readonly Delivery[]>;
  /** @throws GraphQLError with code BAD_USER_INPUT unless the cursor is one of this tenant's */
  openCursor(tenant: TenantRef, cursor: string): CursorContent;
  sealCursor(tenant: TenantRef, position: Position, at: number, partial?: boolean): string;
  shardOf(tenant: TenantRef): number;
  /** What the stream holds, at most a second old. @throws UnavailableError */
  streamState(): Promise<StreamState>;
  readonly metrics: LiveMetrics;
  close(): Promise<void>;
}

/** A shard's reader outlives its last subscriber by this long: whoever reconnects finds it warm. */
const LINGER_MS = 60_000;

export function createLiveFeeds(options: LiveOptions): LiveFeeds {
  const { bus, log } = options;
  const sealer = createCursorSealer(options.cursorKeys);
  const feeds = new Map<
    number,
    { readonly feed: ShardFeed; users: number; timer: NodeJS.Timeout | undefined }
  >();
  const metrics = createLiveMetrics(options.metrics, () => feeds.size);
  const shardOfTenant = ({ tenantSlug }: TenantRef) => shardOf(tenantSlug, options.shards);
  bus.onReconnect(() => {
    for (const { feed } of feeds.values()) feed.renew();
  });

  const enter = (shard: number) => {
    const known = feeds.get(shard);
    const entry = known ?? {
      feed: createShardFeed({ bus, shard, sealer, recentBytes: options.recentBytes, log }),
      users: 0,
      timer: undefined,
    };
    clearTimeout(entry.timer);
    entry.users += 1;
    feeds.set(shard, entry);
    return entry.feed;
  };
  const leave = (shard: number) => {
    const entry = feeds.get(shard);
    if (!entry) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    entry.timer = setTimeout(() => {
      feeds.delete(shard);
      void entry.feed.stop();
    }, LINGER_MS);
    entry.timer.unref();
  };

  let known: { readonly state: StreamState; readonly until: number } | undefined;
  return {
    metrics,
    deliver({ tenant, ...request }) {
      const shard = shardOfTenant(tenant);
      const { tenantId } = tenant;
      return deliver({
        ...{ ...request, bus, shard, sealer, tenantId, metrics },
        limits: options.queue,
        enter() {
          metrics.subscribed(request.kind, 1);
          return enter(shard);
        },
        leave() {
          metrics.subscribed(request.kind, -1);
          leave(shard);
        },
      });
    },
    openCursor(tenant, cursor) {
      const content = sealer.open(cursor);
      if (content?.tenantId !== tenant.tenantId || content.shard !== shardOfTenant(tenant)) {
        throw badInput('the cursor was not given out for this tenant');
      }
      return content;
    },
    sealCursor: (tenant, position, at, partial = false) =>
      sealer.seal({ ...position, at, partial, tenantId: tenant.tenantId, shard: shardOfTenant(tenant) }),
    shardOf: shardOfTenant,
    async streamState() {
      if (known && known.until > Date.now()) return known.state;
      const state = await readStreamState(bus);
      known = { state, until: Date.now() + 1_000 };
      return state;
    },
    async close() {
      await Promise.all(
        [...feeds.values()].map(({ feed, timer }) => {
          clearTimeout(timer);
          return feed.stop();
        }),
      );
      feeds.clear();
    },
  };
}
