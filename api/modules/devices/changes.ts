import { z } from 'zod';
import type { Prisma } from '#api/generated/prisma/client.ts';
import { changesBetween } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, type UserError } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { clearDesired } from '../shadow/service.ts';
import type { HeldTemplate } from '../templates/service.ts';
import { announce, announceAccess } from './announce.ts';
import { type DeviceChange, parseDeviceChange, parseDeviceCreate } from './input.ts';
import { findSiteId, insertDevice, mapToJson, stateOf } from './insert.ts';
import { lockDevice, lockForChange } from './lock.ts';
import { assertMapFree } from './metric-map.ts';
import { endModules } from './module-end.ts';
import { lockParent } from './parents.ts';
import { adoptSensors, findFirstTemplate, furnish } from './template.ts';
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
      const { siteKey, parentKey, templateKey, metricMap } = change;
      // The parent comes first: it locks both in one order, whoever else changes them.
      const parentId =
        parentKey == null ? parentKey : await lockParent(scope, readRowId(input.id, 'Device'), parentKey);
      const current = await lockForChange(scope, input.id, input.expectedVersion);
      const siteId = siteKey == null ? siteKey : await findSiteId(scope, siteKey);
      if (metricMap) await assertMapFree(scope, current.id, metricMap);
      const template =
        templateKey === undefined ? undefined : await findFirstTemplate(scope, current, templateKey);
      const device = await scope.prisma.device.update({
        where: { id: current.id },
        data: {
          ...columnsOf(change),
          ...(siteId !== undefined && { siteId }),
          ...(parentId !== undefined && { parentId }),
          ...(template && templateColumns(template, change)),
          version: { increment: 1 },
          updatedAt: new Date(),
        },
      });
      if (template) await furnish(scope, device.id, template, await adoptSensors(scope, device.id, template));
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

/**
 * Takes a device out of service for good: revokes its credentials, ends its session, and takes its modules out of their slots, so that
 * they can go elsewhere. Its data stays, and so do the devices that it spoke for.
 */
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
      const modules = await endModules(scope, device.id, now);
      await clearDesired(scope, device);
      await announce(scope, device, 'DECOMMISSIONED');
      await announceAccess(scope, device, true);
      return {
        success: { deviceId: device.id },
        audit: {
          target: { type: 'Device', id: device.id, label: device.key },
          before: { status: current.status },
          after: {
            ...{ status: device.status, credentialsRevoked: count },
            ...(modules > 0 && { modulesRemoved: modules }),
          },
        },
      };
    },
  });
}

function columnsOf(change: DeviceChange): Prisma.DeviceUncheckedUpdateInput {
  const {
    name,
    tags,
    attributes,
    location,
    serialNumber,
    model,
    expectedIntervalSeconds,
    status,
    metricMap,
  } = change;
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
    ...(metricMap !== undefined && { metricMap: mapToJson(metricMap) }),
  };
}

/** The template's interval holds from now on, unless the change says another. */
function templateColumns(
  { id, version, definition }: HeldTemplate,
  change: DeviceChange,
): Prisma.DeviceUncheckedUpdateInput {
  const { expectedIntervalSeconds } = definition;
  return {
    ...{ templateId: id, templateVersion: version },
    ...(expectedIntervalSeconds !== null &&
      change.expectedIntervalSeconds === undefined && { expectedIntervalSeconds }),
  };
}
