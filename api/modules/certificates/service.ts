import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { Device } from '#api/generated/prisma/client.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError, ValidationFault } from '#api/graphql/errors.ts';
import { encodeGlobalId, readRowId } from '#api/graphql/global-ids.ts';
import { type Done, runMutation } from '#api/graphql/mutations.ts';
import {
  CertificateRequestError,
  type DeviceCertificateOptions,
  type IssuedCertificate,
  issueFromRequest,
  issueWithKey,
  toPem,
} from '#core/auth/certificates.ts';
import type { RevocationReason } from '#core/auth/revocation-list.ts';
import { announceAccess, lockDevice } from '../devices/service.ts';
import { type Authorities, ensureAuthorities } from './authorities.ts';

type WithMutationId = { readonly clientMutationId?: string | null | undefined };

const issuedSchema = z.object({ credentialId: z.number(), certificate: z.string(), ca: z.string() });
const generatedSchema = issuedSchema.extend({ privateKey: z.string() });
const revokedSchema = z.object({ credentialId: z.number() });
export type CertificateIssued = z.output<typeof issuedSchema>;
export type CertificateGenerated = z.output<typeof generatedSchema>;
export type CertificateRevoked = z.output<typeof revokedSchema>;

const MAX_REQUEST_BYTES = 8_192;

/** Makes a certificate for a key that stays with the device. */
export function issueCertificate(
  operation: Operation,
  input: WithMutationId & { readonly deviceId: string; readonly csr: string },
): Promise<CertificateIssued | UserError> {
  return runMutation(operation, {
    name: 'deviceCertificateIssue',
    permission: 'devices.write',
    input,
    read: (remembered) => issuedSchema.parse(remembered),
    async run(scope) {
      if (input.csr.length > MAX_REQUEST_BYTES) throw badRequest('must have at most 8 192 characters');
      const device = await lockLiveDevice(scope, input.deviceId);
      const authorities = await ensureAuthorities(scope, operation.platform.secretBox);
      const terms = termsOf(operation, scope, device, authorities);
      const issued = await issueFromRequest(input.csr, terms).catch((error: unknown) => {
        throw error instanceof CertificateRequestError ? badRequest(error.message) : error;
      });
      return keep(scope, device, authorities, issued);
    },
  });
}

/** Makes a certificate and its key. The key is in the answer and nowhere else. */
export function generateCertificate(
  operation: Operation,
  input: WithMutationId & { readonly deviceId: string },
): Promise<CertificateGenerated | UserError> {
  return runMutation(operation, {
    name: 'deviceCertificateGenerate',
    permission: 'devices.write',
    input,
    secrets: ['privateKey'],
    read: (remembered) => generatedSchema.parse(remembered),
    async run(scope) {
      const device = await lockLiveDevice(scope, input.deviceId);
      const authorities = await ensureAuthorities(scope, operation.platform.secretBox);
      const issued = await issueWithKey(termsOf(operation, scope, device, authorities));
      const { success, audit } = await keep(scope, device, authorities, issued);
      return { success: { ...success, privateKey: toPem('PRIVATE KEY', issued.privateKey) }, audit };
    },
  });
}

/** Makes a certificate good for nothing: its session ends, and it stands in the revocation list. */
export function revokeCertificate(
  operation: Operation,
  input: WithMutationId & { readonly id: string; readonly reason?: RevocationReason | null | undefined },
): Promise<CertificateRevoked | UserError> {
  return runMutation(operation, {
    name: 'deviceCertificateRevoke',
    permission: 'devices.write',
    input,
    read: (remembered) => revokedSchema.parse(remembered),
    async run(scope) {
      const id = readRowId(input.id, 'DeviceCredential');
      const found =
        id === undefined
          ? null
          : await scope.prisma.deviceCredential.findUnique({ where: { id }, include: { device: true } });
      if (found?.kind !== 'CERTIFICATE')
        throw new NotFoundFault('there is no such certificate', ['input', 'id']);
      const revokedAt = new Date();
      const revocationReason = input.reason ?? 'UNSPECIFIED';
      const { count } = await scope.prisma.deviceCredential.updateMany({
        where: { id: found.id, revokedAt: null },
        data: { revokedAt, revocationReason },
      });
      if (count === 0) throw new ConflictFault('the certificate is revoked already', ['input', 'id'], null);
      const { device, serial } = found;
      await announceAccess(scope, device, false);
      return {
        success: { credentialId: found.id },
        audit: {
          target: { type: 'Device', id: device.id, label: device.key },
          before: { serial, revokedAt: null },
          after: { serial, revokedAt: revokedAt.toISOString(), reason: revocationReason },
        },
      };
    },
  });
}

const badRequest = (message: string): ValidationFault =>
  new ValidationFault([{ path: ['input', 'csr'], message }]);

async function lockLiveDevice(scope: WriteScope, globalId: string): Promise<Device> {
  const device = await lockDevice(scope, globalId, 'deviceId');
  if (device.status === 'DECOMMISSIONED')
    throw new ConflictFault('the device is decommissioned', ['input', 'deviceId'], device.version);
  return device;
}

const termsOf = (
  { platform }: Operation,
  { tenantSlug: tenant }: WriteScope,
  device: Device,
  authorities: Authorities,
): DeviceCertificateOptions => ({
  authority: authorities.tenant,
  subject: { tenant, device: device.key, publicId: encodeGlobalId('Device', device.id) },
  crlUrl: `${platform.addresses.httpUrl}/crl/${tenant}.crl`,
});

/** The certificate comes with the tenant's authority behind it, for servers that know the root only. */
async function keep(
  scope: WriteScope,
  device: Device,
  { tenant, root }: Authorities,
  issued: IssuedCertificate,
): Promise<Done<CertificateIssued>> {
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
    },
  });
  await announceAccess(scope, device, false);
  return {
    success: {
      credentialId: credential.id,
      certificate: toPem('CERTIFICATE', issued.certificate) + toPem('CERTIFICATE', tenant.certificate),
      ca: toPem('CERTIFICATE', root),
    },
    audit: {
      target: { type: 'Device', id: device.id, label: device.key },
      before: null,
      after: { serial: issued.serial, expiresAt: issued.notAfter.toISOString() },
    },
  };
}
