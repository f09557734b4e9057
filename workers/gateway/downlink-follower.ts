import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumerMessages } from '@nats-io/jetstream';
import type { Bus } from '#core/bus/connect.ts';
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
   * Follows a shard from now on, once. Resolves when it is followed, or after two seconds without an answer; the
   * shard is then followed as soon as the bus answers, from the moment of the call.
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
  const shards = new Map<number, Promise<void>>();
  const open = new Set<ConsumerMessages>();
  const stopping = new AbortController();

  const consume = async (shard: number, from: string, isOpen: () => void) => {
    let next: { sequence: number } | undefined;
    while (!stopping.signal.aborted) {
      try {
        const place = next ? { opt_start_seq: next.sequence } : { opt_start_time: from };
        const consumer = await bus.js.consumers.get('DOWNLINK', { filter_subjects: downlinkSubject(shard), ...place });
        const messages = await consumer.consume({
          max_messages: 200,
          callback: (message) => {
            next = { sequence: message.seq + 1 };
            const addressed = readAddressed(message.data);
            if (addressed) options.onMessage(addressed);
            else log.warn({ stream: 'DOWNLINK', sequence: message.seq }, 'not a downlink message');
          },
        });
        open.add(messages);
        isOpen();
        await messages.closed();
        open.delete(messages);
      } catch (error) {
        if (!stopping.signal.aborted) log.warn({ err: error, shard }, 'downlink not followed, trying again');
      }
      await sleep(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  return {
    follow(shard) {
      let ready = shards.get(shard);
      if (!ready) {
        const opened = Promise.withResolvers<void>();
        void consume(shard, new Date().toISOString(), opened.resolve);
        ready = Promise.race([opened.promise, sleep(PATIENCE_MS, undefined, { ref: false })]);
        shards.set(shard, ready);
      }
      return ready;
    },
    async stop() {
      stopping.abort();
      await Promise.all([...open].map((messages) => messages.close()));
    },
  };
}

/** Undefined for anything that is no downlink message. */
export function readAddressed(bytes: Uint8Array): AddressedMessage | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { tenant, device, leaf, qos, retain, payload } = parsed as Record<string, unknown>;
  if (typeof tenant !== 'string' || typeof device !== 'string' || typeof payload !== 'string') return undefined;
  if (typeof leaf !== 'string' || !isDownlinkLeaf(leaf) || (qos !== 0 && qos !== 1)) return undefined;
  return { tenant, device, leaf, qos, retain: retain === true, payload: Buffer.from(payload, 'base64') };
}
