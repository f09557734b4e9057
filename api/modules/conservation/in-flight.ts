import type { Bus } from '#core/bus/connect.ts';
import { FrameError, type FrameItem, parseFrame } from '#core/bus/messages.ts';
import { type PendingMessage, type PendingMessages, readPending } from '#core/bus/pending.ts';
import { UPLINK_STREAMS, type UplinkStream, uplinkSubject } from '#core/bus/uplink-streams.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { uuidTime } from '#core/fleet/uuid.ts';

/** A message of a tenant that lies on the stream. */
export interface PendingItem {
  readonly item: FrameItem;
  readonly index: number;
}

/** A frame on the stream, with what it holds of one tenant. */
export interface PendingFrame extends Pick<PendingMessage, 'sequence' | 'streamedAt' | 'origin'> {
  readonly stream: UplinkStream;
  readonly batchId: string;
  readonly framedAt: number;
  readonly items: readonly PendingItem[];
}

export interface InFlight {
  /**
   * The frames on the streams that hold messages of a tenant, those of each stream oldest first, whether or not they are stored already.
   * `complete` is false when there are more than can be looked at.
   */
  read(tenant: string): Promise<{ readonly frames: readonly PendingFrame[]; readonly complete: boolean }>;
}

/** About a second of a busy shard; with the largest frame 8 MiB a shard that is being asked for. */
const LIMITS = { messages: 1_000, bytes: 8 * 1024 * 1024, timeoutMs: 2_000 };

/** Looks at the streams when asked; those who ask about one shard at the same time share the answer. */
export function createInFlight(bus: Bus, shards: number): InFlight {
  const reading = new Map<string, Promise<PendingMessages>>();
  const readShard = (stream: UplinkStream, shard: number): Promise<PendingMessages> => {
    const subject = uplinkSubject(stream, shard);
    const running = reading.get(subject);
    if (running) return running;
    const started = readPending(bus.connection, stream, subject, LIMITS);
    reading.set(subject, started);
    const forget = () => void reading.delete(subject);
    started.then(forget, forget);
    return started;
  };
  return {
    async read(tenant) {
      const shard = shardOf(tenant, shards);
      const all = await Promise.all(
        UPLINK_STREAMS.map(async (stream) => {
          const { messages, complete } = await readShard(stream, shard);
          return { frames: messages.flatMap((message) => toFrame(stream, message, tenant)), complete };
        }),
      );
      return { frames: all.flatMap(({ frames }) => frames), complete: all.every(({ complete }) => complete) };
    },
  };
}

/** A frame with the messages of one tenant; none where it holds none, or is no frame. */
function toFrame(stream: UplinkStream, { bytes, ...place }: PendingMessage, tenant: string): PendingFrame[] {
  try {
    const frame = parseFrame(bytes);
    const items = frame.items.flatMap((item, index) => (item.tenant === tenant ? [{ item, index }] : []));
    const { batchId } = frame;
    return items.length === 0 ? [] : [{ ...place, stream, batchId, framedAt: uuidTime(batchId), items }];
  } catch (error) {
    if (error instanceof FrameError) return [];
    throw error;
  }
}
