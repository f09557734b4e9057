import { z } from 'zod';
import { baseConfig, integer, parseConfig, port } from '#core/runtime/config.ts';
import { ConfigError } from '#core/runtime/errors.ts';
import { limitsConfig, planOf } from '#core/runtime/limits-config.ts';

/** Everything the gateway reads from its environment. Lengths are bytes, times milliseconds. */
export function parseGatewayConfig(env: NodeJS.ProcessEnv) {
  const config = parseConfig(
    {
      ...baseConfig,
      ...limitsConfig,
      MQTT_HOST: z.string().default('127.0.0.1'),
      MQTT_PORT: port(1883),
      /** MQTT over TLS, with or without client certificates; 0 or absent is off. */
      MQTTS_PORT: port(0),
      /** PEM files of the server's certificate (its intermediates behind it) and key; needed with MQTTS_PORT. */
      MQTTS_CERT_FILE: z.string().optional(),
      MQTTS_KEY_FILE: z.string().optional(),
      /** MQTT in WebSockets, at /mqtt; 0 or absent is off. Over TLS with MQTT_WS_TLS=true, by the files above. */
      MQTT_WS_PORT: port(0),
      MQTT_WS_TLS: z.stringbool().default(false),
      /** Web origins whose pages may connect, separated by commas; `*` for every one. Clients outside browsers send none. */
      MQTT_WS_ORIGINS: z
        .string()
        .default('')
        .transform((text) => text.split(',').filter(Boolean)),
      /** Reverse proxies of ours before the WebSocket listener: whose `x-forwarded-for` is believed. */
      MQTT_WS_TRUSTED_PROXIES: integer(0, 0, 10),
      /** Where a session is, for people; each life of a process adds its own ending to it. */
      GATEWAY_ID: z.string().min(1).max(64).default('gateway'),
      /** Open sockets of each listener, those still shaking hands included. One more is closed at once. */
      MQTT_MAX_CONNECTIONS: integer(20_000, 1),
      /** A CONNECT must be complete and answered within this time. */
      MQTT_HANDSHAKE_TIMEOUT_MS: integer(10_000, 100),
      /** The longest payload of a PUBLISH or a will. */
      MQTT_MAX_PAYLOAD_BYTES: integer(16_384, 1, 1_000_000),
      /** Messages of one connection without an answer from the bus; its socket is not read beyond. The receive maximum of MQTT 5. */
      MQTT_MAX_INFLIGHT: integer(2_048, 1, 65_535),
      /** The longest time that a session is kept for an absent device, in seconds; clients may ask for less. */
      MQTT_MAX_SESSION_SECONDS: integer(604_800, 0, 4_294_967_294),
      /** The longest keep-alive of a client of MQTT 5, in seconds; one that asks for more or for none is told this one. */
      MQTT_MAX_KEEP_ALIVE_SECONDS: integer(1_200, 1, 65_535),
      /** Messages of all connections without an answer from the bus; no socket is read beyond. */
      MQTT_HIGH_WATER_BYTES: integer(32 * 1024 * 1024, 65_536),
      /** Though the bus is connected, a message has waited this long: its connection is closed, so that the device sends again. */
      MQTT_STORE_TIMEOUT_MS: integer(60_000, 1_000),
      /** How long messages wait for company on their way to the bus. */
      MQTT_FLUSH_INTERVAL_MS: integer(5, 0, 1_000),
      /** How long a PUBACK may wait for the next one of its connection while thousands a second are due; 0 is never. */
      MQTT_ACK_WAIT_MS: integer(200, 0, 1_000),
      /** How long a device may go on sending more than its limits before it is sent away. Until then it is read more slowly. */
      MQTT_THROTTLE_PATIENCE_MS: integer(30_000, 100),
      /** How long a device that connects too often may wait for its turn, and how long an answer to a wrong password is held back. */
      MQTT_CONNECT_DELAY_MS: integer(3_000, 0, 60_000),
      /** Addresses, and as many user names, whose failures are remembered. */
      MQTT_MAX_OFFENDERS: integer(10_000, 1),
      /** How long what is known about a device's credentials is believed without asking again; 30 s at most. */
      CREDENTIAL_TTL_MS: integer(30_000, 0, 30_000),
      /** Devices whose credentials are remembered. */
      CREDENTIAL_CACHE_SIZE: integer(50_000, 1),
    },
    env,
  );
  return { ...config, identity: readIdentity(config), plan: planOf(config) };
}

interface TlsVariables {
  readonly MQTTS_PORT: number;
  readonly MQTT_WS_PORT: number;
  readonly MQTT_WS_TLS: boolean;
  readonly MQTTS_CERT_FILE?: string | undefined;
  readonly MQTTS_KEY_FILE?: string | undefined;
}

/** @throws ConfigError when a TLS listener is wanted and something it needs is missing */
function readIdentity(variables: TlsVariables) {
  const { MQTTS_CERT_FILE: certFile, MQTTS_KEY_FILE: keyFile } = variables;
  const webSocket = variables.MQTT_WS_PORT > 0 && variables.MQTT_WS_TLS;
  if (variables.MQTTS_PORT === 0 && !webSocket) return undefined;
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  const variable = webSocket ? 'MQTT_WS_TLS' : 'MQTTS_PORT';
  throw new ConfigError([`${variable}: needs MQTTS_CERT_FILE and MQTTS_KEY_FILE`]);
}
