import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refreshTokens, signIn } from '#standalone/identity/sign-in-client.ts';
import { type IdentityOptions, type IdentityServer, openIdentity } from '#standalone/identity.ts';
import { freePort } from '#standalone/ports.ts';

const CONSOLE = 'http://127.0.0.1:8080';
const MACHINE_SECRET = 'm'.repeat(40);
const ADA = { email: 'ada@acme.test', password: 'correct horse' };

let folder: string;
let options: IdentityOptions;
let server: IdentityServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fleetgraph-identity-'));
  options = {
    dataDir: join(folder, 'identity'),
    port: await freePort(),
    healthPort: await freePort(),
    people: [{ id: 'ada', name: 'Ada', tenant: 'acme', role: 'ENGINEER', ...ADA }],
    consoleOrigins: [CONSOLE],
    machineSecret: MACHINE_SECRET,
    logFile: join(folder, 'identity.log'),
  };
  server = await openIdentity(options);
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function claimsOf(accessToken: string) {
  const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`));
  const { payload, protectedHeader } = await jwtVerify(accessToken, keys, {
    issuer: server.issuer,
    audience: 'urn:fleetgraph:api',
  });
  return { ...payload, alg: protectedHeader.alg };
}

test('signing in gives a signed access token that names tenant, role and person', async () => {
  const { accessToken } = await signIn({ issuer: server.issuer, consoleOrigin: CONSOLE, ...ADA });
  expect(await claimsOf(accessToken)).toMatchObject({
    ...{ alg: 'ES256', sub: 'ada', tenant_id: 'acme', roles: ['ENGINEER'], name: 'Ada', email: ADA.email },
  });
});

test('a wrong password, an unknown e-mail and a foreign origin are refused', async () => {
  const request = { issuer: server.issuer, consoleOrigin: CONSOLE, ...ADA };
  await expect(signIn({ ...request, password: 'wrong' })).rejects.toThrow('E-mail or password is wrong');
  await expect(signIn({ ...request, email: 'eve@acme.test' })).rejects.toThrow('E-mail or password is wrong');
  await expect(signIn({ ...request, consoleOrigin: 'http://127.0.0.1:9999' })).rejects.toThrow(
    /answered 400/,
  );
});

test('a restart signs nobody out: the refresh token still works, once', async () => {
  const tokens = await signIn({ issuer: server.issuer, consoleOrigin: CONSOLE, ...ADA });
  await server.stop();
  server = await openIdentity(options);
  const refreshed = await refreshTokens(server.issuer, tokens.refreshToken);
  expect(await claimsOf(refreshed.accessToken)).toMatchObject({ sub: 'ada', tenant_id: 'acme' });
  expect(await claimsOf(tokens.accessToken)).toMatchObject({ sub: 'ada' });
  await expect(refreshTokens(server.issuer, tokens.refreshToken)).rejects.toThrow('invalid_grant');
});

test('a program signs in as itself with its secret', async () => {
  const authorization = `Basic ${Buffer.from(`fleetgraph-machine:${MACHINE_SECRET}`).toString('base64')}`;
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  const response = await fetch(`${server.issuer}/token`, {
    method: 'POST',
    headers: { authorization },
    body,
  });
  const { access_token: token } = (await response.json()) as { access_token: string };
  expect(await claimsOf(token)).toMatchObject({ tenant_id: 'acme', roles: ['ENGINEER'] });
});

test('only the console may call the provider from a page', async () => {
  const preflight = async (origin: string) => {
    const form = new URLSearchParams({
      client_id: 'fleetgraph-console',
      grant_type: 'refresh_token',
      refresh_token: 'x',
    });
    const response = await fetch(`${server.issuer}/token`, {
      method: 'POST',
      headers: { origin },
      body: form,
    });
    await response.text();
    return response.headers.get('access-control-allow-origin');
  };
  expect(await preflight(CONSOLE)).toBe(CONSOLE);
  expect(await preflight('http://evil.test')).toBeNull();
});

test('the sign-in page carries labels, runs no script of its own and cannot be framed', async () => {
  const query = new URLSearchParams({
    ...{
      client_id: 'fleetgraph-console',
      redirect_uri: `${CONSOLE}/callback`,
      response_type: 'code',
      scope: 'openid',
    },
    ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' },
  });
  const start = await fetch(`${server.issuer}/auth?${query}`, { redirect: 'manual' });
  const cookie = start.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const page = await fetch(new URL(start.headers.get('location') ?? '', server.issuer), {
    headers: { cookie },
  });
  const html = await page.text();
  expect(html).toMatch(/<label>E-mail<input[^>]+autocomplete="username"/);
  expect(html).toMatch(/<label>Password<input[^>]+autocomplete="current-password"/);
  expect(html).not.toContain('<script');
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
});
