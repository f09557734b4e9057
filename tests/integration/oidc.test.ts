import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refreshTokens, signIn } from '#standalone/identity/sign-in-client.ts';
import { openIdentity } from '#standalone/identity.ts';
import { freePort } from '#standalone/ports.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { type KeycloakLike, openKeycloakLike } from '../kit/keycloak.ts';
import { seedTenant } from '../kit/seed.ts';
import { until } from '../kit/wait.ts';

const WHO = '{ viewer { kind name email role permissions tenant { slug } } }';
const CONSOLE = 'http://127.0.0.1:8080';

describe('the embedded identity provider', () => {
  const MACHINE_SECRET = 'm'.repeat(40);
  const ADA = { email: 'ada@acme.test', password: 'correct horse' };
  const opened = new AsyncDisposableStack();
  let api: TestApi;
  let issuer: string;

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-oidc-'));
    opened.defer(() => rmSync(folder, { recursive: true, force: true }));
    const identity = opened.use(
      await openIdentity({
        dataDir: join(folder, 'identity'),
        port: await freePort(),
        healthPort: await freePort(),
        people: [{ id: 'ada', name: 'Ada', tenant: 'acme', role: 'ENGINEER', ...ADA }],
        consoleOrigins: [CONSOLE],
        machineSecret: MACHINE_SECRET,
        logFile: join(folder, 'identity.log'),
      }),
    );
    issuer = identity.issuer;
    api = opened.use(await openTestApi({ env: { OIDC_ISSUER: issuer } }));
    await seedTenant(api.database.admin, 'acme');
  });
  afterAll(() => opened.disposeAsync());

  const program = async (scope?: string): Promise<string> => {
    const authorization = `Basic ${btoa(`fleetgraph-machine:${MACHINE_SECRET}`)}`;
    const form = { grant_type: 'client_credentials', ...(scope !== undefined && { scope }) };
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams(form),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  };
  const starts = async () => {
    const { rows } = await api.database.admin.query<{ actor_id: string }>(
      "select actor_id from audit_entries where action = 'session.start' order by id",
    );
    return rows.map((row) => row.actor_id);
  };

  it('brings a person in, whose session is one from sign-in through every refresh', async () => {
    const tokens = await signIn({ issuer, consoleOrigin: CONSOLE, ...ADA });
    const { data } = await api.ask(tokens.accessToken, WHO);
    expect(data.viewer).toMatchObject({
      ...{ kind: 'USER', name: 'Ada', email: ADA.email, role: 'ENGINEER', tenant: { slug: 'acme' } },
    });
    await api.ask(tokens.accessToken, WHO);
    const refreshed = await refreshTokens(issuer, tokens.refreshToken);
    await api.ask(refreshed.accessToken, WHO);
    expect(await starts()).toEqual(['user:ada']);
    await api.ask((await signIn({ issuer, consoleOrigin: CONSOLE, ...ADA })).accessToken, WHO);
    expect(await starts()).toEqual(['user:ada', 'user:ada']);
  });

  it('brings a program in, limited to the scopes that it asks for', async () => {
    const { data } = await api.ask(await program(), WHO);
    expect(data.viewer).toMatchObject({ kind: 'CLIENT', name: 'fleetgraph-machine', role: 'ENGINEER' });
    expect(data.viewer.permissions).toContain('devices.write');
    const limited = await program('devices.read telemetry.read');
    expect((await api.ask(limited, WHO)).data.viewer.permissions).toEqual(['devices.read', 'telemetry.read']);
    const refused = await api.ask(
      limited,
      'mutation { deviceCreate(input: { key: "x" }) { __typename ... on ForbiddenError { permission } } }',
    );
    expect(refused.data.deviceCreate).toEqual({ __typename: 'ForbiddenError', permission: 'devices.write' });
    expect((await starts()).filter((actor) => actor === 'client:fleetgraph-machine')).toHaveLength(2);
    const made = await api.ask(
      await program('devices.write'),
      'mutation { deviceCreate(input: { key: "by-program" }) { __typename } }',
    );
    expect(made.data.deviceCreate.__typename).toBe('DeviceCreateSuccess');
  });
});

describe('a provider like Keycloak', () => {
  const person = (name: string, roles: readonly string[], organization: unknown) => ({
    claims: {
      sub: `uuid-of-${name}`,
      preferred_username: name,
      name,
      email: `${name}@example.com`,
      email_verified: true,
      realm_access: { roles: ['offline_access', 'uma_authorization', ...roles] },
      organization,
    },
  });
  const accounts = {
    ada: person('ada', ['fleet-engineer'], { acme: { id: '7b2' } }),
    bob: person('bob', ['fleet-admin'], ['bolt', 'acme']),
    eve: person('eve', ['ADMIN'], { acme: {} }),
    robot: {
      claims: {
        sub: 'uuid-of-service-account',
        azp: 'robot',
        client_id: 'robot',
        preferred_username: 'service-account-robot',
        realm_access: { roles: ['fleet-engineer'] },
        organization: ['acme'],
      },
    },
  };
  const opened = new AsyncDisposableStack();
  let keycloak: KeycloakLike;
  let api: TestApi;

  beforeAll(async () => {
    keycloak = opened.use(await openKeycloakLike(accounts));
    api = opened.use(
      await openTestApi({
        env: {
          OIDC_ISSUER: keycloak.issuer,
          OIDC_TENANT_CLAIM: 'organization',
          OIDC_ROLES_CLAIM: 'realm_access.roles,resource_access.fleetgraph.roles',
          OIDC_ROLE_NAMES: 'fleet-engineer=ENGINEER,fleet-admin=ADMIN',
          OIDC_KEYS_REFRESH_MS: '300',
          OIDC_KEYS_COOLDOWN_MS: '150',
          OIDC_KEYS_STALE_MS: '6000',
        },
      }),
    );
    for (const slug of ['acme', 'bolt']) await seedTenant(api.database.admin, slug);
  });
  afterAll(() => opened.disposeAsync());

  const statusOf = async (token: string) => (await api.ask(token, WHO)).status;

  it('says by nested claims who somebody is, where, and by its own names of roles as what', async () => {
    const { data } = await api.ask(await keycloak.token('ada'), WHO);
    expect(data.viewer).toMatchObject({
      ...{ kind: 'USER', name: 'ada', email: 'ada@example.com', role: 'ENGINEER', tenant: { slug: 'acme' } },
    });
    const bob = await keycloak.token('bob');
    expect((await api.ask(bob, WHO)).data.viewer).toMatchObject({ role: 'ADMIN', tenant: { slug: 'bolt' } });
    const there = await api.ask(bob, WHO, {}, { 'x-fleetgraph-tenant': 'acme' });
    expect(there.data.viewer.tenant.slug).toBe('acme');
    const unmapped = await api.ask(await keycloak.token('eve'), WHO);
    expect([unmapped.status, unmapped.errors[0]?.message]).toEqual([403, 'the token grants no role here']);
    const robot = await api.ask(await keycloak.token('robot', 'devices.read'), WHO);
    expect(robot.data.viewer).toMatchObject({ kind: 'CLIENT', name: 'robot', permissions: ['devices.read'] });
  });

  it('may rotate its keys: a new one counts at once, an old one for as long as it is published', async () => {
    const [early, late] = [await keycloak.token('ada'), await keycloak.token('bob')];
    await keycloak.rotate();
    await until('the cooldown to pass', async () => (await statusOf(await keycloak.token('ada'))) === 200);
    expect(await statusOf(early)).toBe(200);
    await keycloak.rotate({ withdraw: true });
    await until('the new key to count', async () => (await statusOf(await keycloak.token('ada'))) === 200);
    expect(await statusOf(late)).toBe(401);
  });

  it('is not asked for every key that somebody makes up', async () => {
    await api.ask(await keycloak.token('ada'), WHO);
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    const forge = async (kid: string) =>
      new SignJWT({ ...accounts.ada.claims, n: (await exportJWK(publicKey)).n })
        .setProtectedHeader({ alg: 'RS256', kid })
        .setIssuer(keycloak.issuer)
        .setAudience('urn:fleetgraph:api')
        .setExpirationTime('5 minutes')
        .sign(privateKey);
    const forged = await Promise.all(Array.from({ length: 100 }, (_, index) => forge(`made-up-${index}`)));
    const [asked, since] = [keycloak.keyRequests(), Date.now()];
    for (const token of forged) expect(await statusOf(token)).toBe(401);
    const allowed = Math.ceil((Date.now() - since) / 150) + 1;
    expect(keycloak.keyRequests() - asked).toBeLessThanOrEqual(allowed);
    const counted = await api.metrics.registry.metrics();
    expect(counted).toMatch(/fleetgraph_api_refused_sign_ins_total\{reason="invalid"\} 1\d\d/);
  });

  it('may be away: known keys go on for a while, and the API starts and serves whom it can', async () => {
    const token = () => keycloak.token('ada');
    const kept = await Promise.all(Array.from({ length: 4 }, token));
    const next = () => statusOf(kept.pop() ?? '');
    const ageOfKeys = async () => {
      const text = await api.metrics.registry.getSingleMetricAsString(
        'fleetgraph_api_identity_provider_keys_age_seconds',
      );
      return Number(text.split(' ').at(-1));
    };
    await api.ask(await token(), WHO);
    await keycloak.stop();
    expect(await next()).toBe(200);
    await until('the keys to be due', async () => (await ageOfKeys()) > 1);
    expect(await next()).toBe(200);
    await until('the keys to be too old', async () => (await ageOfKeys()) > 6);
    expect(await next()).toBe(503);

    await api.restart();
    const { rows } = await api.database.admin.query<{ id: number }>(
      "select id from tenants where slug = 'acme'",
    );
    const key = await api.apiKey({ id: rows[0]?.id ?? 0 });
    expect(await statusOf(key)).toBe(200);
    expect(await next()).toBe(503);
    await keycloak.start();
    const fresh = await token();
    await until('the provider to be found again', async () => (await statusOf(fresh)) === 200);
  });
});
