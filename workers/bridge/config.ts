import { z } from 'zod';
import { isTenantSlug } from '#core/fleet/ids.ts';
import { baseConfig, integer, parseConfig } from '#core/runtime/config.ts';
import { ConfigError } from '#core/runtime/errors.ts';

/** Everything the bridge reads from its environment. Lengths are bytes, times milliseconds. */
export function parseBridgeConfig(env: NodeJS.ProcessEnv) {
  const { BRIDGE_METER_TENANT: meterTenant, ...config } = parseConfig(
    {
      ...baseConfig,
      /** The outside broker, `mqtt://` or `mqtts://`, with user and password where it asks for them. */
      BRIDGE_URL: z.url({ protocol: /^mqtts?$/, error: 'must be an mqtt:// or mqtts:// address' }),
      /** PEM file of the authority the broker's certificate is checked by; the system's own when absent. */
      BRIDGE_CA_FILE: z.string().optional(),
      /**
       * Names this replica's sessions at the broker, so it must be the same after a restart and another for each replica:
       * what the broker kept for a session comes only to that session.
       */
      BRIDGE_ID: z.string().min(1).max(64),
      /** Connections to the broker, all in one shared subscription. */
      BRIDGE_CONNECTIONS: integer(4, 1, 64),
      /** Replicas with the same group share the load. */
      BRIDGE_GROUP: z
        .string()
        .regex(/^[^/+#]{1,64}$/, 'is a level of a topic')
        .default('fleetgraph'),
      /** Messages of one connection without an acknowledgement; the broker sends no more. */
      BRIDGE_RECEIVE_MAXIMUM: integer(1_000, 1, 65_535),
      /** How long the broker keeps a session without its connection. */
      BRIDGE_SESSION_EXPIRY_S: integer(86_400, 60, 4_294_967_294),
      /** Messages of all connections without an answer from the bus; no connection is read beyond. */
      BRIDGE_HIGH_WATER_BYTES: integer(32 * 1024 * 1024, 65_536),
      /** How long messages wait for company on their way to the bus. */
      BRIDGE_FLUSH_INTERVAL_MS: integer(5, 0, 1_000),
      /** The longest packet the broker may send; keep its own limit for devices below, or it drops what is longer. */
      BRIDGE_MAX_PACKET_BYTES: integer(262_144, 16_384, 900_000),
      /** Whose the devices on `iot/{device}/…` are; without it those topics are not subscribed to. */
      BRIDGE_METER_TENANT: z.string().optional(),
      /** `emqx`: presence from `$SYS/brokers/+/clients/+/…`; `none`: from `status` messages and wills alone. */
      BRIDGE_PRESENCE: z.enum(['emqx', 'none']).default('none'),
      DATABASE_CONNECTIONS: integer(2, 1, 100),
    },
    env,
  );
  if (meterTenant !== undefined && !isTenantSlug(meterTenant))
    throw new ConfigError(['BRIDGE_METER_TENANT: is no tenant']);
  return { ...config, meterTenant };
}
