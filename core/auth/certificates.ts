import { createHash, randomBytes } from 'node:crypto';

import { FleetgraphError } from '../runtime/errors.ts';
import * as x509 from './x509.ts';

/** A certificate with the key that belongs to it, both DER. The key is PKCS #8. */
export interface KeyedCertificate {
  readonly certificate: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** What is kept about a certificate that was made. */
export interface IssuedCertificate {
  /** DER. */
  readonly certificate: Uint8Array;
  /** Hexadecimal, without leading zeros beyond whole bytes. */
  readonly serial: string;
  /** SHA-256 of the DER. */
  readonly fingerprint: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
}

/** Whom a certificate speaks for. */
export interface CertificateSubject {
  readonly tenant: string;
  readonly device: string;
  /** Takes the place of `{tenant}/{device}` as common name where that is too long. */
  readonly publicId: string;
}

export interface DeviceCertificateOptions {
  readonly authority: KeyedCertificate;
  readonly subject: CertificateSubject;
  /** Default now, a minute back for clocks that are slow. */
  readonly notBefore?: Date;
  /** Default 397 days from now; never beyond the authority's own. */
  readonly notAfter?: Date;
  /** Where the tenant's revocation list is. */
  readonly crlUrl?: string;
}

/** The request is not one that a certificate can be made from. */
export class CertificateRequestError extends FleetgraphError {
  constructor(message: string, options?: ErrorOptions) {
    super('BAD_CERTIFICATE_REQUEST', message, options);
  }
}

/** RFC 5280, upper bound of a common name. */
const MAX_COMMON_NAME = 64;
const DAY_MS = 86_400_000;
const DEVICE_DAYS = 397;
const TENANT_AUTHORITY_DAYS = 3_650;
const ROOT_DAYS = 7_300;
const SKEW_MS = 60_000;
const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const USAGE = x509.KeyUsageFlags;

/** What a device is called in the SAN of its certificate. */
export const identityUri = (tenant: string, device: string): string => `urn:fleetgraph:${tenant}:${device}`;

/** `{tenant}/{device}` where it fits into a common name. */
export function commonNameOf({ tenant, device, publicId }: CertificateSubject): string {
  const name = `${tenant}/${device}`;
  return name.length <= MAX_COMMON_NAME ? name : publicId;
}

export const fingerprintOf = (certificate: Uint8Array): Buffer =>
  createHash('sha256').update(certificate).digest();

/** The platform's own authority: signs those of tenants, and server certificates. 20 years, P-256. */
export async function createRootAuthority(now = new Date()): Promise<KeyedCertificate> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: [{ O: ['Fleetgraph'] }, { CN: ['Fleetgraph Root'] }],
    keys,
    notBefore: new Date(now.getTime() - SKEW_MS),
    notAfter: daysAfter(now, ROOT_DAYS),
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(USAGE.keyCertSign | USAGE.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return keyed(certificate, keys.privateKey);
}

/** A tenant's authority under the root: its common name is the tenant's slug. 10 years, P-256, signs no other authority. */
export async function createTenantAuthority(
  root: KeyedCertificate,
  tenant: string,
  now = new Date(),
): Promise<KeyedCertificate> {
  const keys = await generateKeys();
  const certificate = await sign(root, {
    subject: [{ O: ['Fleetgraph'] }, { CN: [tenant] }],
    publicKey: keys.publicKey,
    notBefore: new Date(now.getTime() - SKEW_MS),
    notAfter: daysAfter(now, TENANT_AUTHORITY_DAYS),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(USAGE.keyCertSign | USAGE.cRLSign, true),
    ],
  });
  return keyed(certificate, keys.privateKey);
}

/**
 * Signs a device's own key. Subject and names that the request asks for are ignored: who the device is, we say.
 * @param csr PKCS #10, PEM or base64 DER
 * @throws CertificateRequestError when it cannot be read, is not signed by its own key, or the key is not EC P-256
 */
export async function issueFromRequest(
  csr: string,
  options: DeviceCertificateOptions,
): Promise<IssuedCertificate> {
  return issueForKey(await readRequest(csr), options);
}

/**
 * Signs a key that was signed before.
 * @param publicKey SubjectPublicKeyInfo, DER
 */
export function issueForPublicKey(
  publicKey: Uint8Array,
  options: DeviceCertificateOptions,
): Promise<IssuedCertificate> {
  return issueForKey(new x509.PublicKey(publicKey.slice()), options);
}

/** Makes a key and a certificate for it, for devices that cannot make a key themselves. The key is in the answer only. */
export async function issueWithKey(
  options: DeviceCertificateOptions,
): Promise<IssuedCertificate & KeyedCertificate> {
  const keys = await generateKeys();
  const privateKey = await exportKey(keys.privateKey);
  return { ...(await issueForKey(keys.publicKey, options)), privateKey };
}

export interface ServerCertificateOptions {
  readonly root: KeyedCertificate;
  /** Names and addresses that clients connect to. */
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  readonly now?: Date;
}

/** A TLS server's certificate with its key, directly under the root, for 397 days. */
export async function issueServerCertificate(options: ServerCertificateOptions): Promise<KeyedCertificate> {
  const { root, names, addresses, now = new Date() } = options;
  const keys = await generateKeys();
  const certificate = await sign(root, {
    subject: [{ CN: [(names[0] ?? addresses[0] ?? 'server').slice(0, MAX_COMMON_NAME)] }],
    publicKey: keys.publicKey,
    notBefore: new Date(now.getTime() - SKEW_MS),
    notAfter: daysAfter(now, DEVICE_DAYS),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(USAGE.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.map((value) => ({ type: 'dns' as const, value })),
        ...addresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
    ],
  });
  return keyed(certificate, keys.privateKey);
}

export const toPem = (label: 'CERTIFICATE' | 'PRIVATE KEY', der: Uint8Array): string =>
  `${x509.PemConverter.encode(der.slice(), label)}\n`;

async function issueForKey(
  publicKey: x509.PublicKeyType,
  options: DeviceCertificateOptions,
): Promise<IssuedCertificate> {
  const { authority, subject, crlUrl } = options;
  const limit = new x509.X509Certificate(authority.certificate.slice()).notAfter;
  const notAfter = options.notAfter ?? daysAfter(new Date(), DEVICE_DAYS);
  const certificate = await sign(authority, {
    subject: [{ CN: [commonNameOf(subject)] }],
    publicKey,
    notBefore: options.notBefore ?? new Date(Date.now() - SKEW_MS),
    notAfter: new Date(Math.min(notAfter.getTime(), limit.getTime())),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(USAGE.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'url', value: identityUri(subject.tenant, subject.device) },
      ]),
      ...(crlUrl === undefined ? [] : [new x509.CRLDistributionPointsExtension([crlUrl])]),
    ],
  });
  const der = new Uint8Array(certificate.rawData);
  return {
    certificate: der,
    serial: certificate.serialNumber,
    fingerprint: fingerprintOf(der),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    publicKey: new Uint8Array(certificate.publicKey.rawData),
  };
}

async function readRequest(csr: string): Promise<x509.PublicKey> {
  let request: x509.Pkcs10CertificateRequest;
  try {
    request = new x509.Pkcs10CertificateRequest(csr);
  } catch (cause) {
    throw new CertificateRequestError('must be a PKCS #10 request in PEM', { cause });
  }
  const { algorithm } = request.publicKey;
  if (
    algorithm.name !== P256.name ||
    !('namedCurve' in algorithm) ||
    algorithm.namedCurve !== P256.namedCurve
  )
    throw new CertificateRequestError('its key must be EC P-256 (prime256v1)');
  if (!(await request.verify().catch(() => false)))
    throw new CertificateRequestError('must be signed by its own key');
  return request.publicKey;
}

async function sign(
  authority: KeyedCertificate,
  params: Omit<x509.X509CertificateCreateWithKeyParams, 'signingKey' | 'issuer' | 'serialNumber'>,
): Promise<x509.X509Certificate> {
  const issuer = new x509.X509Certificate(authority.certificate.slice());
  return x509.X509CertificateGenerator.create({
    ...params,
    serialNumber: newSerial(),
    issuer: issuer.subjectName.toJSON(),
    signingKey: await importKey(authority.privateKey),
    signingAlgorithm: SIGNATURE,
    extensions: [
      ...(params.extensions ?? []),
      await x509.SubjectKeyIdentifierExtension.create(params.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
}

/** 127 random bits with the first byte neither zero nor negative. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

const daysAfter = (date: Date, days: number): Date => new Date(date.getTime() + days * DAY_MS);

const generateKeys = (): Promise<CryptoKeyPair> => crypto.subtle.generateKey(P256, true, ['sign', 'verify']);

/** Of an authority, to sign with. */
export const importKey = (privateKey: Uint8Array): Promise<CryptoKey> =>
  crypto.subtle.importKey('pkcs8', privateKey.slice(), P256, false, ['sign']);

const exportKey = async (key: CryptoKey): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.exportKey('pkcs8', key));

const keyed = async (
  certificate: x509.X509Certificate,
  privateKey: CryptoKey,
): Promise<KeyedCertificate> => ({
  certificate: new Uint8Array(certificate.rawData),
  privateKey: await exportKey(privateKey),
});
