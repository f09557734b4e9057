import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { type App, buildApp } from '#api/app.ts';
import { readApiConfig } from '#api/config.ts';
import { createApiKey } from '#core/auth/api-keys.ts';
import { deriveKey } from '#core/auth/keys.ts';
import { openLastingKeys } from '#core/auth/lasting-keys.ts';
import type { Role } from '#core/auth/permissions.ts';
import { createSecretBox } from '#core/auth/secrets.ts';
import type { Bus } from '#core/bus/connect.ts';
import {
  type CommandChangedEvent,
  type EventMessage,
  encodeEvents,
  type PresenceEvent,
  type ShadowEvent,
  type TelemetryEvent,
} from '#core/bus/events.ts';
import { eventsSubject } from '#core/bus/subjects.ts';
import { createPlatformKeyStore } from '#core/db/platform-keys.ts';
import { openPool } from '#core/db/pool.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { createMetrics, type Metrics } from '#core/runtime/metrics.ts';
import type { NatsServer } from '#standalone/nats.ts';
import { openTestDatabase, type TestDatabase } from './database.ts';
import { openTestIssuer, type TestIssuer } from './issuer.ts';
import { openTestBus, openTestNats, quiet } from './nats.ts';
import { TEST_SECRET, type TenantSeed } from './seed.ts';

export const SHARDS = 16;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its document asks for
  readonly data: any;
  readonly errors: readonly {
    readonly message: string;
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
  readonly extensions: Readonly<Record<string, unknown>> | undefined;
}

/** An API in this process on a database, a bus and an identity provider of its own. */
export interface TestApi extends AsyncDisposable {
  readonly url: string;
  readonly database: TestDatabase;
  readonly nats: NatsServer;
  readonly bus: Bus;
  readonly issuer: TestIssuer;
  readonly metrics: Metrics;
  /** Sends an operation with a bearer credential. */
  ask(
    credential: string | undefined,
    query: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** A graphql-ws client that never retries by itself. */
  socket(credential: string | undefined): Client;
  apiKey(tenant: Pick<TenantSeed, 'id'>, role?: Role): Promise<string>;
  /** The SQL that the API sends while `work` runs; transaction control left out. */
  statementsOf(work: () => Promise<unknown>): Promise<string[]>;
  /** Closes the API and opens another one on the same port. */
  restart(): Promise<void>;
  /** The token of an operator of the platform, who is a viewer of this tenant. */
  operator(home: TenantSeed): Promise<string>;
}

export interface TestApiOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly eventsMaxBytes?: number;
  /** False: without a connection for operators of the platform. */
  readonly operators?: boolean;
}

export async function openTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await openTestDatabase());
  const nats = opened.use(await openTestNats());
  const issuer = opened.use(await openTestIssuer());
  const { eventsMaxBytes } = options;
  const limits = eventsMaxBytes === undefined ? {} : { eventsMaxBytes };
  const bus = opened.use(await openTestBus(nats, limits));
  let port = 0;
  let app: App;
  let metrics = createMetrics('api');
  let statements: string[] | undefined;
  const start = async () => {
    const config = readApiConfig({
      DATABASE_URL: database.appUrl,
      FLEETGRAPH_SECRET_KEY: TEST_SECRET,
      NATS_URL: nats.url,
      BUS_SHARDS: String(SHARDS),
      HTTP_PORT: String(port),
      PUBLIC_URL: 'http://127.0.0.1',
      OIDC_ISSUER: issuer.url,
      CONSOLE_DIR: join(tmpdir(), 'no-console'),
      ...options.env,
    });
    const pool = openPool({ url: config.DATABASE_URL, name: 'api', max: 10, log: quiet });
    pool.on('connect', (client) => {
      const send = client.query.bind(client);
      Object.assign(client, {
        query(...args: Parameters<typeof send>) {
          const [first] = args as readonly unknown[];
          const text =
            typeof first === 'string' ? first : String((first as { readonly text?: unknown }).text);
          if (!/^\s*(begin|commit|rollback)/i.test(text)) statements?.push(text);
          return send(...args);
        },
      });
    });
    const operatorPool =
      options.operators === false
        ? undefined
        : openPool({ url: database.operatorUrl, name: 'operator', max: 4, log: quiet });
    const apiBus = await openTestBus(nats, limits);
    metrics = createMetrics('api');
    const { FLEETGRAPH_SECRET_KEY: secret, FLEETGRAPH_SECRET_KEYS_PREVIOUS: previous } = config;
    const keys = await openLastingKeys(createPlatformKeyStore(pool), createSecretBox(secret, previous), [
      secret,
      ...previous,
    ]);
    app = buildApp({
      keys,
      config,
      pool,
      operatorPool,
      bus: apiBus,
      metrics,
      log: quiet,
      checks: {},
      version: 'test',
    });
    port = await app.listen();
    return async () => {
      await app.close(2_000);
      await apiBus.close();
      await pool.end();
      await operatorPool?.end();
    };
  };
  let stop = await start();
  opened.defer(() => stop());
  const keep = opened.move();
  return {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    get metrics() {
      return metrics;
    },
    database,
    nats,
    bus,
    issuer,
    async ask(credential, query, variables = {}, headers = {}) {
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(credential && { authorization: `Bearer ${credential}` }),
          ...headers,
        },
        body: JSON.stringify({ query, variables }),
      });
      const body = (await response.json()) as Omit<Answer, 'status' | 'headers'>;
      return {
        status: response.status,
        headers: response.headers,
        data: body.data,
        errors: body.errors ?? [],
        extensions: body.extensions,
      };
    },
    socket: (credential) =>
      createClient({
        url: `ws://127.0.0.1:${port}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        lazy: true,
        ...(credential && { connectionParams: { authorization: `Bearer ${credential}` } }),
        onNonLazyError: () => undefined,
      }),
    async apiKey(tenant, role = 'ADMIN') {
      const key = createApiKey(deriveKey(TEST_SECRET, 'api-key'));
      await database.admin.query(
        'insert into api_keys (tenant_id, prefix, secret_hash, name, role) values ($1, $2, $3, $4, $5)',
        [tenant.id, key.prefix, key.hash, 'test', role],
      );
      return key.token;
    },
    async statementsOf(work) {
      const seen: string[] = [];
      statements = seen;
      await work();
      statements = undefined;
      return seen;
    },
    operator: (home) =>
      issuer.token({ tenant: home.slug, roles: ['VIEWER', 'PLATFORM_OPERATOR'], subject: 'root' }),
    async restart() {
      await stop();
      stop = await start();
    },
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  };
}

/** Publishes events of a tenant as ingest does; resolves to the stream sequence. */
export async function publishEvents(
  bus: Bus,
  tenant: Pick<TenantSeed, 'id' | 'slug'>,
  events:
    | { readonly telemetry: readonly TelemetryEvent[] }
    | { readonly presence: readonly PresenceEvent[] }
    | { readonly shadow: readonly ShadowEvent[] }
    | { readonly command: readonly CommandChangedEvent[] },
): Promise<number> {
  const head = { v: 1, tenant: tenant.slug, tenantId: tenant.id } as const;
  const message: EventMessage =
    'telemetry' in events
      ? { ...head, kind: 'telemetry', events: events.telemetry }
      : 'presence' in events
        ? { ...head, kind: 'presence', events: events.presence }
        : 'shadow' in events
          ? { ...head, kind: 'shadow', events: events.shadow }
          : { ...head, kind: 'command', events: events.command };
  const ack = await bus.js.publish(
    eventsSubject(shardOf(tenant.slug, SHARDS), message.kind),
    encodeEvents(message),
  );
  return ack.seq;
}

/** Collects what a subscription delivers. */
export interface Collected<Item> {
  readonly items: Item[];
  /** How it ended, once it has. */
  ended: { readonly error: unknown } | undefined;
  stop(): void;
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its document asks for
export function collect<Item = any>(
  client: Client,
  query: string,
  variables: Record<string, unknown> = {},
): Collected<Item> {
  const collected: Collected<Item> = { items: [], ended: undefined, stop: () => undefined };
  collected.stop = client.subscribe<Record<string, Item>>(
    { query, variables },
    {
      next(result) {
        const [item] = Object.values(result.data ?? {});
        if (item) collected.items.push(item);
        if (result.errors) collected.ended = { error: result.errors };
      },
      error(error) {
        collected.ended = { error };
      },
      complete() {
        collected.ended ??= { error: undefined };
      },
    },
  );
  return collected;
}
