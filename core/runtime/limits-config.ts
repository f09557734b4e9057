import { z } from 'zod';
import { integer } from './config.ts';

const rate = (fallback: number) => z.coerce.number().positive().default(fallback);

/**
 * The plan: what a tenant and each of its devices may send where the database says nothing else. The same for gateway and API.
 * Bytes are those of payloads, over MQTT with their topics.
 */
export const limitsConfig = {
  LIMIT_TENANT_MESSAGES_PER_SECOND: rate(50_000),
  LIMIT_TENANT_BYTES_PER_SECOND: rate(64 * 1024 * 1024),
  LIMIT_TENANT_CONNECTS_PER_SECOND: rate(1_000),
  LIMIT_DEVICE_MESSAGES_PER_SECOND: rate(1_000),
  LIMIT_DEVICE_BYTES_PER_SECOND: rate(2 * 1024 * 1024),
  LIMIT_DEVICE_CONNECTS_PER_SECOND: rate(5),
  /** Connects of one address that were let in, all its devices together. */
  LIMIT_ADDRESS_CONNECTS_PER_SECOND: rate(1_000),
  /** So many seconds' worth may come at once after a quiet time. */
  LIMIT_BURST_SECONDS: rate(10),
  /** The most that one tenant may hold of what a process has on its way to the bus, in percent. */
  LIMIT_TENANT_INFLIGHT_PERCENT: integer(25, 1, 100),
  /** Gateways (or API processes) among which a tenant's limits are divided. */
  LIMIT_REPLICAS: integer(1, 1, 1_000),
};

/** The same as rules read it. */
export function planOf(config: z.output<z.ZodObject<typeof limitsConfig>>) {
  return {
    messagesPerSecond: config.LIMIT_TENANT_MESSAGES_PER_SECOND,
    bytesPerSecond: config.LIMIT_TENANT_BYTES_PER_SECOND,
    connectsPerSecond: config.LIMIT_TENANT_CONNECTS_PER_SECOND,
    deviceMessagesPerSecond: config.LIMIT_DEVICE_MESSAGES_PER_SECOND,
    deviceBytesPerSecond: config.LIMIT_DEVICE_BYTES_PER_SECOND,
    deviceConnectsPerSecond: config.LIMIT_DEVICE_CONNECTS_PER_SECOND,
    burstSeconds: config.LIMIT_BURST_SECONDS,
    replicas: config.LIMIT_REPLICAS,
  };
}
