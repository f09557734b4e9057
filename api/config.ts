import { z } from 'zod';
import { ROLES, type Role } from '#core/auth/permissions.ts';
import { baseConfig, integer, parseConfig, port } from '#core/runtime/config.ts';
import { ConfigError } from '#core/runtime/errors.ts';
import { limitsConfig } from '#core/runtime/limits-config.ts';

const url = z.string().regex(/^https?:\/\/\S+$/, 'must be an http or https address');

const list = (text: string): string[] => text.split(',').filter(Boolean);

function readRoleNames(text: string, context: z.RefinementCtx): ReadonlyMap<string, Role> {
  const entries = list(text).map((entry): [string, Role] => {
    const [, name = '', given] = /^(.+)=([A-Z]+)$/.exec(entry.trim()) ?? [];
    const role = ROLES.find((each) => each === given);
    if (!role) context.addIssue(`${entry} must be name=ROLE, the role one of ${ROLES.join(', ')}`);
    return [name, role ?? 'VIEWER'];
  });
  return new Map(entries);
}

const shape = {
  ...baseConfig,
  ...limitsConfig,
  HTTP_HOST: z.string().default('127.0.0.1'),
  HTTP_PORT: port(8080),
  /** Where clients reach this process, without a path. */
  PUBLIC_URL: url,
  OIDC_ISSUER: url,
  OIDC_AUDIENCE: z.string().default('urn:fleetgraph:api'),
  OIDC_CLIENT_ID: z.string().default('fleetgraph-console'),
  /** Where an access token says which tenant; a dot descends into an object. The value may be a text, a list or an object with a key for each. */
  OIDC_TENANT_CLAIM: z.string().default('tenant_id'),
  /** Where it says which roles; several paths, separated by commas, add up. */
  OIDC_ROLES_CLAIM: z.string().default('roles').transform(list),
  OIDC_NAME_CLAIM: z.string().default('name'),
  OIDC_EMAIL_CLAIM: z.string().default('email'),
  /** Our roles by the provider's names, `name=ROLE` separated by commas; absent: the names are ours, in any case. */
  OIDC_ROLE_NAMES: z.string().default('').transform(readRoleNames),
  /** How old the provider's keys may get before they are fetched again. */
  OIDC_KEYS_REFRESH_MS: integer(600_000, 100, 86_400_000),
  /** How long its keys stay good while the provider does not answer. */
  OIDC_KEYS_STALE_MS: integer(86_400_000, 1_000, 2_592_000_000),
  /** Least pause between two fetches of its keys, whatever keys tokens name. */
  OIDC_KEYS_COOLDOWN_MS: integer(10_000, 100, 600_000),
  /** The role that makes somebody an operator of the platform. */
  OIDC_OPERATOR_ROLE: z.string().min(1).default('PLATFORM_OPERATOR'),
  /** Where that role is looked for; where the others are by default. */
  OIDC_OPERATOR_CLAIM: z.string().optional(),
  /** The same database as the role for operators of the platform. Without it there are none. */
  OPERATOR_DATABASE_URL: z.string().optional(),
  MQTT_PUBLIC_URL: z.string().default('mqtt://127.0.0.1:1883'),
  /** Where devices reach the TLS listener; absent where there is none. */
  MQTTS_PUBLIC_URL: z.string().optional(),
  /** Map tiles behind the devices, as `https://{s}.tile.example/{z}/{x}/{y}.png`; without, the console asks nobody for any. */
  MAP_TILES_URL: z
    .string()
    .regex(/^https?:\/\//)
    .optional(),
  /** Whom the tiles are owed to; shown as text. */
  MAP_TILES_ATTRIBUTION: z.string().default(''),
  /** The built console; nothing is served when the folder does not exist. */
  CONSOLE_DIR: z.string().default('web/dist'),
  OBJECTS_DIR: z.string().default('.fleetgraph/objects'),
  /** Other web origins that may call the API from a browser, separated by commas. */
  ALLOWED_ORIGINS: z.string().default('').transform(list),
  /** Reverse proxies of ours in front: whose `x-forwarded-for` is believed. 0: the connection's own address counts. */
  TRUSTED_PROXIES: integer(0, 0, 10),
  /** Where a broker of yours asks who may come in and what they may do; 0 is off. Never to be reached from outside. */
  INTERNAL_HOST: z.string().default('127.0.0.1'),
  INTERNAL_PORT: port(0),
  /** Whose the devices are that use `iot/{device}/…` at that broker, as the bridge has it. */
  BRIDGE_METER_TENANT: z.string().optional(),
  /** What that broker presents as `X-Internal-Auth`; needed with INTERNAL_PORT. */
  INTERNAL_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
  /** Answers those questions on HTTP_PORT too, where no second port can be had. */
  INTERNAL_ON_PUBLIC_PORT: z.stringbool().default(false),
  DATABASE_CONNECTIONS: integer(20, 2, 500),
  OPERATOR_DATABASE_CONNECTIONS: integer(4, 2, 100),
  /** Days between the deletion of a tenant and the end of its data; it can be called off until then. 0 is at once. */
  TENANT_DELETE_DAYS: z.coerce.number().min(0).max(365).default(7),
  /** The longest an operation may take, in milliseconds; its SQL is cancelled then. */
  REQUEST_TIMEOUT_MS: integer(30_000, 100, 600_000),
  /** The most an operation may cost; `extensions.cost` tells what each one did. */
  MAX_COST: integer(10_000, 100, 10_000_000),
  /** Operations that may run on one WebSocket at once. */
  SOCKET_MAX_OPERATIONS: integer(100, 1, 10_000),
  /** Events that may wait for one subscriber before it is served from the stream instead. */
  LIVE_QUEUE_EVENTS: integer(2_000, 10, 1_000_000),
  LIVE_QUEUE_BYTES: integer(1_048_576, 4_096, 1_073_741_824),
  /** Bytes of recent events kept for each shard in use, so that a short break needs no reading back. */
  LIVE_RECENT_BYTES: integer(4_194_304, 0, 1_073_741_824),
  /** How long JetStream may take to store a message that came over HTTP, in milliseconds; then 503. */
  HTTP_INGEST_STORE_TIMEOUT_MS: integer(5_000, 50, 60_000),
  /** Messages without an answer from JetStream, in bytes; more are answered 503 at once. */
  HTTP_INGEST_PENDING_BYTES: integer(33_554_432, 65_536, 1_073_741_824),
  /** Bodies in work at once, in bytes. */
  HTTP_INGEST_BODY_BYTES: integer(67_108_864, 65_536, 1_073_741_824),
  /** Devices whose credentials are remembered, and for how many milliseconds. */
  CREDENTIAL_CACHE_SIZE: integer(100_000, 1, 10_000_000),
  CREDENTIAL_TTL_MS: integer(30_000, 0, 30_000),
  /** The largest file of devices that is imported, in bytes, and in rows. */
  IMPORT_MAX_BYTES: integer(5_242_880, 1_024, 104_857_600),
  IMPORT_MAX_ROWS: integer(10_000, 1, 100_000),
  /** Codes that one address may get wrong in a minute before it is refused; each wrong one is answered later than the last. */
  ENROLL_FAILURES_PER_MINUTE: integer(10, 1, 10_000),
  /** Claims of one tenant in a minute, good or not. */
  ENROLL_TENANT_PER_MINUTE: integer(600, 1, 1_000_000),
  /** What a message may be; as for workers/ingest, which quarantines what is beyond. */
  INGEST_MAX_MESSAGE_BYTES: integer(16_384, 1),
  INGEST_MAX_METRICS: integer(100, 1),
  INGEST_MAX_STRING_LENGTH: integer(512, 1),
  INGEST_MAX_READINGS: integer(100, 1),
  INGEST_MAX_AHEAD_MS: integer(86_400_000),
};

/** Environment of the API process; see the shape for defaults and units. */
export type ApiConfig = ReturnType<typeof readApiConfig>;

/** @throws ConfigError naming everything that is missing or malformed */
export function readApiConfig(env: Readonly<Record<string, string | undefined>>) {
  const config = parseConfig(shape, env);
  const asked = config.INTERNAL_PORT > 0 || config.INTERNAL_ON_PUBLIC_PORT;
  if (asked && config.INTERNAL_SECRET === undefined)
    throw new ConfigError(['INTERNAL_SECRET: needed with INTERNAL_PORT and INTERNAL_ON_PUBLIC_PORT']);
  return config;
}
