import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { Device, DeviceCredential } from '#api/generated/prisma/client.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError, ValidationFault } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { parseInput } from '#api/graphql/input.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { announceAccess } from '../devices/service.ts';
import { addCertificate, addCertificateForKey } from './issue.ts';
import { overlapRules } from './overlap.ts';

const WEEK_SECONDS = 604_800;

const renewSchema = z.object({
  csr: z.string().nullish(),
  overlapSeconds: overlapRules.nullish().transform((seconds) => seconds ?? WEEK_SECONDS),
});
const renewedSchema = z.object({
  credentialId: z.number(),
  previousId: z.number(),
  certificate: z.string(),
  ca: z.string(),
});
export type CertificateRenewed = z.output<typeof renewedSchema>;

/** Makes a certificate that takes the place of another, which stays good for the overlap and is superseded then. */
export function renewCertificate(
  operation: Operation,
  input: { readonly id: string; readonly clientMutationId?: string | null | undefined },
): Promise<CertificateRenewed | UserError> {
  return runMutation(operation, {
    name: 'deviceCertificateRenew',
    permission: 'devices.write',
    input,
    read: (remembered) => renewedSchema.parse(remembered),
    async run(scope) {
      const { csr, overlapSeconds } = parseInput(renewSchema, input);
      const { device, ...previous } = await lockGood(scope, input.id);
      const added =
        csr == null
          ? await addCertificateForKey(scope, operation.platform, device, keyOf(previous))
          : await addCertificate(scope, operation.platform, device, csr);
      const now = Date.now();
      const retiresAt = new Date(
        Math.min(
          now + overlapSeconds * 1_000,
          previous.retiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
          previous.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
        ),
      );
      const ends = retiresAt.getTime() <= now;
      await scope.prisma.deviceCredential.update({
        where: { id: previous.id },
        data: {
          ...{ retiresAt, renewedById: added.credentialId },
          ...(ends && { revokedAt: retiresAt, revocationReason: 'SUPERSEDED' }),
        },
      });
      await announceAccess(scope, device, false);
      const { credentialId, certificate, ca, issued } = added;
      return {
        success: { credentialId, previousId: previous.id, certificate, ca },
        audit: {
          target: { type: 'Device', id: device.id, label: device.key },
          before: { serial: previous.serial, retiresAt: previous.retiresAt?.toISOString() ?? null },
          after: {
            ...{ serial: issued.serial, expiresAt: issued.notAfter.toISOString() },
            ...{ sameKey: csr == null, retiresAt: retiresAt.toISOString() },
          },
        },
      };
    },
  });
}

/** A certificate that is neither revoked nor over nor renewed already, and its device; nobody else changes them. */
async function lockGood(
  scope: WriteScope,
  globalId: string,
): Promise<DeviceCredential & { readonly device: Device }> {
  const id = readRowId(globalId, 'DeviceCredential');
  if (id !== undefined)
    await scope.prisma.$executeRaw`select from device_credentials c join devices d on d.id = c.device_id
      where c.id = ${id} for update`;
  const found =
    id === undefined
      ? null
      : await scope.prisma.deviceCredential.findUnique({ where: { id }, include: { device: true } });
  if (found?.kind !== 'CERTIFICATE') throw new NotFoundFault('there is no such certificate', ['input', 'id']);
  const conflict = (message: string) => new ConflictFault(message, ['input', 'id'], null);
  const isOver = (at: Date | null) => at !== null && at.getTime() <= Date.now();
  if (found.revokedAt || isOver(found.retiresAt)) throw conflict('the certificate is revoked');
  if (isOver(found.expiresAt)) throw conflict('the certificate has expired; issue a new one');
  if (found.renewedById !== null) throw conflict('the certificate was renewed already');
  return found;
}

function keyOf({ publicKey }: Pick<DeviceCredential, 'publicKey'>): Uint8Array {
  if (publicKey) return publicKey;
  const message = 'the key of this certificate was not kept; send a request for it';
  throw new ValidationFault([{ path: ['input', 'csr'], message }]);
}
