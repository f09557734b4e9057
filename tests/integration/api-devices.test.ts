import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashDeviceSecret } from '#core/auth/device-credentials.ts';
import { deriveKey } from '#core/auth/keys.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedTenant, TEST_SECRET, type TenantSeed } from '../kit/seed.ts';

const FAULTS = `... on UserError { code message path } ... on ValidationError { issues { path message } }
  ... on ConflictError { currentVersion } ... on ForbiddenError { permission }`;

const CREATE = `mutation ($input: DeviceCreateInput!) { deviceCreate(input: $input) { __typename
  ... on DeviceCreateSuccess { device { id key name site { key } tags attributes location { latitude longitude } version status
    expectedIntervalSeconds credentials { hint kind } presence { connection freshness credential } latest { metric } }
    token { username secret credential { id hint } } } ${FAULTS} } }`;
const UPDATE = `mutation ($input: DeviceUpdateInput!) { deviceUpdate(input: $input) { __typename
  ... on DeviceUpdateSuccess { device { id name version site { key } location { latitude } serialNumber status tags } } ${FAULTS} } }`;
const DECOMMISSION = `mutation ($input: DeviceDecommissionInput!) { deviceDecommission(input: $input) { __typename
  ... on DeviceDecommissionSuccess { device { status version decommissionedAt credentials { revokedAt } presence { credential } } } ${FAULTS} } }`;

describe('devices', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let key: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    await acme.site('north');
    key = await api.apiKey(acme);
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const mutate = async (query: string, input: Record<string, unknown>, credential = key) => {
    const { data, errors } = await api.ask(credential, query, { input });
    expect(errors).toEqual([]);
    // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its document asks for
    return Object.values<any>(data)[0];
  };
  const outboxSince = async (id: string) => {
    const { rows } = await api.database.admin.query<{
      id: string;
      subject: string;
      payload: Buffer;
      shard: number;
    }>('select id, subject, payload, shard from outbox where id > $1 order by id', [id]);
    return rows.map((row) => ({ subject: row.subject, payload: JSON.parse(row.payload.toString()) }));
  };
  const outboxEnd = async () => {
    const { rows } = await api.database.admin.query<{ id: string }>(
      'select coalesce(max(id), 0) as id from outbox',
    );
    return rows[0]?.id ?? '0';
  };

  it('tells who asks', async () => {
    const { data, extensions } = await api.ask(
      key,
      '{ viewer { id kind name role permissions tenant { slug retentionDays } } connectInfo { mqttUrl } liveWindow { oldestAt } }',
    );
    expect(data.viewer).toMatchObject({
      kind: 'API_KEY',
      role: 'ADMIN',
      tenant: { slug: 'acme', retentionDays: 400 },
    });
    expect(data.viewer.permissions).toContain('devices.write');
    expect(data.liveWindow).toEqual({ oldestAt: null });
    expect(extensions?.['cost']).toEqual({ requested: expect.any(Number), maximum: 10_000 });
  });

  it('accepts a token of the identity provider, with its role', async () => {
    const token = await api.issuer.token({ tenant: 'acme', roles: ['viewer', 'unknown'] });
    const { data } = await api.ask(token, '{ viewer { kind role email } }');
    expect(data.viewer).toEqual({ kind: 'USER', role: 'VIEWER', email: 'somebody@example.com' });
  });

  it('creates a device, shows its token once and keeps only the hash', async () => {
    const before = await outboxEnd();
    const { device, token } = await mutate(CREATE, {
      key: 'pump-1',
      siteKey: 'north',
      tags: ['a', 'a', 'b'],
      attributes: { floor: 3 },
      location: { latitude: 1.5, longitude: 2 },
      expectedIntervalSeconds: 5,
    });
    expect(device).toMatchObject({
      key: 'pump-1',
      name: 'pump-1',
      site: { key: 'north' },
      tags: ['a', 'b'],
      attributes: { floor: 3 },
      location: { latitude: 1.5, longitude: 2 },
      presence: { connection: 'UNKNOWN', freshness: 'SILENT', credential: 'ACTIVE' },
      latest: [],
      version: 1,
      status: 'ACTIVE',
      expectedIntervalSeconds: 5,
    });
    expect(token.username).toBe('acme/pump-1');
    expect(device.credentials).toEqual([{ hint: token.secret.slice(-4), kind: 'TOKEN' }]);
    const { rows } = await api.database.admin.query<{ secret_hash: Buffer }>(
      'select c.secret_hash from device_credentials c join devices d on d.id = c.device_id where d.key = $1',
      ['pump-1'],
    );
    expect(rows[0]?.secret_hash).toEqual(
      hashDeviceSecret(deriveKey(TEST_SECRET, 'device-token'), token.secret),
    );
    expect(await outboxSince(before)).toMatchObject([
      {
        subject: 'events.15.device',
        payload: { tenant: 'acme', kind: 'device', events: [{ device: 'pump-1', change: 'CREATED' }] },
      },
      { subject: 'control.device', payload: { tenant: 'acme', id: 'pump-1', version: 1 } },
    ]);
  });

  it('answers what is wrong with an input, everything at once', async () => {
    const result = await mutate(CREATE, {
      key: 'bad key',
      name: ' ',
      tags: ['x'.repeat(65)],
      attributes: ['not', 'an', 'object'],
      location: { latitude: 91, longitude: 0 },
      expectedIntervalSeconds: 0,
      serialNumber: 'a\u0000b',
    });
    expect(result.__typename).toBe('ValidationError');
    expect(result.issues.map((issue: { path: string[] }) => issue.path.join('.'))).toEqual([
      'input.key',
      'input.name',
      'input.tags.0',
      'input.attributes',
      'input.location.latitude',
      'input.serialNumber',
      'input.expectedIntervalSeconds',
    ]);
  });

  it('answers conflicts, missing neighbours and missing permissions as data', async () => {
    await mutate(CREATE, { key: 'twice' });
    expect(await mutate(CREATE, { key: 'twice' })).toMatchObject({
      __typename: 'ConflictError',
      code: 'CONFLICT',
      path: ['input', 'key'],
      currentVersion: 1,
    });
    expect(await mutate(CREATE, { key: 'elsewhere', siteKey: 'nowhere' })).toMatchObject({
      __typename: 'NotFoundError',
      path: ['input', 'siteKey'],
    });
    const viewer = await api.apiKey(acme, 'OPERATOR');
    expect(await mutate(CREATE, { key: 'mine' }, viewer)).toMatchObject({
      __typename: 'ForbiddenError',
      permission: 'devices.write',
    });
  });

  it('creates one device when twins race', async () => {
    const results = await Promise.all(Array.from({ length: 6 }, () => mutate(CREATE, { key: 'raced' })));
    const names = results.map((result) => result.__typename).sort();
    expect(names).toEqual([...Array<string>(5).fill('ConflictError'), 'DeviceCreateSuccess']);
  });

  it('changes what is named and leaves the rest, if nobody else was faster', async () => {
    const { device } = await mutate(CREATE, {
      key: 'changing',
      siteKey: 'north',
      serialNumber: 's',
      tags: ['t'],
    });
    const before = await outboxEnd();
    const changed = await mutate(UPDATE, {
      id: device.id,
      expectedVersion: 1,
      name: 'Changed',
      siteKey: null,
    });
    expect(changed.device).toMatchObject({
      name: 'Changed',
      version: 2,
      site: null,
      serialNumber: 's',
      tags: ['t'],
    });
    expect(await outboxSince(before)).toMatchObject([
      { payload: { events: [{ change: 'UPDATED', siteId: null }] } },
      { subject: 'control.device' },
    ]);
    expect(await mutate(UPDATE, { id: device.id, expectedVersion: 1, name: 'Late' })).toMatchObject({
      __typename: 'ConflictError',
      currentVersion: 2,
    });
    expect(await mutate(UPDATE, { id: 'nonsense', name: 'x' })).toMatchObject({
      __typename: 'NotFoundError',
    });
    expect(await mutate(UPDATE, { id: device.id, name: null })).toMatchObject({
      __typename: 'ValidationError',
    });
    expect(await mutate(UPDATE, { id: device.id, status: 'DECOMMISSIONED' })).toMatchObject({
      __typename: 'ValidationError',
    });
    const outbox = await outboxEnd();
    await mutate(UPDATE, { id: device.id, status: 'DISABLED' });
    expect((await outboxSince(outbox)).map((row) => row.subject)).toEqual([
      expect.stringMatching(/^events/),
      'control.device',
      'control.credential',
      'control.session',
    ]);
  });

  it('decommissions for good: credentials revoked, session ended, data kept', async () => {
    const { device } = await mutate(CREATE, { key: 'leaving' });
    const before = await outboxEnd();
    const gone = await mutate(DECOMMISSION, { id: device.id });
    expect(gone.device).toMatchObject({
      status: 'DECOMMISSIONED',
      version: 2,
      decommissionedAt: expect.any(String),
      credentials: [{ revokedAt: expect.any(String) }],
      presence: { credential: 'REVOKED' },
    });
    expect(await outboxSince(before)).toMatchObject([
      { payload: { events: [{ change: 'DECOMMISSIONED' }] } },
      { subject: 'control.device', payload: { id: 'leaving' } },
      { subject: 'control.credential', payload: { id: 'leaving' } },
      { subject: 'control.session', payload: { id: 'leaving', version: Number.MAX_SAFE_INTEGER } },
    ]);
    expect(await mutate(DECOMMISSION, { id: device.id })).toMatchObject({ __typename: 'ConflictError' });
    expect(await mutate(UPDATE, { id: device.id, name: 'x' })).toMatchObject({ __typename: 'ConflictError' });
  });

  it('gives a retry under the same clientMutationId the first answer, secret included, without doing it again', async () => {
    const input = { key: 'once', clientMutationId: 'retry-1' };
    const first = await mutate(CREATE, input);
    const again = await mutate(CREATE, { clientMutationId: 'retry-1', key: 'once' });
    expect(again).toEqual(first);
    expect(await mutate(CREATE, { key: 'other', clientMutationId: 'retry-1' })).toMatchObject({
      __typename: 'ValidationError',
      path: ['input', 'clientMutationId'],
    });
    const conflict = await mutate(CREATE, { key: 'once', clientMutationId: 'retry-2' });
    expect(conflict.__typename).toBe('ConflictError');
    expect(await mutate(CREATE, { key: 'once', clientMutationId: 'retry-2' })).toEqual(conflict);
    const { rows } = await api.database.admin.query<{ result: unknown }>(
      'select result from mutation_results',
    );
    expect(JSON.stringify(rows)).not.toContain(first.token.secret);
    // Another credential's id is another id.
    expect(
      (await mutate(CREATE, { key: 'fresh', clientMutationId: 'retry-1' }, await api.apiKey(acme)))
        .__typename,
    ).toBe('DeviceCreateSuccess');
  });

  it('gives the answer of one token to another of the same person only if that one may do as much', async () => {
    const token = (scope?: string) =>
      api.issuer.token({ tenant: 'acme', subject: 'ada', ...(scope !== undefined && { claims: { scope } }) });
    const KEY = `mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { __typename
      ... on ApiKeyCreateSuccess { token } ${FAULTS} } }`;
    const input = { name: 'wide', role: 'ADMIN', clientMutationId: 'wide' };
    const wide = await token();
    const first = await mutate(KEY, input, wide);
    expect(first.token).toMatch(/^fgk_/);
    const refused = await mutate(KEY, input, await token('apiKeys.manage'));
    expect(refused).toMatchObject({ __typename: 'ForbiddenError', permission: expect.any(String) });
    expect(refused.permission).not.toBe('apiKeys.manage');
    expect(await mutate(KEY, input, wide)).toEqual(first);
    const narrow = { name: 'x', role: 'VIEWER', scopes: ['apiKeys.manage'], clientMutationId: 'narrow' };
    const answer = await mutate(KEY, narrow, await token('apiKeys.manage'));
    expect(await mutate(KEY, narrow, wide)).toEqual(answer);
  });

  it('does it once when retries race', async () => {
    const input = { key: 'raced-retry', clientMutationId: 'race' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => mutate(CREATE, input)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0].__typename).toBe('DeviceCreateSuccess');
  });
});
