import { X509Certificate } from 'node:crypto';
import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as x509 from '#core/auth/x509.ts';
import { decodeEvents } from '#core/bus/events.ts';
import { openTestApi, type TestApi } from '#tests/kit/api.ts';
import { createRequest } from '#tests/kit/certificate-request.ts';
import { connectByCertificate, type MqttsFiles, writeMqttsFiles } from '#tests/kit/mqtts.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { promptly, until } from '#tests/kit/wait.ts';

interface Bundle {
  readonly certificate: string;
  readonly privateKey: string;
  readonly ca: string;
  readonly credential: { readonly id: string; readonly serialNumber: string };
}

const GENERATE = `mutation ($input: DeviceCertificateGenerateInput!) { deviceCertificateGenerate(input: $input) {
  ... on DeviceCertificateGenerateSuccess { certificate privateKey ca credential { id serialNumber authorityGeneration } } } }`;
const RENEW = `mutation ($input: DeviceCertificateRenewInput!) { deviceCertificateRenew(input: $input) { __typename
  ... on DeviceCertificateRenewSuccess { certificate ca credential { id serialNumber authorityGeneration device { key presence { credential } } }
    previous { id retiresAt revokedAt revocationReason renewedBy { id } } }
  ... on UserError { code path } } }`;
const ROTATE = `mutation ($input: TenantCaRotateInput!) { tenantCaRotate(input: $input) { __typename
  ... on TenantCaRotateSuccess { tenantCa { rootCertificate generations { generation isCurrent certificate retiresAt liveCertificates crlUrl } } }
  ... on UserError { code } } }`;

const opened = new AsyncDisposableStack();
let api: TestApi;
let files: MqttsFiles;
let processes: TestProcesses;
let acme: TenantSeed;
let admin: string;

beforeAll(async () => {
  api = opened.use(await openTestApi());
  files = opened.use(await writeMqttsFiles(api.database.admin));
  acme = await seedTenant(api.database.admin, 'acme');
  admin = await api.apiKey(acme);
  processes = opened.use(
    await startProcesses({
      database: api.database,
      natsUrl: api.nats.url,
      start: ['gateway', 'relay', 'janitor'],
      env: { ...files.env, JANITOR_INTERVAL_MS: '1000' },
    }),
  );
});
afterAll(() => opened.disposeAsync());

const mutate = async (query: string, input: Record<string, unknown>, credential = admin) => {
  const { data, errors } = await api.ask(credential, query, { input });
  expect(errors).toEqual([]);
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its document asks for
  return Object.values<any>(data)[0];
};
const idOf = async (device: SeededDevice): Promise<string> => {
  const { data } = await api.ask(admin, 'query ($key: String!) { device(by: { key: $key }) { id } }', {
    key: device.key,
  });
  return data.device.id;
};
const generate = async (device: SeededDevice): Promise<Bundle> =>
  mutate(GENERATE, { deviceId: await idOf(device) });
const connect = (bundle: Omit<Bundle, 'credential'>, device: SeededDevice) =>
  connectByCertificate(files.port, bundle, device.key);
/** The gateway may have to hear of a certificate that was made a moment ago. */
const connectSoon = (bundle: Omit<Bundle, 'credential'>, device: SeededDevice) =>
  until('the new certificate to be known', () => connect(bundle, device));
const isCutOff = (client: MqttClient) => promptly('the end of its session', () => !client.connected);
const publish = (client: MqttClient, device: SeededDevice) =>
  client.publishAsync(`tenant/acme/device/${device.key}/telemetry`, '{"t":1}', { qos: 1 });
const leaf = (chain: string) => new X509Certificate(chain);
const metric = async (name: string): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${processes.healthPort('janitor')}/metrics`);
  const line = (await response.text()).split('\n').find((each) => each.startsWith(name));
  return line ? Number(line.slice(line.lastIndexOf(' '))) : 0;
};
const ends = (serial: string, days: number) =>
  api.database.admin.query(
    `update device_credentials set expires_at = now() + $2 * interval '1 day' where serial = $1`,
    [serial, days],
  );
const crl = async (path: string) => new x509.X509Crl(await (await fetch(`${api.url}${path}`)).arrayBuffer());

describe('a certificate that is renewed', () => {
  it('for the same key leaves the old one good for the overlap, then it is superseded', async () => {
    const device = await acme.device('renewed');
    const bundle = await generate(device);
    const session = await connect(bundle, device);
    const renewed = await mutate(RENEW, { id: bundle.credential.id });
    const overlap = Date.parse(renewed.previous.retiresAt) - Date.now();
    expect(Math.abs(overlap - 7 * 86_400_000)).toBeLessThan(60_000);
    expect(renewed.previous).toMatchObject({ revokedAt: null, renewedBy: { id: renewed.credential.id } });
    expect(renewed.credential.device.presence.credential).toBe('ACTIVE');
    expect(leaf(renewed.certificate).publicKey.equals(leaf(bundle.certificate).publicKey)).toBe(true);
    await publish(session, device);
    const second = await connectSoon({ ...renewed, privateKey: bundle.privateKey }, device);
    await isCutOff(session);
    await publish(second, device);
    await second.endAsync();
    const again = await connect(bundle, device);
    expect(await mutate(RENEW, { id: bundle.credential.id })).toMatchObject({ code: 'CONFLICT' });

    // The overlap is over.
    await api.database.admin.query('update device_credentials set retires_at = now() where serial = $1', [
      bundle.credential.serialNumber,
    ]);
    await until('the janitor to retire it', () => !again.connected);
    await expect(connect(bundle, device)).rejects.toThrow(/Not authorized/i);
    await (await connect({ ...renewed, privateKey: bundle.privateKey }, device)).endAsync();
    const { data } = await api.ask(
      admin,
      'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on DeviceCredential { revokedAt revocationReason } } }',
      { ids: [bundle.credential.id] },
    );
    expect(data.nodes[0]).toEqual({ revokedAt: expect.any(String), revocationReason: 'SUPERSEDED' });
    const entry = (await crl('/crl/acme.crl')).findRevoked(bundle.credential.serialNumber);
    expect(entry?.reason).toBe(x509.X509CrlReason.superseded);
  });

  it('for a new key and without an overlap ends the old one’s session within a second', async () => {
    const device = await acme.device('renewed-key');
    const bundle = await generate(device);
    const session = await connect(bundle, device);
    const { csr, privateKey } = await createRequest({ name: 'ECDSA', namedCurve: 'P-256' });
    const renewed = await mutate(RENEW, { id: bundle.credential.id, csr, overlapSeconds: 0 });
    expect(renewed.previous.revocationReason).toBe('SUPERSEDED');
    await isCutOff(session);
    await expect(connect(bundle, device)).rejects.toThrow(/Not authorized/i);
    const after = await connectSoon({ ...renewed, privateKey }, device);
    await publish(after, device);
    await after.endAsync();
    expect(await mutate(RENEW, { id: bundle.credential.id })).toMatchObject({ code: 'CONFLICT' });
    expect(await mutate(RENEW, { id: renewed.credential.id, csr: 'nonsense' })).toMatchObject({
      code: 'VALIDATION',
      path: ['input', 'csr'],
    });
    expect(await mutate(RENEW, { id: renewed.credential.id, overlapSeconds: -1 })).toMatchObject({
      code: 'VALIDATION',
    });
  });
});

describe('a certificate that ends soon', () => {
  it('is warned of once for each threshold, by an event and a metric, whoever leads', async () => {
    const warnings: { device: string; days: number }[] = [];
    const subscription = api.bus.connection.subscribe('events.*.credential', {
      callback(_error, message) {
        const decoded = decodeEvents(message.data);
        if (decoded.kind === 'credential') warnings.push(...decoded.parts.flatMap((part) => part.events));
      },
    });
    await using second = await startProcesses({
      database: api.database,
      natsUrl: api.nats.url,
      start: ['janitor'],
      env: { JANITOR_INTERVAL_MS: '1000' },
    });
    expect(second.healthPort('janitor')).toBeGreaterThan(0);
    const device = await acme.device('ending');
    const { serialNumber, id } = (await generate(device)).credential;
    await api.database.admin.query(
      `update device_credentials set revoked_at = now() where device_id = $1 and kind = 'TOKEN'`,
      [device.id],
    );
    const daysOf = () => warnings.filter((each) => each.device === 'ending').map(({ days }) => days);
    const passes = async () => {
      // Both janitors have had their turn when a certificate that is due later has been warned of.
      const marker = await acme.device(`marker-${warnings.length}-${daysOf().length}`);
      await ends((await generate(marker)).credential.serialNumber, 0.5);
      await until('the marker', () => warnings.some((each) => each.device === marker.key));
    };
    expect(daysOf()).toEqual([]);
    for (const [days, expected] of [
      [31, []],
      [29.9, [30]],
      [20, [30]],
      [13.9, [30, 14]],
      [6.9, [30, 14, 7]],
      [0.9, [30, 14, 7, 1]],
      [0.5, [30, 14, 7, 1]],
    ] as const) {
      await ends(serialNumber, days);
      await passes();
      expect(daysOf()).toEqual(expected);
    }
    const { data } = await api.ask(
      admin,
      `query ($key: String!) { device(by: { key: $key }) { presence { credential } }
        certificates(state: EXPIRING, first: 100) { totalCount nodes { id device { key } } } }`,
      { key: device.key },
    );
    expect(data.device.presence.credential).toBe('EXPIRING');
    expect(data.certificates.nodes.map((node: { id: string }) => node.id)).toContain(id);
    expect(data.certificates.totalCount).toBe(data.certificates.nodes.length);
    const counted = async (name: string) => {
      const of = async (port: number) => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      const both = await Promise.all([of(processes.healthPort('janitor')), of(second.healthPort('janitor'))]);
      return both
        .flatMap((text) => text.split('\n'))
        .filter((line) => line.startsWith(name))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    };
    await until(
      'the counter',
      async () => (await counted('fleetgraph_janitor_certificate_warnings_total{days="14"}')) === 1,
    );
    expect(await counted('fleetgraph_janitor_certificates_ending{days="1"}')).toBeGreaterThanOrEqual(1);

    // Found late, it is warned of once, by the narrowest; renewed, not at all.
    const late = await acme.device('late');
    await ends((await generate(late)).credential.serialNumber, 5);
    await until('the late warning', () => warnings.some((each) => each.device === 'late'));
    const calm = await acme.device('calm');
    const bundle = await generate(calm);
    await mutate(RENEW, { id: bundle.credential.id });
    await ends(bundle.credential.serialNumber, 5);
    await passes();
    expect(warnings.filter((each) => each.device === 'late').map(({ days }) => days)).toEqual([7]);
    expect(warnings.filter((each) => each.device === 'calm')).toEqual([]);
    subscription.unsubscribe();
  });
});

describe('an authority that is replaced', () => {
  it('leaves live sessions and older certificates as they are, while the new one signs', async () => {
    const device = await acme.device('before-rotation');
    const bundle = await generate(device);
    const session = await connect(bundle, device);
    let closed = false;
    session.once('close', () => {
      closed = true;
    });
    const { tenantCa } = await mutate(ROTATE, {});
    expect(tenantCa.generations.map((each: { generation: number }) => each.generation)).toEqual([2, 1]);
    expect(tenantCa.generations[0]).toMatchObject({ isCurrent: true, liveCertificates: 0, retiresAt: null });
    expect(tenantCa.generations[1]).toMatchObject({ isCurrent: false, retiresAt: null });
    expect(tenantCa.generations[1].liveCertificates).toBeGreaterThanOrEqual(1);
    expect(tenantCa.rootCertificate).toBe(files.ca);
    for (const { certificate } of tenantCa.generations)
      expect(leaf(certificate).verify(leaf(files.ca).publicKey)).toBe(true);

    const after = await acme.device('after-rotation');
    const fresh = await generate(after);
    expect(leaf(fresh.certificate).verify(leaf(tenantCa.generations[0].certificate).publicKey)).toBe(true);
    // The gateway knows the tenant's authorities already, and has to ask again.
    const newcomer = await connectSoon(fresh, after);
    await publish(newcomer, after);
    await newcomer.endAsync();
    await publish(session, device);
    expect(closed).toBe(false);
    await session.endAsync();
    await (await connect(bundle, device)).endAsync();

    const revoke = `mutation ($input: DeviceCertificateRevokeInput!) { deviceCertificateRevoke(input: $input) { __typename } }`;
    const unwanted = await generate(await acme.device('unwanted'));
    const keeper = await connect(fresh, after);
    await mutate(revoke, { id: unwanted.credential.id, reason: 'CESSATION_OF_OPERATION' });
    const newer = await until('the newer list', async () => {
      const list = await crl('/crl/acme/2.crl');
      return list.findRevoked(unwanted.credential.serialNumber) && list;
    });
    const [second, first] = tenantCa.generations;
    expect(await newer.verify({ publicKey: new x509.X509Certificate(second.certificate) })).toBe(true);
    const older = await crl('/crl/acme.crl');
    expect(await older.verify({ publicKey: new x509.X509Certificate(first.certificate) })).toBe(true);
    expect(older.findRevoked(unwanted.credential.serialNumber)).toBeNull();
    expect((await fetch(`${api.url}/crl/acme/3.crl`)).status).toBe(404);
    // Lists were made anew meanwhile, and the session of the same authority is still there.
    await publish(keeper, after);
    await keeper.endAsync();
  });

  it('ends what the older ones signed, where it is told to, and what it signs lives on', async () => {
    const device = await acme.device('compromised-authority');
    const bundle = await generate(device);
    const session = await connect(bundle, device);
    const { tenantCa } = await mutate(ROTATE, { overlapSeconds: 0 });
    await isCutOff(session);
    expect(tenantCa.generations[1].retiresAt).not.toBeNull();
    expect(tenantCa.generations[1].liveCertificates).toBe(0);
    await expect(connect(bundle, device)).rejects.toThrow(/Not authorized/i);
    const fresh = await generate(device);
    await (await connectSoon(fresh, device)).endAsync();
    await until(
      'the janitor to note it',
      async () => (await metric('fleetgraph_janitor_certificates_retired_total')) >= 1,
    );
  });

  it('is replaced by admins, where there is one', async () => {
    expect(await mutate(ROTATE, {}, await api.apiKey(acme, 'ENGINEER'))).toMatchObject({ code: 'FORBIDDEN' });
    const fresh = await seedTenant(api.database.admin, 'fresh');
    expect(await mutate(ROTATE, {}, await api.apiKey(fresh))).toMatchObject({ code: 'CONFLICT' });
    const { data } = await api.ask(
      await api.apiKey(fresh),
      '{ tenantCa { generations { generation } } certificates(state: GOOD) { totalCount nodes { id } } }',
    );
    expect(data).toEqual({ tenantCa: { generations: [] }, certificates: { totalCount: 0, nodes: [] } });
  });
});
