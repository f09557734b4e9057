import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '#core/bus/connect.ts';
import { type Following, follow, streamState } from '#core/bus/follow.ts';
import { downlinkSubject } from '#core/bus/subjects.ts';
import { isDownlinkLeaf } from '#core/mqtt/topics.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { DownlinkMessage } from './downlink-session.ts';

/** A message for a device, as it lies on DOWNLINK: JSON, the payload in base64. */
export interface AddressedMessage extends DownlinkMessage {
  readonly tenant: string;
  readonly device: string;
}

export interface DownlinkFollower {
  /**
   * Follows a shard, once. Resolves when everything published from now on will arrive, or after two seconds without
   * an answer of the bus; the shard is then followed from when it answers.
   */
  follow(shard: number): Promise<void>;
  stop(): Promise<void>;
}

export interface FollowerOptions {
  readonly bus: Bus;
  readonly log: Logger;
  onMessage(message: AddressedMessage): void;
}

const PATIENCE_MS = 2_000;
const RETRY_MS = 250;

/** Follows DOWNLINK, one ordered consumer a shard in use. Gateways do not share: each serves the devices it holds. */
export function createDownlinkFollower(options: FollowerOptions): DownlinkFollower {
  const { bus, log } = options;
  const shards = new Map<number, Promise<Following | undefined>>();
  const stopping = new AbortController();

  const open = async (shard: number): Promise<Following | undefined> => {
    while (!stopping.signal.aborted) {
      try {
        const { last } = await streamState(bus, 'DOWNLINK');
        return follow({
          bus,
          stream: 'DOWNLINK',
          filter: downlinkSubject(shard),
          from: last + 1,
          log,
          onMessage: (message) => {
            const addressed = readAddressed(message.data);
            if (addressed) options.onMessage(addressed);
            else log.warn({ stream: 'DOWNLINK', sequence: message.seq }, 'not a downlink message');
          },
          onLost: (first) =>
            log.warn({ shard, first }, 'downlink messages were lost; the tables send them again on connect'),
        });
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
    async stop() {
      stopping.abort();
      await Promise.all([...shards.values()].map(async (following) => (await following)?.stop()));
    },
  };
}

/** Undefined for anything that is no downlink message. */
export function readAddressed(bytes: Uint8Array): AddressedMessage | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { tenant, device, leaf, qos, retain, payload } = parsed as Record<string, unknown>;
  if (typeof tenant !== 'string' || typeof device !== 'string' || typeof payload !== 'string')
    return undefined;
  if (typeof leaf !== 'string' || !isDownlinkLeaf(leaf) || (qos !== 0 && qos !== 1)) return undefined;
  return { tenant, device, leaf, qos, retain: retain === true, payload: Buffer.from(payload, 'base64') };
}
