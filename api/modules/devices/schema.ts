import { builder } from '#api/graphql/builder.ts';
import type { Operation } from '#api/graphql/context.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { NotFoundFault } from '#api/graphql/errors.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import { presenceRef } from '../presence/schema.ts';
import { loadPresence } from '../presence/service.ts';
import { locationRef, siteRef, toLocation } from '../sites/schema.ts';
import { findSite } from '../sites/service.ts';
import { type CredentialRow, loadCredential, loadCredentials } from './credentials.ts';
import {
  credentialKindEnum,
  deviceOrderFieldEnum,
  deviceStatusEnum,
  revocationReasonEnum,
  sortDirectionEnum,
} from './enums.ts';
import { boundsInput, deviceFilterInput, deviceTargetInput } from './filter-schema.ts';
import { metricMappingInput, metricMappingRef } from './mapping-schema.ts';
import { completeDevice, findDevice, findDeviceBy, listDevices } from './service.ts';
import type { DeviceNode, DeviceRow } from './store.ts';

export {
  boundsInput,
  deviceFilterInput,
  deviceStatusEnum,
  deviceTargetInput,
  metricMappingInput,
  metricMappingRef,
  revocationReasonEnum,
};

export const deviceRef = builder.objectRef<DeviceNode>('Device');
export const deviceCredentialRef = builder.objectRef<CredentialRow>('DeviceCredential');

const complete = <Value>(read: (device: DeviceRow) => Value) => {
  return async (node: DeviceNode, _args: object, operation: Operation): Promise<Value> =>
    read(await completeDevice(operation, node));
};

builder.node(deviceRef, {
  description: 'A thing in the field that sends readings.',
  id: { resolve: (device) => device.id, description: 'Opaque, unique across all types.' },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : findDevice(operation, key);
  },
  fields: (t) => ({
    key: t.exposeString('key', {
      description: 'Names the device within the tenant and in its topics; never changes.',
    }),
    name: t.string({
      description: 'What people call the device.',
      resolve: complete((device) => device.name),
    }),
    status: t.field({
      type: deviceStatusEnum,
      description: 'What the owner says about it.',
      resolve: complete((device) => device.status),
    }),
    site: t.field({
      type: siteRef,
      nullable: true,
      description: 'Where it is, if that was said.',
      async resolve(node, _args, operation) {
        const { siteId } = await completeDevice(operation, node);
        return siteId === null ? null : findSite(operation, siteId);
      },
    }),
    tags: t.stringList({ description: 'Free labels.', resolve: complete((device) => device.tags) }),
    attributes: t.field({
      type: 'JSON',
      description: 'An object of whatever the owner keeps about the device.',
      resolve: complete((device) => device.attributes),
    }),
    location: t.field({
      type: locationRef,
      nullable: true,
      description: 'Where it stands, if that was said.',
      resolve: complete(toLocation),
    }),
    serialNumber: t.string({
      nullable: true,
      description: 'As on its plate.',
      resolve: complete((d) => d.serialNumber),
    }),
    model: t.string({
      nullable: true,
      description: 'Maker’s name of its kind.',
      resolve: complete((d) => d.model),
    }),
    firmware: t.string({
      nullable: true,
      description: 'Version it says it runs.',
      resolve: complete((d) => d.firmware),
    }),
    expectedIntervalSeconds: t.int({
      description: 'Seconds between two messages that this device is expected to send.',
      resolve: complete((device) => device.expectedIntervalSeconds),
    }),
    version: t.int({
      description: 'Grows with every change; hand it back as `expectedVersion`.',
      resolve: complete((device) => device.version),
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was created.',
      resolve: complete((d) => d.createdAt),
    }),
    updatedAt: t.field({
      type: 'DateTime',
      description: 'When it was last changed.',
      resolve: complete((d) => d.updatedAt),
    }),
    decommissionedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was decommissioned; null while it is not.',
      resolve: complete((device) => device.decommissionedAt),
    }),
    presence: t.field({
      type: presenceRef,
      description: 'Whether it is there.',
      resolve: (device, _args, operation) => loadPresence(operation, device.id),
    }),
    credentials: t.field({
      type: [deviceCredentialRef],
      description: 'Everything it could ever authenticate with, newest first.',
      complexity: { field: 2, multiplier: 3 },
      resolve: async (device, _args, operation) => [...(await loadCredentials(operation, device.id))],
    }),
  }),
});

builder.node(deviceCredentialRef, {
  description: 'Something a device authenticates with. The secret itself is never shown again.',
  id: { resolve: (credential) => credential.id },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : loadCredential(operation, key);
  },
  fields: (t) => ({
    kind: t.expose('kind', { type: credentialKindEnum, description: 'How it proves who the device is.' }),
    hint: t.exposeString('hint', {
      description:
        'The last characters of the secret, or of a certificate’s fingerprint, to tell credentials apart.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends; null when it does not.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it last let the device in, to the minute; null when never.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null while good.',
    }),
    serialNumber: t.exposeString('serial', {
      nullable: true,
      description: 'Of a certificate, hexadecimal; null for a token.',
    }),
    fingerprint: t.exposeString('fingerprint', {
      nullable: true,
      description: 'SHA-256 of a certificate, hexadecimal; null for a token.',
    }),
    notBefore: t.expose('notBefore', {
      type: 'DateTime',
      nullable: true,
      description: 'When a certificate begins to be good; null for a token.',
    }),
    revocationReason: t.expose('revocationReason', {
      type: revocationReasonEnum,
      nullable: true,
      description: 'Why a certificate was revoked; null when it was not, or nobody said.',
    }),
    retiresAt: t.expose('retiresAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When a certificate ends before it expires, because it was renewed or its authority was replaced; null when it does not.',
    }),
    renewedBy: t.field({
      type: deviceCredentialRef,
      nullable: true,
      description: 'The certificate that takes its place; null when it was not renewed.',
      resolve: async ({ renewedById }, _args, operation) =>
        renewedById === null ? null : ((await loadCredential(operation, renewedById)) ?? null),
    }),
    authorityGeneration: t.exposeInt('authorityGeneration', {
      nullable: true,
      description: 'Which of the tenant’s authorities signed a certificate, from 1; null for a token.',
    }),
    device: t.field({
      type: deviceRef,
      description: 'Whose credential it is.',
      async resolve({ deviceId }, _args, operation) {
        const device = await findDevice(operation, deviceId);
        if (!device) throw new Error(`device ${deviceId} of a credential is not in the database`);
        return device;
      },
    }),
  }),
});

const deviceByInput = builder.inputType('DeviceBy', {
  description: 'Names one device.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Its opaque id.' }),
    key: t.string({ description: 'Its key.' }),
  }),
});

export const deviceOrderInput = builder.inputType('DeviceOrder', {
  description: 'How devices are sorted.',
  fields: (t) => ({
    field: t.field({ type: deviceOrderFieldEnum, required: true, description: 'By what.' }),
    direction: t.field({
      type: sortDirectionEnum,
      required: true,
      defaultValue: 'ASC',
      description: 'Which end comes first.',
    }),
  }),
});

export const deviceConnectionRef = builder.connectionObject(
  {
    type: deviceRef,
    name: 'DeviceConnection',
    description: 'A page of devices.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many devices the whole list has, whatever the page.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'DeviceEdge', description: 'A device in a page.' },
);

builder.queryFields((t) => ({
  device: t.field({
    type: deviceRef,
    nullable: true,
    description: 'One device of the tenant, or null when there is none by that id or key.',
    args: { by: t.arg({ type: deviceByInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { by }, operation) => findDeviceBy(operation, by),
  }),
  devices: t.connection(
    {
      type: deviceRef,
      description: 'Devices of the tenant.',
      complexity: pageCost,
      args: {
        where: t.arg({ type: deviceFilterInput, description: 'Which ones; all of them by default.' }),
        orderBy: t.arg({ type: deviceOrderInput, description: 'In what order; by key by default.' }),
      },
      resolve: (_root, { where, orderBy, ...page }, operation) =>
        listDevices(operation, page, where ?? {}, orderBy ?? { field: 'KEY', direction: 'ASC' }),
    },
    deviceConnectionRef,
  ),
}));

/** The device of a mutation's answer, read after the commit. */
export async function requireDevice(operation: Operation, id: number): Promise<DeviceRow> {
  const device = await findDevice(operation, id);
  if (!device) throw new NotFoundFault('the device is gone');
  return device;
}
