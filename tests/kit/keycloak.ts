import type { Server } from 'node:http';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { Provider } from 'oidc-provider';
import { closeServer } from '#core/runtime/health.ts';
import { freePort } from '#standalone/ports.ts';

/** What one client's tokens look like. */
interface Account {
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A real OpenID provider over HTTP whose access tokens look like Keycloak's, with keys that can be rotated. */
export interface KeycloakLike extends AsyncDisposable {
  readonly issuer: string;
  /** How often its keys were asked for. */
  keyRequests(): number;
  /** A new token of one of the accounts, signed by the newest key. */
  token(account: string, scope?: string): Promise<string>;
  /** Signs by a new key from now on. The keys before stay published, unless they are withdrawn. */
  rotate(options?: { readonly withdraw?: boolean }): Promise<void>;
  /** Nothing listens any more, until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

const AUDIENCE = 'urn:fleetgraph:api';
const SECRET = 'not a secret, only long enough for a client';

/** Accounts by name; each is a client that asks for its token by itself, so that no browser is needed. */
export async function openKeycloakLike(accounts: Readonly<Record<string, Account>>): Promise<KeycloakLike> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  let keys: JWK[] = [await newKey()];
  let server: Server | undefined;
  let asked = 0;

  const start = async () => {
    const provider = new Provider(issuer, {
      clients: Object.keys(accounts).map((name) => ({
        client_id: name,
        client_secret: SECRET,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
      })),
      jwks: { keys },
      cookies: { keys: ['only for this test'] },
      formats: {
        customizers: {
          jwt(_context, { clientId = '' }, { payload }) {
            const { client_id: _, ...ours } = payload;
            for (const name of Object.keys(payload)) delete payload[name];
            Object.assign(payload, ours, { azp: 'console' }, accounts[clientId]?.claims);
          },
        },
      },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => AUDIENCE,
          getResourceServerInfo: () => ({
            scope: 'devices.read telemetry.read',
            audience: AUDIENCE,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
    });
    provider.use(async (context, next) => {
      if (context.path === '/jwks') asked += 1;
      await next();
    });
    server = provider.listen(port, '127.0.0.1');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('listening', resolve).once('error', reject);
    await promise;
  };
  const stop = async () => {
    server?.closeAllConnections();
    if (server) await closeServer(server);
    server = undefined;
  };
  await start();
  return {
    issuer,
    start,
    stop,
    keyRequests: () => asked,
    async token(account, scope) {
      const form = { grant_type: 'client_credentials', ...(scope !== undefined && { scope }) };
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${account}:${encodeURIComponent(SECRET)}`)}` },
        body: new URLSearchParams(form),
      });
      const body = (await response.json()) as { access_token?: string };
      if (!body.access_token) throw new Error(`no token: ${JSON.stringify(body)}`);
      return body.access_token;
    },
    async rotate({ withdraw = false } = {}) {
      keys = withdraw ? [await newKey()] : [await newKey(), ...keys];
      await stop();
      await start();
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: crypto.randomUUID() };
}
