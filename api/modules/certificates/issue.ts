import type { WriteScope } from '#api/database/writes.ts';
import type { Device } from '#api/generated/prisma/client.ts';
import { ConflictFault, ValidationFault } from '#api/graphql/errors.ts';
import { encodeGlobalId } from '#api/graphql/global-ids.ts';
import type { Platform } from '#api/platform.ts';
import {
  CertificateRequestError,
  type DeviceCertificateOptions,
  type IssuedCertificate,
  issueForPublicKey,
  issueFromRequest,
  issueWithKey,
  toPem,
} from '#core/auth/certificates.ts';
import { type Authorities, crlPath, ensureAuthorities } from './authorities.ts';

/** What certificates are made with, of what the process has. */
export type Issuing = Pick<Platform, 'secretBox' | 'addresses'>;

/** A certificate that a device has from now on. */
export interface AddedCertificate {
  readonly credentialId: number;
  /** PEM: with the tenant's authority behind it, for servers that know the root only. */
  readonly certificate: string;
  /** PEM: the platform's root. */
  readonly ca: string;
  readonly issued: IssuedCertificate;
}

const MAX_REQUEST_BYTES = 8_192;

/**
 * Gives a device, locked by the transaction, a certificate for a key of its own. Whoever calls tells the gateways.
 * @throws ValidationFault for a request that is none, ConflictFault when the device is decommissioned
 */
export async function addCertificate(
  scope: WriteScope,
  platform: Issuing,
  device: Device,
  csr: string,
): Promise<AddedCertificate> {
  if (csr.length > MAX_REQUEST_BYTES) throw badRequest('must have at most 8 192 characters');
  const { authorities, terms } = await prepare(scope, platform, device);
  const issued = await issueFromRequest(csr, terms).catch((error: unknown) => {
    throw error instanceof CertificateRequestError ? badRequest(error.message) : error;
  });
  return keep(scope, device, authorities, issued);
}

/** The same with a key made here, DER, which is in the answer and nowhere else. */
export async function addCertificateWithKey(
  scope: WriteScope,
  platform: Issuing,
  device: Device,
): Promise<AddedCertificate & { readonly privateKey: Uint8Array }> {
  const { authorities, terms } = await prepare(scope, platform, device);
  const issued = await issueWithKey(terms);
  return { ...(await keep(scope, device, authorities, issued)), privateKey: issued.privateKey };
}

/** The same for a key that a certificate was made for before: SubjectPublicKeyInfo, DER. */
export async function addCertificateForKey(
  scope: WriteScope,
  platform: Issuing,
  device: Device,
  publicKey: Uint8Array,
): Promise<AddedCertificate> {
  const { authorities, terms } = await prepare(scope, platform, device);
  return keep(scope, device, authorities, await issueForPublicKey(publicKey, terms));
}

const badRequest = (message: string): ValidationFault =>
  new ValidationFault([{ path: ['input', 'csr'], message }]);

async function prepare(
  scope: WriteScope,
  platform: Issuing,
  device: Device,
): Promise<{ readonly authorities: Authorities; readonly terms: DeviceCertificateOptions }> {
  if (device.status === 'DECOMMISSIONED')
    throw new ConflictFault('the device is decommissioned', ['input', 'deviceId'], device.version);
  const authorities = await ensureAuthorities(scope, platform.secretBox);
  const { tenantSlug: tenant } = scope;
  const terms = {
    authority: authorities.tenant,
    subject: { tenant, device: device.key, publicId: encodeGlobalId('Device', device.id) },
    crlUrl: platform.addresses.httpUrl + crlPath(tenant, authorities.tenant.generation),
  };
  return { authorities, terms };
}

async function keep(
  scope: WriteScope,
  device: Device,
  { tenant, root }: Authorities,
  issued: IssuedCertificate,
): Promise<AddedCertificate> {
  const credential = await scope.prisma.deviceCredential.create({
    data: {
      tenantId: scope.tenantId,
      deviceId: device.id,
      kind: 'CERTIFICATE',
      secretHash: new Uint8Array(issued.fingerprint),
      hint: issued.fingerprint.toString('hex').slice(-4),
      serial: issued.serial,
      notBefore: issued.notBefore,
      expiresAt: issued.notAfter,
      publicKey: new Uint8Array(issued.publicKey),
      authorityGeneration: tenant.generation,
    },
  });
  return {
    credentialId: credential.id,
    certificate: toPem('CERTIFICATE', issued.certificate) + toPem('CERTIFICATE', tenant.certificate),
    ca: toPem('CERTIFICATE', root),
    issued,
  };
}
