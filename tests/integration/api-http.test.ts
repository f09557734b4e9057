import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';
import { until } from '../kit/wait.ts';

const TIMEOUT_MS = 5_000;

describe('GraphQL over HTTP', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let key: string;

  beforeAll(async () => {
    api = await openTestApi({ env: { REQUEST_TIMEOUT_MS: String(TIMEOUT_MS), MAX_COST: '2000' } });
    acme = await seedTenant(api.database.admin, 'acme');
    key = await api.apiKey(acme);
  });
  afterAll(() => api[Symbol.asyncDispose]());

  it('passes the audits of the GraphQL over HTTP specification', async () => {
    const failed: string[] = [];
    for (const audit of serverAudits({ url: () => `${api.url}/graphql` })) {
      const result = await audit.fn();
      if (result.status === 'error') failed.push(`${audit.name}: ${result.reason}`);
    }
    expect(failed).toEqual([]);
  });

  it('answers 401 and nothing else without a credential or with a bad one', async () => {
    const forged = `${key.slice(0, -2)}xx`;
    const expired = await api.issuer.token({ tenant: 'acme', expiresInSeconds: -60 });
    const elsewhere = await api.issuer.token({ tenant: 'acme', audience: 'urn:another' });
    for (const credential of [undefined, 'nonsense', forged, expired, elsewhere]) {
      const { status, data, errors } = await api.ask(credential, '{ viewer { id } }');
      expect({ status, data, code: errors[0]?.extensions?.['code'] }).toEqual({
        status: 401,
        data: undefined,
        code: 'UNAUTHENTICATED',
      });
      expect(errors[0]?.extensions).not.toHaveProperty('http');
    }
    const { status } = await api.ask(
      await api.issuer.token({ tenant: 'acme', roles: ['janitor'] }),
      '{ viewer { id } }',
    );
    expect(status).toBe(403);
  });

  it('refuses a suspended tenant and a revoked or expired key', async () => {
    const other = await seedTenant(api.database.admin, 'closed');
    const [suspended, revoked, expired] = [
      await api.apiKey(other),
      await api.apiKey(acme),
      await api.apiKey(acme),
    ];
    await api.database.admin.query("update tenants set status = 'SUSPENDED' where id = $1", [other.id]);
    await api.database.admin.query('update api_keys set revoked_at = now() where prefix = $1', [
      revoked.split('_')[1],
    ]);
    await api.database.admin.query(
      "update api_keys set expires_at = now() - interval '1 s' where prefix = $1",
      [expired.split('_')[1]],
    );
    expect((await api.ask(suspended, '{ viewer { id } }')).status).toBe(403);
    expect((await api.ask(revoked, '{ viewer { id } }')).status).toBe(401);
    expect((await api.ask(expired, '{ viewer { id } }')).status).toBe(401);
  });

  it('shows the schema to everybody, and a page to try it', async () => {
    const { data } = await api.ask(
      undefined,
      '{ __schema { queryType { name } } __type(name: "Device") { description } }',
    );
    expect(data.__schema.queryType.name).toBe('Query');
    const page = await fetch(`${api.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('GraphiQL');
  });

  it('refuses what a form of another site could send', async () => {
    for (const contentType of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const response = await fetch(`${api.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': contentType },
        body: '{"query":"{__typename}"}',
      });
      expect(response.status).toBe(403);
    }
    expect((await fetch(`${api.url}/graphql?query={__typename}`)).status).toBe(403);
    const get = await fetch(`${api.url}/graphql?query={viewer{kind}}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    expect(await get.json()).toMatchObject({ data: { viewer: { kind: 'API_KEY' } } });
    const mutation = await fetch(
      `${api.url}/graphql?query=${encodeURIComponent('mutation { deviceDecommission(input: { id: "x" }) { __typename } }')}`,
      {
        headers: { authorization: `Bearer ${key}` },
      },
    );
    expect(mutation.status).toBe(405);
  });

  it.each([
    ['aliases', `{ ${Array.from({ length: 31 }, (_, n) => `a${n}: viewer { id }`).join(' ')} }`, 'aliases'],
    [
      'aliases in fragments',
      `{ ...F ...F ...F ...F } fragment F on Query { ${Array.from({ length: 8 }, (_, n) => `a${n}: viewer { id }`).join(' ')} }`,
      'aliases',
    ],
    ['tokens', `{ ${'viewer { id } '.repeat(600)} }`, 'tokens'],
    [
      'cost',
      '{ devices(first: 100) { nodes { id key name status tags model firmware site { id key name } latest { metric value at } } } }',
      'costs',
    ],
  ])('bounds the %s of a document', async (_name, query, complaint) => {
    const { errors, status } = await api.ask(key, query);
    expect(errors[0]?.message).toContain(complaint);
    expect([200, 400]).toContain(status);
  });

  it('bounds the size of a body', async () => {
    const response = await fetch(`${api.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ query: `{ viewer { id } } # ${'x'.repeat(270_000)}` }),
    });
    expect(response.status).toBe(413);
  });

  /** How many statements of the API wait for a lock. */
  const waiting = async () => {
    const { rows } = await api.database.admin.query<{ n: number }>(
      "select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name = 'api' and wait_event_type = 'Lock'",
    );
    return rows[0]?.n;
  };

  it('cancels the SQL of an operation that takes too long', async () => {
    const lock = await api.database.admin.connect();
    try {
      await lock.query('begin');
      await lock.query('lock table devices in access exclusive mode');
      const { errors } = await api.ask(key, '{ devices { nodes { key } } }');
      expect(errors[0]?.extensions?.['code']).toBe('TIMEOUT');
      await until('the end of the SQL', async () => (await waiting()) === 0);
    } finally {
      await lock.query('rollback');
      lock.release();
    }
  });

  it('cancels the SQL of a caller that has gone', async () => {
    const lock = await api.database.admin.connect();
    try {
      await lock.query('begin');
      await lock.query('lock table devices in access exclusive mode');
      const aborter = new AbortController();
      const asking = fetch(`${api.url}/graphql`, {
        method: 'POST',
        signal: aborter.signal,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body: JSON.stringify({ query: '{ devices { nodes { key } } }' }),
      }).catch(() => undefined);
      await until('the SQL to wait', async () => (await waiting()) === 1);
      aborter.abort();
      await asking;
      await until('the end of the SQL', async () => (await waiting()) === 0, TIMEOUT_MS - 1_000);
    } finally {
      await lock.query('rollback');
      lock.release();
    }
  });

  it('masks a fault of ours, and tells the id under which it is logged', async () => {
    await api.database.admin.query('alter table sites rename column timezone to broken');
    try {
      const response = await fetch(`${api.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${key}`,
          'x-request-id': 'my-own-id',
        },
        body: JSON.stringify({ query: '{ viewer { kind } sites { nodes { key } } }' }),
      });
      const body = (await response.json()) as {
        errors: { message: string; extensions: Record<string, unknown> }[];
      };
      expect(response.headers.get('x-request-id')).toBe('my-own-id');
      expect(body.errors[0]?.extensions).toEqual({ code: 'INTERNAL', requestId: 'my-own-id' });
      expect(JSON.stringify(body)).not.toContain('timezone');
    } finally {
      await api.database.admin.query('alter table sites rename column broken to timezone');
    }
  });

  it('serves health, metrics and the configuration of the console', async () => {
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${api.url}/metrics`)).text()).toContain('fleetgraph_api_operation_seconds');
    const config = await fetch(`${api.url}/config.json`);
    expect(config.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await config.json()).toMatchObject({
      issuer: api.issuer.url,
      clientId: 'fleetgraph-console',
      audience: 'urn:fleetgraph:api',
    });
    expect((await fetch(`${api.url}/nowhere.js`)).status).toBe(404);
    expect((await fetch(`${api.url}/..%2f..%2fetc%2fpasswd`)).status).toBe(404);
  });
});
