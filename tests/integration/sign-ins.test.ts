import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { createLiveTester } from '../kit/live.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';
import { until } from '../kit/wait.ts';

const WHO = '{ viewer { name role permissions } }';
const CREATE = `mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { __typename
  ... on ApiKeyCreateSuccess { token apiKey { id scopes } } ... on UserError { path }
  ... on ForbiddenError { permission } ... on ValidationError { issues { path message } } } }`;

interface Entry {
  readonly action: string;
  readonly actor_id: string;
  readonly target_type: string;
  readonly before: unknown;
  readonly after: Readonly<Record<string, unknown>>;
  readonly ip: string | null;
}

describe('coming in', () => {
  let api: TestApi;
  let acme: TenantSeed;

  beforeAll(async () => {
    api = await openTestApi({ env: { TRUSTED_PROXIES: '1' } });
    acme = await seedTenant(api.database.admin, 'acme');
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const from = (address: string) => ({ 'x-forwarded-for': address });
  const entriesOf = async (actor: string) => {
    const { rows } = await api.database.admin.query<Entry>(
      'select action, actor_id, target_type, before, after, ip from audit_entries where actor_id = $1 order by id',
      [actor],
    );
    return rows;
  };
  const create = async (credential: string, input: Record<string, unknown>) =>
    (await api.ask(credential, CREATE, { input })).data.apiKeyCreate;
  const rowIdOf = (globalId: string) =>
    Buffer.from(globalId, 'base64url').toString().replace('ApiKey:', 'key:');

  it('is written down once a session, whoever comes and however often, over HTTP or a socket', async () => {
    const token = (sid: string, more: object = {}) =>
      api.issuer.token({ tenant: 'acme', subject: 'ada', roles: ['VIEWER'], claims: { sid }, ...more });
    const first = await token('one');
    await Promise.all(Array.from({ length: 20 }, () => api.ask(first, WHO, {}, from('192.0.2.7'))));
    await api.ask(await token('one', { expiresInSeconds: 1_200 }), WHO);
    const tester = createLiveTester(api);
    const live = tester.follow(await token('two'));
    await until('the snapshot', () => live.items.length > 0);
    tester.leave();
    await api.restart();
    await api.ask(await token('one'), WHO);
    const entries = await entriesOf('user:ada');
    expect(entries.map(({ action }) => action)).toEqual(['member.join', 'session.start', 'session.start']);
    expect(entries[1]).toMatchObject({
      ...{ target_type: 'Member', before: null, ip: '192.0.2.7' },
      after: { kind: 'USER', role: 'VIEWER', permissions: expect.arrayContaining(['devices.read']) },
    });
  });

  it('is written down of a key at its first use and from each network that it was not used from before', async () => {
    const admin = await api.apiKey(acme);
    const { token, apiKey } = await create(admin, { name: 'Roaming', role: 'VIEWER' });
    for (const address of [
      ...['198.51.100.7', '198.51.100.99', '203.0.113.5', '198.51.100.7', 'nonsense'],
      ...['2001:db8:1:1::1', '2001:db8:1:2::9', '2001:db8:2::1'],
    ])
      expect((await api.ask(token, WHO, {}, from(address))).status).toBe(200);
    const entries = await entriesOf(rowIdOf(apiKey.id));
    expect(entries.map(({ action, after }) => [action, after['network']])).toEqual([
      ['session.start', '198.51.100.0/24'],
      ['api_key.new_address', '203.0.113.0/24'],
      ['api_key.new_address', '2001:db8:1::/56'],
      ['api_key.new_address', '2001:db8:2::/56'],
    ]);
    expect(entries[1]).toMatchObject({ ip: '203.0.113.5', before: { networks: ['198.51.100.0/24'] } });
    await api.restart();
    await api.ask(token, WHO, {}, from('203.0.113.77'));
    expect(await entriesOf(rowIdOf(apiKey.id))).toHaveLength(4);
  });

  it('remembers a bounded number of networks of a key', async () => {
    const admin = await api.apiKey(acme);
    const { token, apiKey } = await create(admin, { name: 'Everywhere', role: 'VIEWER' });
    for (let network = 0; network < 60; network += 1)
      await api.ask(token, WHO, {}, from(`10.0.${network}.1`));
    const { rows } = await api.database.admin.query(
      'select network from api_key_networks where api_key_id = $1',
      [Number(rowIdOf(apiKey.id).replace('key:', ''))],
    );
    expect(rows).toHaveLength(50);
  });

  it('is counted by reason where it is refused', async () => {
    const refused = async (reason: string) => {
      const text = await api.metrics.registry.getSingleMetricAsString(
        'fleetgraph_api_refused_sign_ins_total',
      );
      return Number(new RegExp(`reason="${reason}"} (\\d+)`).exec(text)?.[1] ?? 0);
    };
    const before = {
      invalid: await refused('invalid'),
      missing: await refused('missing'),
      none: await refused('no_tenant'),
    };
    for (let round = 0; round < 5; round += 1) await api.ask('fgk_nonsense', WHO);
    await api.ask(undefined, WHO);
    await api.ask(await api.issuer.token({ subject: 'nobody' }), WHO);
    expect(await refused('invalid')).toBe(before.invalid + 5);
    expect(await refused('missing')).toBe(before.missing + 1);
    expect(await refused('no_tenant')).toBe(before.none + 1);
  });

  it('by a key allows what its scopes name, of what its role allows', async () => {
    const admin = await api.apiKey(acme);
    const { token, apiKey } = await create(admin, {
      ...{ name: 'Graphs', role: 'ENGINEER', scopes: ['telemetry.read', 'devices.read', 'devices.read'] },
    });
    expect(apiKey.scopes).toEqual(['devices.read', 'telemetry.read']);
    expect((await api.ask(token, WHO)).data.viewer.permissions).toEqual(['devices.read', 'telemetry.read']);
    const { data } = await api.ask(
      token,
      'mutation { deviceCreate(input: { key: "x" }) { ... on ForbiddenError { permission } } }',
    );
    expect(data.deviceCreate).toEqual({ permission: 'devices.write' });
    const sites = await api.ask(token, '{ sites { nodes { key } } }');
    expect(sites.errors[0]?.extensions?.['code']).toBe('FORBIDDEN');
    const beyond = await create(admin, { name: 'No', role: 'VIEWER', scopes: ['devices.write', 'x'] });
    expect(beyond.issues).toHaveLength(2);
  });

  it('by a key that may manage keys gives nobody more than the key has', async () => {
    const admin = await api.apiKey(acme);
    const manager = await create(admin, { name: 'Manager', role: 'ADMIN', scopes: ['apiKeys.manage'] });
    expect(await create(manager.token, { name: 'More', role: 'VIEWER' })).toMatchObject({
      __typename: 'ForbiddenError',
    });
    const strong = await create(admin, { name: 'Strong', role: 'ADMIN' });
    const { data } = await api.ask(
      manager.token,
      'mutation ($id: ID!) { apiKeyRotate(input: { id: $id }) { __typename } }',
      { id: strong.apiKey.id },
    );
    expect(data.apiKeyRotate.__typename).toBe('ForbiddenError');
    const same = await create(manager.token, { name: 'Same', role: 'ADMIN', scopes: ['apiKeys.manage'] });
    expect(same.__typename).toBe('ApiKeyCreateSuccess');
  });
});
