import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkSignature } from './certificate-check.ts';
import {
  createRootAuthority,
  createTenantAuthority,
  issueServerCertificate,
  issueWithKey,
  type KeyedCertificate,
} from './certificates.ts';

const DAY_MS = 86_400_000;
let root: KeyedCertificate;
let acme: KeyedCertificate;

beforeAll(async () => {
  root = await createRootAuthority();
  acme = await createTenantAuthority(root, 'acme');
});

const issue = async (device: string) => {
  const subject = { tenant: 'acme', device, publicId: 'RGV2aWNlOjE' };
  return new X509Certificate((await issueWithKey({ authority: acme, subject })).certificate);
};
const judge = (certificate: X509Certificate, now = new Date()) =>
  checkSignature({
    ...{ certificate, now, claimed: undefined },
    authorities: [new X509Certificate(acme.certificate)],
  });

describe('a device’s certificate', () => {
  it('names the device in its SAN and, where that fits, in its CN', async () => {
    const short = await issue('line:4.pump_7');
    expect(short.subject).toBe('CN=acme/line:4.pump_7');
    expect(short.subjectAltName).toBe('URI:urn:fleetgraph:acme:line:4.pump_7');
    expect(judge(short)).toEqual({ tenant: 'acme', device: 'line:4.pump_7' });
    const long = await issue('x'.repeat(128));
    expect(long.subject).toBe('CN=RGV2aWNlOjE');
    expect(judge(long)).toEqual({ tenant: 'acme', device: 'x'.repeat(128) });
  });

  it('is for client authentication, no authority, and good for 397 days', async () => {
    const certificate = await issue('pump');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.ca).toBe(false);
    expect(judge(certificate, new Date(Date.now() + 396 * DAY_MS))).toMatchObject({ device: 'pump' });
    expect(judge(certificate, new Date(Date.now() + 398 * DAY_MS))).toBe('EXPIRED');
    expect(judge(certificate, new Date(Date.now() - DAY_MS))).toBe('NOT_YET_VALID');
  });

  it('is never good for longer than its authority', async () => {
    const subject = { tenant: 'acme', device: 'pump', publicId: 'x' };
    const notAfter = new Date(Date.now() + 30_000 * DAY_MS);
    const made = await issueWithKey({ authority: acme, subject, notAfter });
    expect(made.notAfter).toEqual(new X509Certificate(acme.certificate).validToDate);
  });
});

describe('an authority', () => {
  it('of a tenant is signed by the root and signs no other authority', () => {
    const [parent, child] = [new X509Certificate(root.certificate), new X509Certificate(acme.certificate)];
    expect(child.checkIssued(parent) && child.verify(parent.publicKey)).toBe(true);
    expect(child.ca).toBe(true);
    expect(child.subject).toBe('O=Fleetgraph\nCN=acme');
  });

  it('that is the root signs servers for their names and addresses', async () => {
    const made = await issueServerCertificate({ root, names: ['localhost'], addresses: ['::1', '10.0.0.7'] });
    const server = new X509Certificate(made.certificate);
    expect(server.checkHost('localhost')).toBe('localhost');
    expect(server.checkIP('10.0.0.7')).toBe('10.0.0.7');
    expect(server.checkIP('10.0.0.8')).toBeUndefined();
  });
});
