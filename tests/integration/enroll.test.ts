import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as x509 from '#core/auth/x509.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { createRequest } from '../kit/certificate-request.ts';
import { post } from '../kit/http-device.ts';
import { startProcesses, type TestProcesses } from '../kit/processes.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';
import { until } from '../kit/wait.ts';

const CREATE = `mutation ($input: ClaimCodeCreateInput!) { claimCodeCreate(input: $input) { __typename
  ... on ClaimCodeCreateSuccess { code claimCode { id hint state deviceKey expiresAt device { key } } }
  ... on UserError { code message path } } }`;
const REVOKE = `mutation ($input: ClaimCodeRevokeInput!) { claimCodeRevoke(input: $input) { __typename
  ... on ClaimCodeRevokeSuccess { claimCode { state } } ... on UserError { code } } }`;
const CODES = `query ($key: String!) { device(by: { key: $key }) { id status credentials { id kind hint }
  claimCodes { hint state deviceKey claimedAt credential { id } } } }`;

describe('a claim code', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let engineer: string;

  beforeAll(async () => {
    api = await openTestApi({
      env: { TRUSTED_PROXIES: '1', ENROLL_FAILURES_PER_MINUTE: '5', ENROLL_TENANT_PER_MINUTE: '150' },
    });
    acme = await seedTenant(api.database.admin, 'acme');
    engineer = await api.apiKey(acme, 'ENGINEER');
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const mutate = async (query: string, input: Record<string, unknown>, credential = engineer) => {
    const { data, errors } = await api.ask(credential, query, { input });
    expect(errors).toEqual([]);
    // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its document asks for
    return Object.values<any>(data)[0];
  };
  const codeFor = async (input: Record<string, unknown> = {}): Promise<string> =>
    (await mutate(CREATE, input)).code;
  /** Each address has attempts of its own. */
  let addresses = 0;
  const claim = (body: unknown, address = `198.51.100.${++addresses}`) =>
    post(`${api.url}/enroll/v1/claim`, body, { 'x-forwarded-for': address });
  const deviceOf = async (key: string) => (await api.ask(engineer, CODES, { key })).data.device;

  it('gives a device that exists a token, which opens the doors', async () => {
    const device = await acme.device('existing');
    const { id } = await deviceOf('existing');
    const made = await mutate(CREATE, { deviceId: id });
    expect(made.claimCode).toMatchObject({
      state: 'OPEN',
      deviceKey: 'existing',
      device: { key: 'existing' },
    });
    expect(made.code.endsWith(made.claimCode.hint)).toBe(true);
    const days = (Date.parse(made.claimCode.expiresAt) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(0.99);
    expect(days).toBeLessThan(1);
    const { status, headers, body } = await claim({ code: made.code.toLowerCase().replaceAll('-', ' ') });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toMatchObject({
      ...{ tenant: 'acme', device_key: 'existing', kind: 'TOKEN', username: device.username },
      ...{ token: expect.stringMatching(/^[\w-]{43}$/), mqtt_url: expect.stringMatching(/^mqtt:/) },
    });
    const sent = await post(
      `${api.url}/ingest/v1/tenant/acme/device/existing/heartbeat`,
      {},
      { authorization: `Bearer ${body.token}` },
    );
    expect(sent.status).toBe(202);
    const { credentials, claimCodes } = await deviceOf('existing');
    expect(claimCodes).toMatchObject([{ state: 'CLAIMED', credential: { id: credentials[0].id } }]);
    const stored = await api.database.admin.query(`select * from claim_codes where hint = $1`, [
      made.claimCode.hint,
    ]);
    expect(JSON.stringify(stored.rows)).not.toContain(made.code.replaceAll('-', ''));
  });

  it('is the first credential of a device that was created without one', async () => {
    const create = `mutation ($input: DeviceCreateInput!) { deviceCreate(input: $input) {
      ... on DeviceCreateSuccess { token { secret } device { id credentials { id } presence { credential } } } } }`;
    const input = { key: 'bare', withToken: false, clientMutationId: 'bare' };
    for (const made of [await mutate(create, input), await mutate(create, input)])
      expect(made).toMatchObject({
        token: null,
        device: { credentials: [], presence: { credential: 'NONE' } },
      });
    const { id } = await deviceOf('bare');
    expect((await claim({ code: await codeFor({ deviceId: id }) })).status).toBe(200);
    expect((await deviceOf('bare')).credentials).toHaveLength(1);
  });

  it('makes a device that there is not, by the name it was made for or by the name the device says', async () => {
    const named = await claim({ code: await codeFor({ deviceKey: 'to-come' }) });
    expect(named.body).toMatchObject({ device_key: 'to-come', kind: 'TOKEN' });
    const free = await codeFor();
    expect(await claim({ code: free })).toMatchObject({
      status: 400,
      body: { code: 'DEVICE_KEY_REQUIRED', field: '$.device_key' },
    });
    expect(await claim({ code: free, device_key: 'existing' })).toMatchObject({
      status: 409,
      body: { code: 'DEVICE_EXISTS' },
    });
    expect((await claim({ code: free, device_key: 'by-itself' })).body.device_key).toBe('by-itself');
    const { claimCodes } = await deviceOf('by-itself');
    expect(claimCodes).toMatchObject([{ state: 'CLAIMED', deviceKey: null }]);
    const { data } = await api.ask(engineer, '{ claimCodes(first: 2) { totalCount nodes { state } } }');
    expect(data.claimCodes.nodes).toEqual([{ state: 'CLAIMED' }, { state: 'CLAIMED' }]);
  });

  it('is exchanged for a certificate for the device’s own key; a bad request leaves it as it was', async () => {
    const { csr } = await createRequest({ name: 'ECDSA', namedCurve: 'P-256' });
    const code = await codeFor({ deviceKey: 'certified' });
    for (const bad of ['', 'nonsense', (await createRequest({ name: 'ECDSA', namedCurve: 'P-384' })).csr])
      expect(await claim({ code, csr: bad })).toMatchObject({
        status: 400,
        headers: expect.any(Headers),
        body: { code: 'BAD_CSR', field: '$.csr' },
      });
    expect(await deviceOf('certified')).toBeNull();
    const { body } = await claim({ code, csr });
    expect(body).toMatchObject({ kind: 'CERTIFICATE', device_key: 'certified' });
    expect(new x509.X509Certificate(body.certificate.split(/(?<=END CERTIFICATE-----)/)[0]).subject).toBe(
      'CN=acme/certified',
    );
    expect(body.ca).toContain('BEGIN CERTIFICATE');
    expect(Date.parse(body.expires_at)).toBeGreaterThan(Date.now() + 396 * 86_400_000);
  });

  it('is exchanged once, however many claim it at the same moment', async () => {
    const code = await codeFor({ deviceKey: 'raced' });
    // Nobody can make the device before several have looked at the code.
    const holder = await api.database.admin.connect();
    await holder.query('begin; lock table devices in exclusive mode');
    const claims = Promise.all(Array.from({ length: 20 }, () => claim({ code })));
    await until('several to wait', async () => {
      const { rows } = await api.database.admin.query<{ waiting: number }>(
        `select count(*)::int as waiting from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return (rows[0]?.waiting ?? 0) >= 5;
    });
    await holder.query('rollback');
    holder.release();
    const answers = await claims;
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status, body } of answers)
      if (status !== 200) expect({ status, code: body.code }).toEqual({ status: 410, code: 'CODE_USED' });
    expect((await deviceOf('raced')).credentials).toHaveLength(1);
  });

  it('ends when it says, when it is revoked, and with its device', async () => {
    const expired = await codeFor({ deviceKey: 'late' });
    await api.database.admin.query(`update claim_codes set expires_at = now() where device_key = 'late'`);
    expect(await claim({ code: expired })).toMatchObject({ status: 410, body: { code: 'CODE_EXPIRED' } });
    const made = await mutate(CREATE, { deviceKey: 'unwanted' });
    expect((await mutate(REVOKE, { id: made.claimCode.id })).claimCode.state).toBe('REVOKED');
    expect(await mutate(REVOKE, { id: made.claimCode.id })).toMatchObject({ code: 'CONFLICT' });
    expect(await claim({ code: made.code })).toMatchObject({ status: 410, body: { code: 'CODE_REVOKED' } });

    await acme.device('leaving');
    const { id } = await deviceOf('leaving');
    const left = await codeFor({ deviceId: id });
    await api.ask(engineer, `mutation { deviceDecommission(input: { id: "${id}" }) { __typename } }`);
    expect(await claim({ code: left })).toMatchObject({ status: 410, body: { code: 'CODE_REVOKED' } });
    expect(await mutate(CREATE, { deviceId: id })).toMatchObject({ code: 'CONFLICT' });
    expect(await mutate(CREATE, { deviceKey: 'leaving' })).toMatchObject({ code: 'CONFLICT' });
  });

  it('is not for another device, nor while the tenant is suspended', async () => {
    const code = await codeFor({ deviceKey: 'mine' });
    expect(await claim({ code, device_key: 'other' })).toMatchObject({
      status: 409,
      body: { code: 'WRONG_DEVICE' },
    });
    await api.database.admin.query(`update tenants set status = 'SUSPENDED' where slug = 'acme'`);
    expect(await claim({ code })).toMatchObject({ status: 403, body: { code: 'TENANT_NOT_ACTIVE' } });
    await api.database.admin.query(`update tenants set status = 'ACTIVE' where slug = 'acme'`);
    expect((await claim({ code })).status).toBe(200);
  });

  it('is made by engineers, for a device of the own tenant, and not for ever', async () => {
    expect(await mutate(CREATE, {}, await api.apiKey(acme, 'OPERATOR'))).toMatchObject({ code: 'FORBIDDEN' });
    for (const input of [
      { expiresInSeconds: 59 },
      { expiresInSeconds: 2_592_001 },
      { deviceKey: 'no spaces' },
      { deviceId: 'x', deviceKey: 'x' },
    ])
      expect(await mutate(CREATE, input)).toMatchObject({ code: 'VALIDATION' });
    const rival = await seedTenant(api.database.admin, 'rival');
    const { id } = await deviceOf('existing');
    expect(await mutate(CREATE, { deviceId: id }, await api.apiKey(rival))).toMatchObject({
      code: 'NOT_FOUND',
    });
    const foreign = await mutate(CREATE, { deviceKey: 'existing' }, await api.apiKey(rival));
    expect(foreign.claimCode.device).toBeNull();
    expect((await claim({ code: foreign.code })).body).toMatchObject({
      tenant: 'rival',
      username: 'rival/existing',
    });
  });

  it('that is wrong is refused in words, later each time, and in the end not looked at', async () => {
    const address = '203.0.113.9';
    const wrong = { code: '0000-0000-0000-0000' };
    const tookMs = async (body: unknown, status: number) => {
      const from = Date.now();
      const answer = await claim(body, address);
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      return Date.now() - from;
    };
    expect(await tookMs({ code: '0000-0000-0000-0001' }, 400)).toBeGreaterThanOrEqual(95);
    await tookMs(wrong, 404);
    expect(await tookMs(wrong, 404)).toBeGreaterThanOrEqual(390);
    // Many at once are no way around it.
    const rest = await Promise.all(Array.from({ length: 2 }, () => claim(wrong, address)));
    expect(rest.every(({ status }) => status === 404)).toBe(true);
    const good = await codeFor({ deviceKey: 'patient' });
    const refused = await claim({ code: good }, address);
    expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await claim({ code: good })).status).toBe(200);
    const counted = await api.metrics.registry.metrics();
    expect(counted).toMatch(/enroll_claims_total\{outcome="UNKNOWN_CODE"\} 4/);
    expect(counted).toMatch(/enroll_claims_total\{outcome="RATE_LIMITED"\} 1/);
  });

  it('does not slow down the many devices behind one address that are right', async () => {
    const codes = await Promise.all(
      Array.from({ length: 30 }, (_, index) => codeFor({ deviceKey: `line-${index}` })),
    );
    const answers = await Promise.all(codes.map((code) => claim({ code }, '203.0.113.10')));
    expect(answers.map(({ status }) => status)).toEqual(codes.map(() => 200));
  });

  it('is claimed only so often for one tenant, whoever asks', async () => {
    const busy = await seedTenant(api.database.admin, 'busy');
    const { code } = await mutate(CREATE, { deviceKey: 'wanted' }, await api.apiKey(busy));
    const seen = new Map<number, number>();
    for (let round = 0; round < 16; round += 1) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => claim({ code })));
      for (const { status } of answers) seen.set(status, (seen.get(status) ?? 0) + 1);
    }
    expect(seen.get(200)).toBe(1);
    expect(seen.get(429)).toBeGreaterThanOrEqual(1);
    expect((await claim({ code: await codeFor({ deviceKey: 'elsewhere' }) })).status).toBe(200);
  });

  it('comes as JSON in a POST, of a sane size', async () => {
    const url = `${api.url}/enroll/v1/claim`;
    expect((await fetch(url)).status).toBe(405);
    expect((await post(url, 'x', { 'content-type': 'text/plain' })).status).toBe(415);
    for (const body of ['{', '[]', '{}', '{"code":7}', '{"code":"x","device_key":"a b"}'])
      expect((await post(url, body)).status).toBe(400);
    expect((await post(url, { code: 'x', pad: 'x'.repeat(20_000) })).status).toBe(413);
  });

  it('is in the audit log as the device’s enrolment, with its address', async () => {
    await claim({ code: await codeFor({ deviceKey: 'audited' }) }, '192.0.2.44');
    const { data } = await api.ask(
      await api.apiKey(acme),
      `{ auditEntries(where: { actions: ["deviceClaim"], target: "audited" }) {
        nodes { actor { kind id name } target { type label } before after ip } } }`,
    );
    expect(data.auditEntries.nodes).toEqual([
      {
        actor: { kind: 'DEVICE', id: expect.stringMatching(/^claim:\d+$/), name: 'audited' },
        target: { type: 'Device', label: 'audited' },
        before: null,
        after: {
          claimCode: expect.stringMatching(/^….{4}$/),
          created: true,
          kind: 'TOKEN',
          hint: expect.any(String),
        },
        ip: '192.0.2.44',
      },
    ]);
  });

  it('is all that a device needs to speak MQTT', async () => {
    const processes: TestProcesses = await startProcesses({
      database: api.database,
      natsUrl: api.nats.url,
      start: ['gateway'],
    });
    try {
      const { body } = await claim({ code: await codeFor({ deviceKey: 'speaking' }) });
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${processes.mqttPort}`, {
        ...{ username: body.username, password: body.token, clientId: 'speaking', reconnectPeriod: 0 },
      });
      await client.publishAsync('tenant/acme/device/speaking/telemetry', '{"t":1}', { qos: 1 });
      await client.endAsync();
    } finally {
      await processes[Symbol.asyncDispose]();
    }
  });
});
