import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { createLiveTester } from '../kit/live.ts';
import { startProcesses, type TestProcesses } from '../kit/processes.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';
import { promptly, until } from '../kit/wait.ts';

const FAULTS = '... on UserError { code message path } ... on ValidationError { issues { path message } }';
const CREATE = `mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { __typename
  ... on ApiKeyCreateSuccess { token apiKey { id name prefix role expiresAt lastUsedAt revokedAt previousExpiresAt } } ${FAULTS} } }`;
const ROTATE = `mutation ($input: ApiKeyRotateInput!) { apiKeyRotate(input: $input) { __typename
  ... on ApiKeyRotateSuccess { token apiKey { id prefix previousExpiresAt } } ${FAULTS} } }`;
const REVOKE = `mutation ($input: ApiKeyRevokeInput!) { apiKeyRevoke(input: $input) { __typename
  ... on ApiKeyRevokeSuccess { apiKey { id revokedAt } } ${FAULTS} } }`;
const LIST =
  '{ apiKeys(first: 50) { totalCount nodes { id name prefix role lastUsedAt revokedAt } pageInfo { hasNextPage } } }';
const WHO = '{ viewer { name role expiresAt } }';

describe('API keys', () => {
  let api: TestApi;
  let relay: TestProcesses;
  let acme: TenantSeed;
  let admin: string;

  beforeAll(async () => {
    api = await openTestApi();
    relay = await startProcesses({ database: api.database, natsUrl: api.nats.url, start: ['relay'] });
    acme = await seedTenant(api.database.admin, 'acme');
    admin = await api.apiKey(acme);
  });
  afterAll(async () => {
    await relay[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  const mutate = async (query: string, input: Record<string, unknown>, credential = admin) => {
    const { data, errors } = await api.ask(credential, query, { input });
    expect(errors).toEqual([]);
    // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its document asks for
    return Object.values<any>(data)[0];
  };
  const make = (name: string, more: Record<string, unknown> = {}) =>
    mutate(CREATE, { name, role: 'OPERATOR', ...more });

  it('works as its role, and its token is shown once and kept as a hash', async () => {
    const { token, apiKey } = await make('Dashboard');
    expect(apiKey).toMatchObject({
      name: 'Dashboard',
      role: 'OPERATOR',
      expiresAt: null,
      revokedAt: null,
      previousExpiresAt: null,
    });
    expect(token.startsWith(`${apiKey.prefix}_`)).toBe(true);
    expect((await api.ask(token, WHO)).data.viewer).toEqual({
      name: 'Dashboard',
      role: 'OPERATOR',
      expiresAt: null,
    });
    const secret = token.slice(apiKey.prefix.length + 1);
    for (const table of ['api_keys', 'audit_entries', 'mutation_results', 'outbox']) {
      const { rows } = await api.database.admin.query(`select t::text as row from ${table} t`);
      expect(JSON.stringify(rows)).not.toContain(secret);
    }
  });

  it('is refused what breaks its rules, and is for admins only', async () => {
    const refused = await mutate(CREATE, { name: ' ', role: 'ADMIN', expiresAt: '2020-01-01T00:00:00Z' });
    expect(refused.issues.map((issue: { path: string[] }) => issue.path.join('.'))).toEqual([
      'input.name',
      'input.expiresAt',
    ]);
    const engineer = await api.apiKey(acme, 'ENGINEER');
    expect(await mutate(CREATE, { name: 'mine', role: 'ADMIN' }, engineer)).toMatchObject({
      __typename: 'ForbiddenError',
    });
    const { errors } = await api.ask(engineer, LIST);
    expect(errors[0]?.extensions?.['code']).toBe('FORBIDDEN');
  });

  it('lists the newest first, and when each was last used', async () => {
    const { token, apiKey } = await make('Used');
    await make('Newest');
    await api.ask(token, WHO);
    const used = await until('the use to be noted', async () => {
      const { data } = await api.ask(admin, LIST);
      expect(data.apiKeys.nodes[0].name).toBe('Newest');
      expect(data.apiKeys.totalCount).toBe(data.apiKeys.nodes.length);
      return data.apiKeys.nodes.find(
        (key: { id: string; lastUsedAt: string | null }) => key.id === apiKey.id && key.lastUsedAt,
      );
    });
    await api.restart();
    await api.ask(token, WHO);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { data } = await api.ask(admin, LIST);
    const later = data.apiKeys.nodes.find((key: { id: string }) => key.id === apiKey.id);
    expect(later.lastUsedAt).toBe(used.lastUsedAt);
  });

  it('keeps the secret before a rotation good for the overlap, and no longer', async () => {
    const first = await make('Rotated');
    const second = await mutate(ROTATE, { id: first.apiKey.id });
    expect(second.apiKey.prefix).toBe(first.apiKey.prefix);
    const overlap = Date.parse(second.apiKey.previousExpiresAt) - Date.now();
    expect(overlap).toBeGreaterThan(86_400_000 - 10_000);
    expect(overlap).toBeLessThanOrEqual(86_400_000);
    expect((await api.ask(first.token, WHO)).data.viewer.expiresAt).toBe(second.apiKey.previousExpiresAt);
    expect((await api.ask(second.token, WHO)).data.viewer.expiresAt).toBeNull();
    const third = await mutate(ROTATE, { id: first.apiKey.id, overlapSeconds: 1 });
    expect(third.__typename).toBe('ApiKeyRotateSuccess');
    await until(
      'the first secret to be refused',
      async () => (await api.ask(first.token, WHO)).status === 401,
    );
    await promptly(
      'the second secret to expire',
      async () => (await api.ask(second.token, WHO)).status === 401,
    );
    expect((await api.ask(third.token, WHO)).status).toBe(200);
  });

  it('closes a socket with 4403 when the overlap of its secret ends', async () => {
    const { token, apiKey } = await make('Followed through a rotation');
    const tester = createLiveTester(api);
    try {
      const live = tester.follow(token);
      await until('the snapshot', () => live.items.length > 0);
      await mutate(ROTATE, { id: apiKey.id, overlapSeconds: 1 });
      await promptly('the end', () => live.ended);
      expect(live.ended?.error).toMatchObject({ code: 4403 });
    } finally {
      tester.leave();
    }
  });

  it('ends within a second when it is revoked: sockets with 4403, event streams, requests', async () => {
    const { token, apiKey } = await make('Doomed');
    const tester = createLiveTester(api);
    const leaving = new AbortController();
    try {
      const [live, other] = [tester.follow(token), tester.follow(admin)];
      const events = await fetch(`${api.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          authorization: `Bearer ${token}`,
        },
        body: JSON.stringify({ query: 'subscription { telemetry { __typename } }' }),
        signal: leaving.signal,
      });
      expect(events.headers.get('content-type')).toContain('text/event-stream');
      let streamEnded = false;
      void events.text().then(
        () => {
          streamEnded = true;
        },
        () => {
          streamEnded = true;
        },
      );
      await until('the snapshots', () => live.items.length > 0 && other.items.length > 0);
      expect(streamEnded).toBe(false);
      expect((await mutate(REVOKE, { id: apiKey.id })).apiKey.revokedAt).toEqual(expect.any(String));
      await promptly('everything of the key to end', () => live.ended && streamEnded);
      expect(live.ended?.error).toMatchObject({ code: 4403 });
      expect((await api.ask(token, WHO)).status).toBe(401);
      expect(other.ended).toBeUndefined();
      expect(await mutate(REVOKE, { id: apiKey.id })).toMatchObject({ __typename: 'ConflictError' });
      expect(await mutate(ROTATE, { id: apiKey.id })).toMatchObject({ __typename: 'ConflictError' });
    } finally {
      leaving.abort();
      tester.leave();
    }
  });

  it('ends soon after the bus is back when it was revoked while nobody could be told', async () => {
    const { token, apiKey } = await make('Unheard');
    const tester = createLiveTester(api);
    try {
      const [live, other] = [tester.follow(token), tester.follow(admin)];
      await until('the snapshots', () => live.items.length > 0 && other.items.length > 0);
      await api.database.admin.query('update api_keys set revoked_at = now() where prefix = $1', [
        apiKey.prefix.replace('fgk_', ''),
      ]);
      const { restarts } = api.nats.process;
      api.nats.process.kill('SIGKILL');
      await until('the bus', () => api.nats.process.restarts > restarts);
      await until('the end', () => live.ended, 15_000);
      expect(live.ended?.error).toMatchObject({ code: 4403 });
      expect(other.ended).toBeUndefined();
    } finally {
      tester.leave();
    }
  });

  it('ends what was asked with it and had not begun when it is revoked', async () => {
    const { token, apiKey } = await make('Slow to ask');
    const body = JSON.stringify({ query: 'subscription { telemetry { __typename } }' });
    const late = request(`${api.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': body.length,
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
      },
    });
    try {
      const answered = once(late, 'response');
      late.write(body.slice(0, 10));
      await until('the key to be used', async () => {
        const { data } = await api.ask(admin, LIST);
        return data.apiKeys.nodes.find(({ id }: { id: string }) => id === apiKey.id)?.lastUsedAt;
      });
      await mutate(REVOKE, { id: apiKey.id });
      await promptly('the key to be refused', async () => (await api.ask(token, WHO)).status === 401);
      late.end(body.slice(10));
      const [response]: IncomingMessage[] = await answered;
      response?.resume();
      expect(response?.statusCode).toBe(401);
    } finally {
      late.destroy();
    }
  });

  it('is not looked after any more once its caller has gone', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const { token } = await make('Gone at once');
    expect((await api.ask(token, WHO)).status).toBe(200);
    const before = timers();
    for (let n = 0; n < 40; n++) {
      const { token: fresh } = await make(`Gone ${n}`);
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(
        `GET /graphql?query=%7Bviewer%7Bname%7D%7D HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${fresh}\r\n\r\n`,
        () => socket.destroy(),
      );
      await once(socket, 'close');
    }
    await until('nobody to be looked after', () => timers() < before + 10);
  });
});
