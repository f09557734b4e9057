import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readApiConfig } from '#api/config.ts';
import { controlSubject } from '#core/bus/subjects.ts';
import { freePort } from '#standalone/ports.ts';
import { openTestApi, type TestApi } from '#tests/kit/api.ts';
import { type DoorAnswer, post } from '#tests/kit/http-device.ts';
import { type SeededDevice, seedTenant, TEST_SECRET, type TenantSeed } from '#tests/kit/seed.ts';
import { promptly } from '#tests/kit/wait.ts';

const SECRET = 'the-secret-of-the-broker';

let api: TestApi;
let port: number;
let acme: TenantSeed;
let rival: TenantSeed;

beforeAll(async () => {
  port = await freePort();
  api = await openTestApi({ env: { INTERNAL_PORT: String(port), INTERNAL_SECRET: SECRET } });
  acme = await seedTenant(api.database.admin, 'acme');
  rival = await seedTenant(api.database.admin, 'rival');
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const ask = (hook: 'auth' | 'acl', body: unknown, secret: string | undefined = SECRET): Promise<DoorAnswer> =>
  post(`http://127.0.0.1:${port}/internal/mqtt/${hook}`, body, { 'x-internal-auth': secret });

/** As EMQX asks about a client with a password. */
const client = ({ username, password, key }: SeededDevice) => ({
  ...{ username, password, client_id: key, peer_cert_cn: '', peer_cert_fingerprint: '' },
});
const auth = async (body: unknown) => (await ask('auth', body)).body.result;
const acl = async (device: Pick<SeededDevice, 'username'>, action: string, topic: string) =>
  (await ask('acl', { username: device.username, client_id: 'x', topic, action })).body.result;

async function change(device: SeededDevice, sql: string): Promise<void> {
  await api.database.admin.query(sql, [device.id]);
  const change = { tenant: device.tenant, tenantId: acme.id, id: device.key, version: 2 };
  api.bus.connection.publish(controlSubject('device'), JSON.stringify(change));
}

/** A certificate of a device, as far as the database knows it. */
async function certify(device: SeededDevice, tenant: TenantSeed): Promise<string> {
  const fingerprint = createHash('sha256').update(randomBytes(32)).digest();
  await api.database.admin.query(
    `insert into device_credentials (tenant_id, device_id, kind, secret_hash, hint, serial, authority_generation, not_before, expires_at)
     values ($1, $2, 'CERTIFICATE', $3, 'x', '01', 1, now(), now() + interval '1 day')`,
    [tenant.id, device.id, fingerprint],
  );
  return fingerprint.toString('hex');
}

describe('whether a client may come in', () => {
  it('is allowed with its password, never as a superuser, and with the attributes that rules need', async () => {
    const device = await acme.device('m1');
    expect(await ask('auth', client(device))).toMatchObject({
      status: 200,
      body: { result: 'allow', is_superuser: false, client_attrs: { tenant: 'acme', device: 'm1' } },
    });
  });

  it('is denied with a wrong password, another device’s, or none', async () => {
    const device = await acme.device('m2');
    const other = await acme.device('m3');
    for (const password of ['wrong', other.password, '', null, undefined, 'undefined']) {
      expect(await ask('auth', { ...client(device), password })).toMatchObject({
        status: 200,
        body: { result: 'deny', is_superuser: false },
      });
    }
  });

  it('is denied though the device has a certificate that was not presented', async () => {
    const device = await acme.device('certified');
    await certify(device, acme);
    expect(await auth({ ...client(device), password: '' })).toBe('deny');
    expect(await auth({ ...client(device), password: '', peer_cert_cn: 'acme/certified' })).toBe('deny');
  });

  it('is allowed with the very certificate, named by user name or CN; the password is not looked at', async () => {
    const device = await acme.device('mtls');
    const fingerprint = await certify(device, acme);
    const colons = fingerprint.toUpperCase().replace(/..(?=.)/g, '$&:');
    const presented = { client_id: 'x', peer_cert_cn: 'acme/mtls', peer_cert_fingerprint: fingerprint };
    expect(await auth(presented)).toBe('allow');
    expect(await auth({ ...presented, peer_cert_fingerprint: colons })).toBe('allow');
    expect(await auth({ ...presented, username: 'acme/mtls', password: 'wrong' })).toBe('allow');
    expect(await auth({ ...presented, username: 'acme/mtls', peer_cert_cn: 'some-public-id' })).toBe('allow');
  });

  it('is denied with another device’s certificate, another tenant’s, an unknown or a revoked one', async () => {
    const device = await acme.device('mtls-2');
    const other = await acme.device('mtls-3');
    const foreign = await rival.device('mtls-2');
    const own = await certify(device, acme);
    const present = (peer_cert_fingerprint: string, over: object = {}) =>
      auth({ ...client(device), password: '', peer_cert_cn: 'acme/mtls-2', peer_cert_fingerprint, ...over });
    expect(await present(own)).toBe('allow');
    expect(await present(await certify(other, acme))).toBe('deny');
    expect(await present(await certify(foreign, rival))).toBe('deny');
    expect(await present('00'.repeat(32))).toBe('deny');
    expect(await present(own.slice(0, 40))).toBe('deny');
    expect(await present(own, { username: 'acme/mtls-3' })).toBe('deny');
    expect(await present('00'.repeat(32), { password: device.password })).toBe('deny');
    await change(device, `update device_credentials set revoked_at = now() where device_id = $1`);
    await promptly('the refusal', async () => (await present(own)) === 'deny');
  });

  it('is denied for a device that is unknown, and left to others where no device is named', async () => {
    expect(await auth({ username: 'acme/nobody', password: 'x', client_id: 'x' })).toBe('deny');
    for (const username of ['bridge', '', undefined, 'acme/', 'UPPER/x', 'undefined']) {
      expect(await auth({ username, password: 'x', client_id: 'x' })).toBe('ignore');
    }
    expect(await auth({ username: 'bridge', peer_cert_cn: 'stranger', client_id: 'x' })).toBe('deny');
  });

  it.each([
    ['its token is revoked', 'update device_credentials set revoked_at = now() where device_id = $1'],
    ['its token has expired', `update device_credentials set expires_at = now() where device_id = $1`],
    ['it is disabled', `update devices set status = 'DISABLED' where id = $1`],
    ['it is decommissioned', `update devices set status = 'DECOMMISSIONED' where id = $1`],
    [
      'its tenant is suspended',
      `update tenants set status = 'SUSPENDED' where id = (select tenant_id from devices where id = $1)`,
    ],
  ])('is denied from the moment on when %s, and so is what it publishes', async (why, sql) => {
    const tenant = why.includes('tenant') ? await seedTenant(api.database.admin, 'suspended') : acme;
    const device = await tenant.device(`ends-${why.replaceAll(' ', '-')}`);
    const topic = `tenant/${tenant.slug}/device/${device.key}/telemetry`;
    expect(await auth(client(device))).toBe('allow');
    expect(await acl(device, 'publish', topic)).toBe('allow');
    await change(device, sql);
    await promptly('the refusal', async () => (await auth(client(device))) === 'deny');
    expect(await acl(device, 'publish', topic)).toBe('deny');
  });
});

describe('what a client may do', () => {
  it('is to publish to its own uplinks and to subscribe to its own downlinks', async () => {
    const device = await acme.device('acl');
    const own = 'tenant/acme/device/acl';
    for (const topic of [`${own}/telemetry`, `${own}/status`, 'iot/acl/hello', 'v1/telemetry/acme/acl'])
      expect([topic, await acl(device, 'publish', topic)]).toEqual([topic, 'allow']);
    for (const topic of [`${own}/commands`, `${own}/#`])
      expect([topic, await acl(device, 'subscribe', topic)]).toEqual([topic, 'allow']);
  });

  it('is nothing else', async () => {
    const device = await acme.device('acl-2');
    const own = 'tenant/acme/device/acl-2';
    const foreign = [
      'tenant/acme/device/acl/telemetry',
      'tenant/rival/device/acl-2/telemetry',
      'iot/acl/hello',
    ];
    for (const topic of [...foreign, `${own}/commands`, `${own}/shadow/desired`, '$SYS/x', ''])
      expect([topic, await acl(device, 'publish', topic)]).toEqual([topic, 'deny']);
    for (const topic of [
      '#',
      `${own}/telemetry`,
      'tenant/acme/device/+/commands',
      `$share/g/${own}/commands`,
    ])
      expect([topic, await acl(device, 'subscribe', topic)]).toEqual([topic, 'deny']);
    expect(await acl({ username: 'bridge' }, 'subscribe', '#')).toBe('deny');
    expect(await acl({ username: 'acme/nobody' }, 'publish', 'tenant/acme/device/nobody/telemetry')).toBe(
      'deny',
    );
  });
});

describe('the hooks', () => {
  it('answer nobody without the shared secret', async () => {
    const device = await acme.device('secret');
    for (const secret of ['', 'wrong', `${SECRET}x`, SECRET.slice(1)]) {
      expect(await ask('auth', client(device), secret)).toMatchObject({
        status: 401,
        body: { code: 'UNAUTHENTICATED', field: 'X-Internal-Auth' },
      });
    }
    const nothing = await post(`http://127.0.0.1:${port}/internal/mqtt/auth`, client(device));
    expect(nothing.status).toBe(401);
  });

  it('say what is wrong with a question that is none', async () => {
    expect(await ask('auth', '{')).toMatchObject({ status: 400, body: { code: 'BAD_JSON' } });
    expect(await ask('auth', [])).toMatchObject({ status: 400, body: { code: 'BAD_SHAPE', field: '$' } });
    expect(await ask('acl', { username: 'acme/m1', topic: 't', action: 'all' })).toMatchObject({
      status: 400,
      body: { field: '$.action' },
    });
    expect(await ask('auth', { username: 1 })).toMatchObject({ status: 400, body: { field: '$.username' } });
    expect(await ask('auth', { username: 'x'.repeat(20_000) })).toMatchObject({ status: 413 });
    const url = `http://127.0.0.1:${port}/internal/mqtt`;
    expect((await fetch(`${url}/auth`, { headers: { 'x-internal-auth': SECRET } })).status).toBe(405);
    expect(await post(`${url}/constructor`, {}, { 'x-internal-auth': SECRET })).toMatchObject({
      status: 404,
    });
  });

  it('are not on the public port, nor anything else on theirs', async () => {
    const device = await acme.device('public');
    const answer = await fetch(`${api.url}/internal/mqtt/auth`, {
      ...{ method: 'POST', headers: { 'x-internal-auth': SECRET, 'content-type': 'application/json' } },
      body: JSON.stringify(client(device)),
    });
    expect(answer.status).toBe(404);
    const inside = await post(`http://127.0.0.1:${port}/graphql`, {}, { 'x-internal-auth': SECRET });
    expect(inside.status).toBe(404);
  });

  it('are on the public port where that is asked for, and refuse to start without a secret', async () => {
    await using open = await openTestApi({
      env: { INTERNAL_ON_PUBLIC_PORT: 'true', INTERNAL_SECRET: SECRET },
    });
    const tenant = await seedTenant(open.database.admin, 'acme');
    const device = await tenant.device('m1');
    const url = `${open.url}/internal/mqtt/auth`;
    expect(await post(url, client(device), { 'x-internal-auth': SECRET })).toMatchObject({
      body: { result: 'allow' },
    });
    expect((await post(url, client(device))).status).toBe(401);
    const env = {
      ...{ DATABASE_URL: 'postgresql://x', FLEETGRAPH_SECRET_KEY: TEST_SECRET },
      ...{ PUBLIC_URL: 'http://x', OIDC_ISSUER: 'http://x' },
    };
    expect(() => readApiConfig({ ...env, INTERNAL_PORT: '8090' })).toThrow(/INTERNAL_SECRET/);
    expect(() => readApiConfig({ ...env, INTERNAL_PORT: '8090', INTERNAL_SECRET: 'short' })).toThrow(/16/);
  });

  it('are counted by answer and reason', async () => {
    const text = await api.metrics.registry.metrics();
    expect(text).toContain(
      'fleetgraph_api_mqtt_hooks_total{hook="auth",result="deny",reason="bad_credentials"}',
    );
    expect(text).toContain('fleetgraph_api_mqtt_hooks_total{hook="acl",result="deny",reason="topic"}');
  });
});
