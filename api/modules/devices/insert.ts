import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import { type Device, Prisma } from '#api/generated/prisma/client.ts';
import { ConflictFault, NotFoundFault } from '#api/graphql/errors.ts';
import type { JsonObject } from '#api/graphql/mutations.ts';
import type { MetricMapping } from '#core/fleet/templates.ts';
import { announce } from './announce.ts';
import type { DeviceCreate } from './input.ts';
import { lockParent } from './parents.ts';
import { findDeviceTemplate, furnish } from './template.ts';

/**
 * Makes a device, without a credential, with what its template asks for, and tells of it.
 * @throws ConflictFault when there is one with that key, or its parent cannot be one; NotFoundFault for an unknown site, template or parent
 */
export async function insertDevice(scope: WriteScope, create: DeviceCreate): Promise<Device> {
  const { key, siteKey, location, attributes, templateKey, parentKey, ...fields } = create;
  const siteId = siteKey == null ? null : await findSiteId(scope, siteKey);
  const template = templateKey == null ? undefined : await findDeviceTemplate(scope, templateKey);
  const parentId = parentKey == null ? null : await lockParent(scope, undefined, parentKey);
  const interval = fields.expectedIntervalSeconds ?? template?.definition.expectedIntervalSeconds;
  const known = await scope.prisma.device.findUnique({
    where: { tenantId_key: { tenantId: scope.tenantId, key } },
    select: { version: true },
  });
  if (known)
    throw new ConflictFault(`there is a device with the key ${key} already`, ['input', 'key'], known.version);
  const device = await scope.prisma.device
    .create({
      data: {
        tenantId: scope.tenantId,
        key,
        siteId,
        name: fields.name ?? key,
        tags: fields.tags ?? [],
        attributes: attributes ?? {},
        latitude: location?.latitude ?? null,
        longitude: location?.longitude ?? null,
        serialNumber: fields.serialNumber ?? null,
        model: fields.model ?? null,
        ...(interval != null && { expectedIntervalSeconds: interval }),
        templateId: template?.id ?? null,
        templateVersion: template?.version ?? null,
        parentId,
        metricMap: mapToJson(fields.metricMap ?? []),
      },
    })
    .catch((error: unknown) => {
      if (!isDuplicate(error)) throw error;
      throw new ConflictFault(`there is a device with the key ${key} already`, ['input', 'key'], null);
    });
  if (template) await furnish(scope, device.id, template);
  await announce(scope, device, 'CREATED');
  return device;
}

/** The site of that key, which nobody deletes until the transaction ends. @throws NotFoundFault */
export async function findSiteId(scope: WriteScope, key: string): Promise<number> {
  const [site] = await scope.prisma.$queryRaw<{ id: number }[]>`
    select id from sites where tenant_id = ${scope.tenantId} and key = ${key} for key share`;
  if (!site) throw new NotFoundFault(`there is no site with the key ${key}`, ['input', 'siteKey']);
  return site.id;
}

const isDuplicate = (error: unknown): boolean =>
  error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';

/** The map as a column of JSON takes it. */
export const mapToJson = (
  map: readonly MetricMapping[],
): { [part in keyof MetricMapping]: string | number }[] =>
  map.map(({ raw, metric, scale, offset }) => ({ raw, metric, scale, offset }));

/** A device as the audit log keeps it. */
export function stateOf(device: Device): JsonObject {
  const { key, name, siteId, status, tags, latitude, longitude, serialNumber, model } = device;
  const { templateId, templateVersion, parentId } = device;
  return {
    ...{ key, name, siteId, status, tags, latitude, longitude, serialNumber, model },
    ...{ templateId, templateVersion, parentId },
    attributes: z.json().parse(device.attributes),
    metricMap: z.json().parse(device.metricMap),
    expectedIntervalSeconds: device.expectedIntervalSeconds,
  };
}
