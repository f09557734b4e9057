import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '#core/bus/connect.ts';
import { readAddressed } from '#core/bus/downlink.ts';
import { type Following, follow, type StreamPlace, streamState } from '#core/bus/follow.ts';
import { downlinkSubject } from '#core/bus/subjects.ts';
import { isDownlinkLeaf } from '#core/mqtt/topics.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { DownlinkMessage } from './downlink-session.ts';

/** A message and whom it is for. */
export interface AddressedMessage extends DownlinkMessage {
  readonly place: StreamPlace;
  readonly tenant: string;
  readonly device: string;
}

export interface DownlinkFollower {
  /**
   * Follows a shard, once. Resolves when everything published from now on will arrive, or after two seconds without
   * an answer of the bus; the shard is then followed from when it answers.
   */
  follow(shard: number): Promise<void>;
  /** Up to there everything of a shard has been handed out; undefined while it is not followed. */
  place(shard: number): StreamPlace | undefined;
  stop(): Promise<void>;
}

export interface FollowerOptions {
  readonly bus: Bus;
  readonly log: Logger;
  onMessage(message: AddressedMessage): void;
  /** Messages of a shard may have passed by: what the tables know is to be read from there. */
  onMissed(shard: number): void;
}

const PATIENCE_MS = 2_000;
const RETRY_MS = 250;

/** Follows DOWNLINK, one ordered consumer a shard in use. Gateways do not share: each serves the devices it holds. */
export function createDownlinkFollower(options: FollowerOptions): DownlinkFollower {
  const { bus, log } = options;
  const shards = new Map<number, Promise<Following | undefined>>();
  const places = new Map<number, StreamPlace>();
  const stopping = new AbortController();

  const open = async (shard: number): Promise<Following | undefined> => {
    const begunAt = Date.now();
    while (!stopping.signal.aborted) {
      try {
        const { createdAt, last } = await streamState(bus, 'DOWNLINK');
        const place = { createdAt, sequence: last };
        places.set(shard, place);
        const following = follow({
          bus,
          stream: 'DOWNLINK',
          filter: downlinkSubject(shard),
          from: last + 1,
          log,
          onMessage: (message) => {
            place.sequence = message.seq;
            const addressed = readDownlink(message.data, { ...place });
            if (addressed) options.onMessage(addressed);
            else log.warn({ stream: 'DOWNLINK', sequence: message.seq }, 'not a downlink message');
          },
          onLost: (first) => {
            place.createdAt = first.createdAt;
            place.sequence = first.sequence - 1;
            log.warn({ shard, first }, 'downlink messages were lost; the tables are read instead');
            options.onMissed(shard);
          },
          onQuiet: (sequence) => {
            place.sequence = sequence;
          },
        });
        if (Date.now() - begunAt >= PATIENCE_MS) options.onMissed(shard);
        return following;
      } catch (error) {
        log.warn({ err: error, shard }, 'downlink cannot be followed yet');
        await sleep(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
    return undefined;
  };

  return {
    async follow(shard) {
      let following = shards.get(shard);
      if (!following) {
        following = open(shard);
        shards.set(shard, following);
      }
      await Promise.race([following, sleep(PATIENCE_MS, undefined, { ref: false })]);
    },
    place: (shard) => {
      const place = places.get(shard);
      return place && { ...place };
    },
    async stop() {
      stopping.abort();
      await Promise.all([...shards.values()].map(async (following) => (await following)?.stop()));
    },
  };
}

/** A message on DOWNLINK as it lies there; undefined for anything else. */
export function readDownlink(bytes: Uint8Array, place: StreamPlace): AddressedMessage | undefined {
  const addressed = readAddressed(bytes);
  if (!addressed || !isDownlinkLeaf(addressed.leaf)) return undefined;
  return { ...addressed, leaf: addressed.leaf, place };
}
