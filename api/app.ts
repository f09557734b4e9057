import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createAuthenticator } from '#core/auth/viewer.ts';
import { createPublisher } from '#core/bus/publish.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import { portOf } from '#core/runtime/health.ts';
import { listenForChanges } from './caches.ts';
import { findApiKey, findTenant, touchApiKey } from './database/credentials.ts';
import { createDoors } from './doors.ts';
import { createGraphqlServer } from './graphql/server.ts';
import { createCredentialWatch } from './http/credential-watch.ts';
import { createGate, presentedBy } from './http/gate.ts';
import { holdRequest } from './http/held-request.ts';
import { createKeyUse } from './http/key-use.ts';
import { createSocketDoor } from './http/socket.ts';
import { createIdentity } from './identity.ts';
import { createIngest } from './ingest.ts';
import { createProvision } from './modules/provisioning-tokens/provision.ts';
import { closePlatform, openPlatform } from './open-platform.ts';
import type { AppDeps } from './platform.ts';
import { createSignIns } from './sign-ins.ts';

/** How often what came over HTTP is added to its tenants' usage. */
const USAGE_EVERY_MS = 10_000;

export interface App {
  /** Opens the doors; resolves to the port. */
  listen(): Promise<number>;
  /** Sends sockets away, lets requests finish until the deadline, then ends them; resolves to how many that were. */
  close(deadlineMs: number): Promise<number>;
}

/** The whole API on a database and a bus. */
export function buildApp(deps: AppDeps): App {
  const { config, pool, bus, metrics, log } = deps;
  const platform = openPlatform(deps);
  const signIns = createSignIns(platform.writes);
  const { verifyToken, keys } = createIdentity(config, metrics, platform.operator !== undefined);
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
  const gate = createGate({ authenticator, signIns, metrics, log });
  const watch = createCredentialWatch(authenticator);
  const { credentials, accounts } = ingest;
  listenForChanges({ bus, devices: platform.devices, authenticator, watch, credentials, accounts });
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
  const doors = createDoors({
    ...{ ...deps, platform, gate, ingest },
    async graphql({ request, response, requestId }) {
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
    },
  });

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const requestId = readRequestId(request);
    response.setHeader('x-request-id', requestId);
    const path = request.url?.split('?')[0] ?? '/';
    try {
      await doors.answer({ request, response, path, requestId });
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
      await doors.internal?.listen();
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
      await platform.live.close();
      server.closeIdleConnections();
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, deadlineMs).unref())]);
      const abandoned = inFlight;
      server.closeAllConnections();
      await closed;
      await doors.internal?.close();
      await usage?.stop();
      await accounts
        .flush(Date.now())
        .catch((error: unknown) => log.warn({ err: error }, 'the last usage was not written down'));
      publisher.close();
      await closePlatform(platform);
      return abandoned;
    },
  };
}

/** The caller's own request id where it is a sane one, else a new one. */
function readRequestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}
