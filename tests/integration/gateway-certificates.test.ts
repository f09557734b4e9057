import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureRoot, ensureTenantAuthority } from '#core/auth/authorities.ts';
import {
  createRootAuthority,
  createTenantAuthority,
  type DeviceCertificateOptions,
  identityUri,
  importKey,
  issueServerCertificate,
  issueWithKey,
  type KeyedCertificate,
  toPem,
} from '#core/auth/certificates.ts';
import { createSecretBox } from '#core/auth/secrets.ts';
import * as x509 from '#core/auth/x509.ts';
import { createAuthorityStore } from '#core/db/authorities.ts';
import { freePort } from '#standalone/ports.ts';
import { openTestApi, type TestApi } from '#tests/kit/api.ts';
import { createRequest } from '#tests/kit/certificate-request.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { type SeededDevice, seedTenant, TEST_SECRET, type TenantSeed } from '#tests/kit/seed.ts';
import { promptly, until } from '#tests/kit/wait.ts';

const run = promisify(execFile);
const DAY_MS = 86_400_000;
const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;

const opened = new AsyncDisposableStack();
const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-certificates-'));
const box = createSecretBox(TEST_SECRET);
let api: TestApi;
let processes: TestProcesses;
let mqttsPort: number;
let acme: TenantSeed;
let rival: TenantSeed;
let adminKey: string;
let authorities: { acme: KeyedCertificate; rival: KeyedCertificate };

beforeAll(async () => {
  api = opened.use(await openTestApi());
  const store = createAuthorityStore(
    async <Row extends object>(statement: string, values: readonly unknown[]) => {
      const { rows } = await api.database.admin.query<Row>(statement, [...values]);
      return rows;
    },
  );
  const root = await ensureRoot(store, box);
  const server = await issueServerCertificate({ root, names: ['localhost'], addresses: ['127.0.0.1'] });
  writeFileSync(join(folder, 'ca.pem'), toPem('CERTIFICATE', root.certificate));
  writeFileSync(join(folder, 'server.pem'), toPem('CERTIFICATE', server.certificate));
  writeFileSync(join(folder, 'server.key'), toPem('PRIVATE KEY', server.privateKey));
  acme = await seedTenant(api.database.admin, 'acme');
  rival = await seedTenant(api.database.admin, 'rival');
  adminKey = await api.apiKey(acme);
  const authorityOf = ({ id, slug }: TenantSeed) =>
    ensureTenantAuthority(store, box, { tenantId: id, tenantSlug: slug });
  authorities = { acme: await authorityOf(acme), rival: await authorityOf(rival) };
  mqttsPort = await freePort();
  processes = opened.use(
    await startProcesses({
      database: api.database,
      natsUrl: api.nats.url,
      start: ['gateway', 'relay'],
      env: {
        MQTTS_PORT: String(mqttsPort),
        MQTTS_CERT_FILE: join(folder, 'server.pem'),
        MQTTS_KEY_FILE: join(folder, 'server.key'),
      },
    }),
  );
});
afterAll(async () => {
  await opened.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});

interface Bundle {
  readonly certificate: string;
  readonly privateKey: string;
  readonly ca: string;
  readonly credential: { readonly id: string };
}

const GENERATE = `mutation ($input: DeviceCertificateGenerateInput!) { deviceCertificateGenerate(input: $input) { __typename
  ... on DeviceCertificateGenerateSuccess { certificate privateKey ca credential { id kind hint expiresAt fingerprint serialNumber } }
  ... on UserError { code message } } }`;
const ISSUE = `mutation ($input: DeviceCertificateIssueInput!) { deviceCertificateIssue(input: $input) { __typename
  ... on DeviceCertificateIssueSuccess { certificate ca credential { id } } ... on UserError { code message path } } }`;
const REVOKE = `mutation ($input: DeviceCertificateRevokeInput!) { deviceCertificateRevoke(input: $input) { __typename
  ... on DeviceCertificateRevokeSuccess { credential { revokedAt revocationReason } } ... on UserError { code message } } }`;

async function mutate(query: string, input: Record<string, unknown>) {
  const { data, errors } = await api.ask(adminKey, query, { input });
  expect(errors).toEqual([]);
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its document asks for
  return Object.values<any>(data)[0];
}

async function idOf(device: SeededDevice): Promise<string> {
  const { data } = await api.ask(adminKey, 'query ($key: String!) { device(by: { key: $key }) { id } }', {
    key: device.key,
  });
  return data.device.id;
}

const generate = async (device: SeededDevice): Promise<Bundle> =>
  mutate(GENERATE, { deviceId: await idOf(device) });

/** The certificate of a device as somebody who holds an authority's key could make it, never recorded. */
async function forge(
  over: Partial<DeviceCertificateOptions> & { subject: DeviceCertificateOptions['subject'] },
) {
  const made = await issueWithKey({ authority: authorities.acme, ...over });
  return {
    certificate: toPem('CERTIFICATE', made.certificate),
    privateKey: toPem('PRIVATE KEY', made.privateKey),
  };
}

/** A certificate with any names, signed by `authority`, or by itself. */
async function craft(commonName: string, uri: string, authority?: KeyedCertificate) {
  const keys = await crypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const extensions = [new x509.SubjectAlternativeNameExtension([{ type: 'url', value: uri }])];
  const name = [{ CN: [commonName] }];
  const common = { serialNumber: '4a', extensions, signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } };
  const made = authority
    ? await x509.X509CertificateGenerator.create({
        ...common,
        subject: name,
        issuer: new x509.X509Certificate(authority.certificate.slice()).subjectName.toJSON(),
        publicKey: keys.publicKey,
        signingKey: await importKey(authority.privateKey),
        notBefore: new Date(Date.now() - DAY_MS),
      })
    : await x509.X509CertificateGenerator.createSelfSigned({ ...common, name, keys });
  const key = new Uint8Array(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { certificate: made.toString('pem'), privateKey: toPem('PRIVATE KEY', key) };
}

const subjectOf = (device: SeededDevice) => ({ tenant: device.tenant, device: device.key, publicId: 'none' });

let files = 0;
/** Publishes with Debian's own client over TLS; resolves after the PUBACK. */
async function publish(
  device: SeededDevice,
  bundle: Pick<Bundle, 'certificate' | 'privateKey'> | undefined,
  ...rest: readonly string[]
): Promise<void> {
  files += 1;
  const [cert, key] = [join(folder, `${files}.pem`), join(folder, `${files}.key`)];
  if (bundle) {
    writeFileSync(cert, bundle.certificate);
    writeFileSync(key, bundle.privateKey);
  }
  await run(
    'mosquitto_pub',
    [
      ...['-h', '127.0.0.1', '-p', String(mqttsPort), '--cafile', join(folder, 'ca.pem'), '-q', '1'],
      ...(bundle ? ['--cert', cert, '--key', key] : []),
      ...['-i', device.key, '-t', `tenant/${device.tenant}/device/${device.key}/telemetry`],
      ...['-m', '{"temperature":20}', ...rest],
    ],
    { timeout: 60_000 },
  );
}

async function connects(outcome: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${processes.healthPort('gateway')}/metrics`);
  const line = (await response.text())
    .split('\n')
    .find(
      (text) => text.startsWith('fleetgraph_gateway_connects_total') && text.includes(`outcome="${outcome}"`),
    );
  return line ? Number(line.slice(line.lastIndexOf(' '))) : 0;
}

/** Refused with this reason in the metric and in the log. */
async function expectRefused(reason: string, attempt: () => Promise<void>): Promise<void> {
  const before = await connects(reason);
  const log = join(processes.folder, 'gateway.log');
  const from = readFileSync(log, 'utf8').length;
  await expect(attempt()).rejects.toThrow(/not authorised/i);
  expect(await connects(reason)).toBe(before + 1);
  await until(`${reason} in the log`, () =>
    readFileSync(log, 'utf8').slice(from).includes(`"why":"${reason}: `),
  );
}

describe('a client certificate', () => {
  it('that was generated lets its device in, with or without a user name', async () => {
    const device = await acme.device('generated');
    const bundle = await generate(device);
    expect(bundle.ca).toBe(readFileSync(join(folder, 'ca.pem'), 'utf8'));
    const before = await connects('accepted');
    await publish(device, bundle);
    await publish(device, bundle, '-u', device.username);
    expect(await connects('accepted')).toBe(before + 2);
    const { data } = await api.ask(
      adminKey,
      'query ($key: String!) { device(by: { key: $key }) { credentials { kind hint expiresAt fingerprint } presence { credential } } }',
      { key: device.key },
    );
    const [certificate] = data.device.credentials;
    expect(certificate.kind).toBe('CERTIFICATE');
    expect(certificate.fingerprint.endsWith(certificate.hint)).toBe(true);
    const days = (Date.parse(certificate.expiresAt) - Date.now()) / DAY_MS;
    expect(days).toBeGreaterThan(396);
    expect(days).toBeLessThan(397);
  });

  it('that was issued for a request lets the device in; the names in the request are ignored', async () => {
    const device = await acme.device('requested');
    const { csr, privateKey } = await createRequest(P256);
    const issued = await mutate(ISSUE, { deviceId: await idOf(device), csr });
    expect(issued.__typename).toBe('DeviceCertificateIssueSuccess');
    await publish(device, { ...issued, privateKey });
    const der = new x509.X509Certificate(first(issued.certificate));
    expect(der.subject).toBe('CN=acme/requested');
  });

  it('is not made from a request that is none, or for another kind of key', async () => {
    const device = await acme.device('bad-request');
    const deviceId = await idOf(device);
    const { csr: otherCurve } = await createRequest({ name: 'ECDSA', namedCurve: 'P-384' });
    for (const csr of ['', 'nonsense', otherCurve]) {
      expect(await mutate(ISSUE, { deviceId, csr })).toMatchObject({
        code: 'VALIDATION',
        path: ['input', 'csr'],
      });
    }
  });

  it('is made for devices of the own tenant only', async () => {
    const foreign = await rival.device('foreign');
    const { data } = await api.ask(await api.apiKey(rival), '{ device(by: { key: "foreign" }) { id } }');
    expect(foreign.tenant).toBe('rival');
    expect(await mutate(GENERATE, { deviceId: data.device.id })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is refused once it has expired, and before it begins', async () => {
    const device = await acme.device('dated');
    const past = { notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
    const expired = await forge({ subject: subjectOf(device), ...past });
    await expectRefused('certificate_expired', () => publish(device, expired));
    const early = await forge({ subject: subjectOf(device), notBefore: new Date(Date.now() + DAY_MS) });
    await expectRefused('certificate_not_yet_valid', () => publish(device, early));
  });

  it('is refused when another authority signed it, be its name the same', async () => {
    const device = await acme.device('other-authority');
    const authority = await createTenantAuthority(await createRootAuthority(), 'acme');
    const forged = await forge({ authority, subject: subjectOf(device) });
    await expectRefused('certificate_unknown_ca', () => publish(device, forged));
  });

  it('is refused when it signs itself', async () => {
    const device = await acme.device('self-signed');
    const forged = await craft(device.username, identityUri('acme', device.key));
    await expectRefused('certificate_self_signed', () => publish(device, forged));
  });

  it('of another tenant is refused, whatever it says', async () => {
    const device = await acme.device('wrong-tenant');
    const forged = await forge({ authority: authorities.rival, subject: subjectOf(device) });
    await expectRefused('certificate_wrong_tenant', () => publish(device, forged));
    const honest = await forge({
      authority: authorities.rival,
      subject: { tenant: 'rival', device: device.key, publicId: 'none' },
    });
    await expectRefused('certificate_wrong_tenant', () => publish(device, honest, '-u', device.username));
  });

  it('of the right authority is refused when its names disagree, or name another device', async () => {
    const device = await acme.device('wrong-name');
    const other = await acme.device('wrong-name-other');
    const names = await craft(other.username, identityUri('acme', device.key), authorities.acme);
    await expectRefused('certificate_wrong_name', () => publish(device, names));
    const foreign = await craft(device.username, 'urn:something:else', authorities.acme);
    await expectRefused('certificate_wrong_name', () => publish(device, foreign));
    const bundle = await generate(other);
    await expectRefused('certificate_wrong_name', () => publish(device, bundle, '-u', device.username));
  });

  it('that says all the right things is refused when it was never recorded', async () => {
    const device = await acme.device('unrecorded');
    await generate(device);
    const forged = await forge({ subject: subjectOf(device) });
    await expectRefused('certificate_unknown_certificate', () => publish(device, forged));
  });

  it('that is revoked loses its session within a second, stays out, and stands in the revocation list', async () => {
    const device = await acme.device('revoked');
    const bundle = await generate(device);
    const kept = await generate(device);
    const client = await mqtt.connectAsync(
      `mqtts://127.0.0.1:${mqttsPort}`,
      {
        ...{ cert: bundle.certificate, key: bundle.privateKey, ca: bundle.ca },
        ...{ clientId: device.key, reconnectPeriod: 0 },
      },
      false,
    );
    const revoked = await mutate(REVOKE, { id: bundle.credential.id, reason: 'KEY_COMPROMISE' });
    expect(revoked.credential).toMatchObject({
      revokedAt: expect.any(String),
      revocationReason: 'KEY_COMPROMISE',
    });
    await promptly('the end of its session', () => !client.connected);
    await client.endAsync(true);
    await expectRefused('certificate_revoked', () => publish(device, bundle));
    await publish(device, kept);
    expect(await mutate(REVOKE, { id: bundle.credential.id })).toMatchObject({ code: 'CONFLICT' });

    const response = await fetch(`${api.url}/crl/acme.crl`);
    expect(response.headers.get('content-type')).toBe('application/pkix-crl');
    const list = new x509.X509Crl(await response.arrayBuffer());
    const authority = new x509.X509Certificate(authorities.acme.certificate.slice());
    expect(await list.verify({ publicKey: authority.publicKey })).toBe(true);
    const serials = list.entries.map((entry) => entry.serialNumber);
    expect(serials).toEqual([new x509.X509Certificate(first(bundle.certificate)).serialNumber]);
    expect((await fetch(`${api.url}/crl/nobody.crl`)).status).toBe(404);
  });

  it('is not needed: a token does over TLS as well, and nothing at all does not', async () => {
    const device = await acme.device('token');
    await publish(device, undefined, '-u', device.username, '-P', device.password);
    await expect(publish(device, undefined, '-u', device.username, '-P', 'wrong')).rejects.toThrow(
      'bad user name or password',
    );
    await expect(publish(device, undefined)).rejects.toThrow('bad user name or password');
  });

  it('keeps its authority’s key sealed in the database', async () => {
    const { rows } = await api.database.admin.query<{ private_key: Buffer }>(
      'select private_key from certificate_authorities union all select private_key from platform_authorities',
    );
    expect(rows.length).toBe(3);
    for (const { private_key: key } of rows) expect(box.keyIdOf(key)).toBe(box.keyId);
    await expect(
      api.database.worker.query('select private_key from certificate_authorities'),
    ).rejects.toThrow('permission denied');
  });
});

/** The first certificate of a chain in PEM. */
const first = (chain: string): string => `${chain.split(END)[0]}${END}`;
const END = '-----END CERTIFICATE-----';
