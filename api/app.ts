import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Pool } from 'pg';
import { deriveKey, type KeyPurpose } from '#core/auth/keys.ts';
import type { LastingKeys } from '#core/auth/lasting-keys.ts';
import { createSecretBox } from '#core/auth/secrets.ts';
import { createAuthenticator } from '#core/auth/viewer.ts';
import type { Bus } from '#core/bus/connect.ts';
import { createPublisher } from '#core/bus/publish.ts';
import { readStreamStates } from '#core/bus/stream-states.ts';
import { createFileStore } from '#core/objects/file-store.ts';
import { clientAddress } from '#core/runtime/client-address.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import { answerHealth, portOf } from '#core/runtime/health.ts';
import { planOf } from '#core/runtime/limits-config.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { Metrics } from '#core/runtime/metrics.ts';
import { listenForChanges } from './caches.ts';
import type { ApiConfig } from './config.ts';
import {
  findApiKey,
  findInvitation,
  findMemberships,
  findTenant,
  touchApiKey,
} from './database/credentials.ts';
import { createOperatorDatabase } from './database/operator.ts';
import { withReadScope } from './database/read-scope.ts';
import { createWrites } from './database/writes.ts';
import { createEnroll } from './enroll.ts';
import { createGraphqlServer } from './graphql/server.ts';
import { createAuditExportDoor } from './http/audit-export.ts';
import { createConsole } from './http/console.ts';
import { createCredentialWatch } from './http/credential-watch.ts';
import { createCrlDoor } from './http/crl.ts';
import { createImportDoor } from './http/device-import.ts';
import { serveFile } from './http/files.ts';
import { createGate, presentedBy } from './http/gate.ts';
import { holdRequest } from './http/held-request.ts';
import { createInternalServer } from './http/internal-server.ts';
import { createKeyUse } from './http/key-use.ts';
import { createMqttHooks } from './http/mqtt-hooks.ts';
import { createSocketDoor } from './http/socket.ts';
import { createIdentity } from './identity.ts';
import { createIngest } from './ingest.ts';
import { createLiveFeeds } from './live/feeds.ts';
import { openAuditExport } from './modules/audit/export.ts';
import { makeRevocationList } from './modules/certificates/revocation.ts';
import { createInFlight } from './modules/conservation/in-flight.ts';
import { createDeviceCache } from './modules/devices/cache.ts';
import { importDevices } from './modules/devices/import/run.ts';
import { createProvision } from './modules/provisioning-tokens/provision.ts';
import type { Platform } from './platform.ts';
import { createSignIns } from './sign-ins.ts';

/** How often what came over HTTP is added to its tenants' usage. */
const USAGE_EVERY_MS = 10_000;

export interface AppDeps {
  readonly config: ApiConfig;
  readonly pool: Pool;
  /** As the role of operators of the platform; without it there are none. */
  readonly operatorPool?: Pool | undefined;
  readonly bus: Bus;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** What stored secrets are hashed under. */
  readonly keys: LastingKeys;
  /** What `/readyz` asks. */
  readonly checks: Readonly<Record<string, () => boolean>>;
  readonly version: string;
}

export interface App {
  /** Opens the doors; resolves to the port. */
  listen(): Promise<number>;
  /** Sends sockets away, lets requests finish until the deadline, then ends them; resolves to how many that were. */
  close(deadlineMs: number): Promise<number>;
}

/** The whole API on a database and a bus. */
export function buildApp(deps: AppDeps): App {
  const { config, pool, bus, metrics, log, keys: lasting } = deps;
  const secret = config.FLEETGRAPH_SECRET_KEY;
  const keysFor = (purpose: KeyPurpose): [Buffer, ...Buffer[]] => [
    deriveKey(secret, purpose),
    ...config.FLEETGRAPH_SECRET_KEYS_PREVIOUS.map((earlier) => deriveKey(earlier, purpose)),
  ];
  const secretBox = createSecretBox(secret, config.FLEETGRAPH_SECRET_KEYS_PREVIOUS);
  const devices = createDeviceCache();
  const live = createLiveFeeds({
    bus,
    log,
    metrics,
    shards: config.BUS_SHARDS,
    cursorKeys: keysFor('cursor'),
    queue: { events: config.LIVE_QUEUE_EVENTS, bytes: config.LIVE_QUEUE_BYTES },
    recentBytes: config.LIVE_RECENT_BYTES,
  });
  const operator = deps.operatorPool && createOperatorDatabase(deps.operatorPool, config.BUS_SHARDS);
  const platform: Platform = {
    operator,
    readStreams: () => readStreamStates(bus),
    tenantDeleteDays: config.TENANT_DELETE_DAYS,
    writes: createWrites(pool, config.BUS_SHARDS),
    live,
    devices,
    plan: planOf(config),
    inFlight: createInFlight(bus, config.BUS_SHARDS),
    addresses: {
      mqttUrl: config.MQTT_PUBLIC_URL,
      mqttsUrl: config.MQTTS_PUBLIC_URL ?? null,
      httpUrl: config.PUBLIC_URL,
    },
    secretBox,
    deviceTokenKey: lasting['device-token'],
    apiKeyKey: lasting['api-key'],
    claimCodeKey: lasting['claim-code'],
    invitationKey: lasting.invitation,
    provisioningTokenKey: lasting['provisioning-token'],
    findInvitation: (secretHash) => findInvitation(pool, secretHash),
    findMemberships: (person) => findMemberships(pool, person),
    readSnapshot: ({ viewer, deadline, signal }, work) =>
      withReadScope({ pool, tenantId: viewer.tenantId, deadline: deadline(), signal, snapshot: true }, work),
  };
  const signIns = createSignIns(platform.writes);
  const { verifyToken, keys } = createIdentity(config, metrics, operator !== undefined);
  const authenticator = createAuthenticator({
    verifyToken,
    findTenant: (slug) => findTenant(pool, slug),
    findApiKey: (prefix) => findApiKey(pool, prefix),
    findMemberships: platform.findMemberships,
    recordMember: signIns.recordMember,
    apiKeyKey: platform.apiKeyKey,
    onApiKeyUsed: createKeyUse((key) => touchApiKey(pool, key), log),
  });
  const publisher = createPublisher(bus, log, `api-${randomUUID().slice(0, 8)}`);
  const provision = createProvision({
    ...{ pool, writes: platform.writes, key: platform.provisioningTokenKey },
    timeoutMs: config.REQUEST_TIMEOUT_MS,
  });
  const { deviceTokenKey } = platform;
  const ingest = createIngest({ config, pool, publisher, metrics, provision, deviceTokenKey });
  const hookSecret = config.INTERNAL_SECRET;
  const hooks =
    hookSecret === undefined
      ? undefined
      : createMqttHooks({ credentials: ingest.credentials, secret: hookSecret, metrics });
  const internal =
    hooks && config.INTERNAL_PORT > 0
      ? createInternalServer({
          ...{ host: config.INTERNAL_HOST, port: config.INTERNAL_PORT, log, answer: hooks },
        })
      : undefined;
  const enroll = createEnroll({ config, pool, platform, metrics });
  const gate = createGate({ authenticator, signIns, metrics, log });
  const importDoor = createImportDoor({
    admit: (request, requestId) => gate.admit(presentedBy(request, requestId, config.TRUSTED_PROXIES)),
    limits: { maxBytes: config.IMPORT_MAX_BYTES, maxRows: config.IMPORT_MAX_ROWS },
    addressOf: (request) => clientAddress(request, config.TRUSTED_PROXIES),
    run: (origin, order, file) =>
      importDevices({ ...platform, timeoutMs: config.REQUEST_TIMEOUT_MS }, origin, order, file),
  });
  const watch = createCredentialWatch(authenticator);
  const { credentials, accounts } = ingest;
  listenForChanges({ bus, devices, authenticator, watch, credentials, accounts });
  const graphql = createGraphqlServer({
    pool,
    platform,
    metrics,
    timeoutMs: config.REQUEST_TIMEOUT_MS,
    maxCost: config.MAX_COST,
    allowedOrigins: config.ALLOWED_ORIGINS,
  });
  const sockets = createSocketDoor({
    graphql,
    gate,
    watch,
    metrics,
    log,
    trustedProxies: config.TRUSTED_PROXIES,
    maxOperations: config.SOCKET_MAX_OPERATIONS,
    allowedOrigins: config.ALLOWED_ORIGINS,
  });
  const files = createFileStore({
    root: config.OBJECTS_DIR,
    linkKeys: keysFor('file-link'),
    publicUrl: `${config.PUBLIC_URL}/files`,
  });
  const serveCrl = createCrlDoor((slug, generation) =>
    makeRevocationList({ pool, secretBox, timeoutMs: config.REQUEST_TIMEOUT_MS }, slug, generation),
  );
  const serveAuditExport = createAuditExportDoor((ticket) =>
    openAuditExport({ pool, secretBox, timeoutMs: config.REQUEST_TIMEOUT_MS }, ticket),
  );
  const serveConsole = createConsole({
    folder: config.CONSOLE_DIR,
    issuer: config.OIDC_ISSUER,
    config: {
      issuer: config.OIDC_ISSUER,
      clientId: config.OIDC_CLIENT_ID,
      audience: config.OIDC_AUDIENCE,
      mqttUrl: config.MQTT_PUBLIC_URL,
      httpUrl: config.PUBLIC_URL,
      version: deps.version,
    },
  });

  const answerGraphql = async (request: IncomingMessage, response: ServerResponse, requestId: string) => {
    const presented = presentedBy(request, requestId, config.TRUSTED_PROXIES);
    const identity = await gate.admit(presented).then(
      (viewer) => ({ viewer, refused: undefined }),
      (error: unknown) => ({
        viewer: undefined,
        refused: error instanceof Error ? error : new Error(String(error)),
      }),
    );
    const ended = identity.viewer && holdRequest(watch, identity.viewer, presented, response);
    const about = { requestId, ip: presented.address ?? null, log, ...(ended && { ended }) };
    await graphql.handle(request, response, { ...identity, ...about });
  };

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const requestId = readRequestId(request);
    response.setHeader('x-request-id', requestId);
    const path = request.url?.split('?')[0] ?? '/';
    try {
      if (path === '/graphql') return void (await answerGraphql(request, response, requestId));
      if (path.startsWith('/crl/')) return await serveCrl(path, request, response);
      if (path === '/audit/export') return await serveAuditExport(request, response);
      if (path === '/enroll/v1/claim') return await enroll(request, response, requestId);
      if (path === '/import/v1/devices') return await importDoor(request, response, requestId);
      if (path.startsWith('/ingest/')) return await ingest.doors(request, response, path);
      if (hooks && config.INTERNAL_ON_PUBLIC_PORT && path.startsWith('/internal/'))
        return await hooks(request, response, path);
      if (path === '/files') return await serveFile(files, request, response);
      if (await answerHealth({ checks: deps.checks, registry: metrics.registry }, request, response)) return;
      if (await serveConsole(request, response)) return;
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    } catch (error) {
      log.error({ err: error, requestId, path }, 'request failed');
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(`something went wrong on our side; the request id is ${requestId}\n`);
    }
  };

  let usage: Clock | undefined;
  let inFlight = 0;
  const server = createServer((request, response) => {
    inFlight += 1;
    response.once('close', () => {
      inFlight -= 1;
    });
    void answer(request, response);
  });
  server.requestTimeout = 60_000;
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (request.url?.split('?')[0] === '/graphql') sockets.upgrade(request, socket, head);
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
  });

  return {
    async listen() {
      await internal?.listen();
      // The provider may be down: whoever presents a token later asks it again.
      void keys.prefetch();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(config.HTTP_PORT, config.HTTP_HOST, resolve);
      });
      usage = every(USAGE_EVERY_MS, 'usage', log, async () => {
        await accounts.refresh(Date.now());
        await accounts.flush(Date.now());
      });
      return portOf(server);
    },
    async close(deadlineMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await sockets.close();
      await live.close();
      server.closeIdleConnections();
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, deadlineMs).unref())]);
      const abandoned = inFlight;
      server.closeAllConnections();
      await closed;
      await internal?.close();
      await usage?.stop();
      await accounts
        .flush(Date.now())
        .catch((error: unknown) => log.warn({ err: error }, 'the last usage was not written down'));
      publisher.close();
      await platform.writes.close();
      await operator?.close();
      return abandoned;
    },
  };
}

/** The caller's own request id where it is a sane one, else a new one. */
function readRequestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}
