import { z } from 'zod';
import type { Device } from '#api/generated/prisma/client.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { type Done, runMutation } from '#api/graphql/mutations.ts';
import { toPem } from '#core/auth/certificates.ts';
import type { RevocationReason } from '#core/auth/revocation-list.ts';
import { announceAccess, lockDevice } from '../devices/service.ts';
import { type AddedCertificate, addCertificate, addCertificateWithKey } from './issue.ts';

export { addCertificate } from './issue.ts';

type WithMutationId = { readonly clientMutationId?: string | null | undefined };

const issuedSchema = z.object({ credentialId: z.number(), certificate: z.string(), ca: z.string() });
const generatedSchema = issuedSchema.extend({ privateKey: z.string() });
const revokedSchema = z.object({ credentialId: z.number() });
export type CertificateIssued = z.output<typeof issuedSchema>;
export type CertificateGenerated = z.output<typeof generatedSchema>;
export type CertificateRevoked = z.output<typeof revokedSchema>;

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
      const device = await lockDevice(scope, input.deviceId, 'deviceId');
      const added = await addCertificate(scope, operation.platform, device, input.csr);
      await announceAccess(scope, device, false);
      return doneWith(device, added);
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
      const device = await lockDevice(scope, input.deviceId, 'deviceId');
      const made = await addCertificateWithKey(scope, operation.platform, device);
      await announceAccess(scope, device, false);
      const { success, audit } = doneWith(device, made);
      return { success: { ...success, privateKey: toPem('PRIVATE KEY', made.privateKey) }, audit };
    },
  });
}

function doneWith(
  device: Device,
  { credentialId, certificate, ca, issued }: AddedCertificate,
): Done<CertificateIssued> {
  return {
    success: { credentialId, certificate, ca },
    audit: {
      target: { type: 'Device', id: device.id, label: device.key },
      before: null,
      after: { serial: issued.serial, expiresAt: issued.notAfter.toISOString() },
    },
  };
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
