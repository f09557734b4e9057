import { z } from 'zod';
import type { Prisma } from '#api/generated/prisma/client.ts';
import { changesBetween } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, type UserError } from '#api/graphql/errors.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { announce, announceAccess } from './announce.ts';
import { type DeviceChange, parseDeviceChange, parseDeviceCreate } from './input.ts';
import { findSiteId, insertDevice, stateOf } from './insert.ts';
import { lockDevice } from './lock.ts';
import { addToken } from './tokens.ts';

type WithMutationId = { readonly clientMutationId?: string | null | undefined };
type WithId = WithMutationId & { readonly id: string };

const changedSchema = z.object({ deviceId: z.number() });
const createdSchema = z.object({
  deviceId: z.number(),
  credentialId: z.number().nullable(),
  username: z.string(),
  secret: z.string().nullable(),
});
export type DeviceChanged = z.output<typeof changedSchema>;
export type DeviceCreated = z.output<typeof createdSchema>;

/** Creates a device with one token, unless it is to have none. Its secret is in the answer and nowhere else. */
export function createDevice(
  operation: Operation,
  input: WithMutationId & { readonly withToken?: boolean | null | undefined },
): Promise<DeviceCreated | UserError> {
  return runMutation(operation, {
    name: 'deviceCreate',
    permission: 'devices.write',
    input,
    secrets: input.withToken === false ? [] : ['secret'],
    read: (remembered) => createdSchema.parse(remembered),
    async run(scope) {
      const device = await insertDevice(scope, parseDeviceCreate(input));
      const token =
        input.withToken === false
          ? undefined
          : await addToken(scope, operation.platform.deviceTokenKey, device);
      return {
        success: {
          deviceId: device.id,
          credentialId: token?.credentialId ?? null,
          username: `${scope.tenantSlug}/${device.key}`,
          secret: token?.secret ?? null,
        },
        audit: {
          target: { type: 'Device', id: device.id, label: device.key },
          before: null,
          after: stateOf(device),
        },
      };
    },
  });
}

/** Changes what the input names; everything else stays. */
export function updateDevice(
  operation: Operation,
  input: WithId & { readonly expectedVersion?: number | null | undefined },
): Promise<DeviceChanged | UserError> {
  return runMutation(operation, {
    name: 'deviceUpdate',
    permission: 'devices.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const change = parseDeviceChange(input);
      const current = await lockDevice(scope, input.id);
      if (input.expectedVersion != null && input.expectedVersion !== current.version) {
        throw new ConflictFault(
          'somebody else has changed the device',
          ['input', 'expectedVersion'],
          current.version,
        );
      }
      if (current.status === 'DECOMMISSIONED') {
        throw new ConflictFault('the device is decommissioned', ['input', 'id'], current.version);
      }
      const siteId = change.siteKey == null ? change.siteKey : await findSiteId(scope, change.siteKey);
      const device = await scope.prisma.device.update({
        where: { id: current.id },
        data: {
          ...columnsOf(change),
          ...(siteId !== undefined && { siteId }),
          version: { increment: 1 },
          updatedAt: new Date(),
        },
      });
      await announce(scope, device, 'UPDATED');
      if (device.status !== current.status) await announceAccess(scope, device, device.status === 'DISABLED');
      return {
        success: { deviceId: device.id },
        audit: {
          target: { type: 'Device', id: device.id, label: device.key },
          ...changesBetween(stateOf(current), stateOf(device)),
        },
      };
    },
  });
}

/** Takes a device out of service for good: revokes its credentials and ends its session. Its data stays. */
export function decommissionDevice(operation: Operation, input: WithId): Promise<DeviceChanged | UserError> {
  return runMutation(operation, {
    name: 'deviceDecommission',
    permission: 'devices.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const current = await lockDevice(scope, input.id);
      if (current.status === 'DECOMMISSIONED') {
        throw new ConflictFault('the device is decommissioned already', ['input', 'id'], current.version);
      }
      const now = new Date();
      const device = await scope.prisma.device.update({
        where: { id: current.id },
        data: { status: 'DECOMMISSIONED', decommissionedAt: now, updatedAt: now, version: { increment: 1 } },
      });
      const { count } = await scope.prisma.deviceCredential.updateMany({
        where: { deviceId: device.id, revokedAt: null },
        data: { revokedAt: now },
      });
      await scope.prisma.$executeRaw`update claim_codes set revoked_at = ${now}
        where device_id = ${device.id} and claimed_at is null and revoked_at is null`;
      await announce(scope, device, 'DECOMMISSIONED');
      await announceAccess(scope, device, true);
      return {
        success: { deviceId: device.id },
        audit: {
          target: { type: 'Device', id: device.id, label: device.key },
          before: { status: current.status },
          after: { status: device.status, credentialsRevoked: count },
        },
      };
    },
  });
}

function columnsOf(change: DeviceChange): Prisma.DeviceUncheckedUpdateInput {
  const { name, tags, attributes, location, serialNumber, model, expectedIntervalSeconds, status } = change;
  return {
    ...(name !== undefined && { name }),
    ...(tags !== undefined && { tags }),
    ...(attributes !== undefined && { attributes }),
    ...(location !== undefined && {
      latitude: location?.latitude ?? null,
      longitude: location?.longitude ?? null,
    }),
    ...(serialNumber !== undefined && { serialNumber }),
    ...(model !== undefined && { model }),
    ...(expectedIntervalSeconds !== undefined && { expectedIntervalSeconds }),
    ...(status !== undefined && { status }),
  };
}
