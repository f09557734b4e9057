import type { Bus } from '#core/bus/connect.ts';
import { FrameError, type FrameItem, parseFrame } from '#core/bus/messages.ts';
import { type PendingMessage, type PendingMessages, readPending } from '#core/bus/pending.ts';
import { telemetrySubject } from '#core/bus/subjects.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { uuidTime } from '#core/fleet/uuid.ts';

/** A message of a tenant that lies on the stream. */
export interface PendingItem {
  readonly item: FrameItem;
  readonly index: number;
}

/** A frame on the stream, with what it holds of one tenant. */
export interface PendingFrame extends Pick<PendingMessage, 'sequence' | 'streamedAt' | 'origin'> {
  readonly batchId: string;
  readonly framedAt: number;
  readonly items: readonly PendingItem[];
}

export interface InFlight {
  /**
   * The frames on the stream that hold messages of a tenant, oldest first, whether or not they are stored already.
   * `complete` is false when there are more than can be looked at.
   */
  read(tenant: string): Promise<{ readonly frames: readonly PendingFrame[]; readonly complete: boolean }>;
}

/** About a second of a busy shard; with the largest frame 8 MiB a shard that is being asked for. */
const LIMITS = { messages: 1_000, bytes: 8 * 1024 * 1024, timeoutMs: 2_000 };

/** Looks at the stream when asked; those who ask about one shard at the same time share the answer. */
export function createInFlight(bus: Bus, shards: number): InFlight {
  const reading = new Map<number, Promise<PendingMessages>>();
  const readShard = (shard: number): Promise<PendingMessages> => {
    const running = reading.get(shard);
    if (running) return running;
    const started = readPending(bus.connection, 'TELEMETRY', telemetrySubject(shard), LIMITS);
    reading.set(shard, started);
    const forget = () => void reading.delete(shard);
    started.then(forget, forget);
    return started;
  };
  return {
    async read(tenant) {
      const { messages, complete } = await readShard(shardOf(tenant, shards));
      return { frames: messages.flatMap((message) => toFrame(message, tenant)), complete };
    },
  };
}

/** A frame with the messages of one tenant; none where it holds none, or is no frame. */
function toFrame({ bytes, ...place }: PendingMessage, tenant: string): PendingFrame[] {
  try {
    const frame = parseFrame(bytes);
    const items = frame.items.flatMap((item, index) => (item.tenant === tenant ? [{ item, index }] : []));
    const { batchId } = frame;
    return items.length === 0 ? [] : [{ ...place, batchId, framedAt: uuidTime(batchId), items }];
  } catch (error) {
    if (error instanceof FrameError) return [];
    throw error;
  }
}
