import { builder } from '#api/graphql/builder.ts';
import { MUTATION_COST } from '#api/graphql/cost.ts';
import { mutationIdDescription } from '#api/graphql/mutations.ts';
import {
  conflictErrorRef,
  forbiddenErrorRef,
  notFoundErrorRef,
  resultTypeOf,
  validationErrorRef,
} from '#api/graphql/user-errors.ts';
import {
  createDevice,
  type DeviceChanged,
  type DeviceCreated,
  decommissionDevice,
  updateDevice,
} from './changes.ts';
import { deviceStatusEnum } from './enums.ts';
import { deviceRef, requireDevice } from './schema.ts';
import { deviceTokenRef } from './token-schema.ts';

const locationInput = builder.inputType('LocationInput', {
  description: 'A point on earth, WGS 84.',
  fields: (t) => ({
    latitude: t.float({ required: true, description: 'Degrees north, -90 to 90.' }),
    longitude: t.float({ required: true, description: 'Degrees east, -180 to 180.' }),
  }),
});

const deviceCreateInput = builder.inputType('DeviceCreateInput', {
  description: 'A device to create.',
  fields: (t) => ({
    key: t.string({
      required: true,
      description:
        '1 to 128 of A-Z a-z 0-9 . _ : - beginning with a letter or digit; unique in the tenant, never changes.',
    }),
    name: t.string({ description: 'At most 200 characters; the key by default.' }),
    siteKey: t.string({ description: 'Key of the site it is at.' }),
    tags: t.stringList({ description: 'At most 32, each at most 64 characters.' }),
    attributes: t.field({ type: 'JSON', description: 'An object of at most 16 384 bytes.' }),
    location: t.field({ type: locationInput, description: 'Where it stands.' }),
    serialNumber: t.string({ description: 'At most 128 characters.' }),
    model: t.string({ description: 'At most 128 characters.' }),
    expectedIntervalSeconds: t.int({
      description: 'Seconds between its messages, 1 to 604 800; 60 by default.',
    }),
    withToken: t.boolean({
      description: 'Whether it gets a token at once; true by default. Without, it cannot connect yet.',
    }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const deviceUpdateInput = builder.inputType('DeviceUpdateInput', {
  description: 'Changes to a device. What is absent stays; null clears what may be empty.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which device.' }),
    expectedVersion: t.int({ description: 'Version the caller has seen; another one is a ConflictError.' }),
    name: t.string({ description: 'At most 200 characters.' }),
    siteKey: t.string({ description: 'Key of the site it is at; null for none.' }),
    tags: t.stringList({ description: 'All of its tags: at most 32, each at most 64 characters.' }),
    attributes: t.field({
      type: 'JSON',
      description: 'All of its attributes: an object of at most 16 384 bytes.',
    }),
    location: t.field({ type: locationInput, description: 'Where it stands; null for unknown.' }),
    serialNumber: t.string({ description: 'At most 128 characters; null for none.' }),
    model: t.string({ description: 'At most 128 characters; null for none.' }),
    expectedIntervalSeconds: t.int({ description: 'Seconds between its messages, 1 to 604 800.' }),
    status: t.field({
      type: deviceStatusEnum,
      description: 'ACTIVE or DISABLED; DECOMMISSIONED has its own mutation.',
    }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const deviceDecommissionInput = builder.inputType('DeviceDecommissionInput', {
  description: 'A device to take out of service for good.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which device.' }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const createSuccessRef = builder.objectRef<DeviceCreated>('DeviceCreateSuccess').implement({
  description: 'The device exists; with a token it may connect.',
  fields: (t) => ({
    device: t.field({
      type: deviceRef,
      description: 'The new device.',
      resolve: ({ deviceId }, _args, operation) => requireDevice(operation, deviceId),
    }),
    token: t.field({
      type: deviceTokenRef,
      nullable: true,
      description: 'Shown once, never again; null where none was wanted.',
      resolve: ({ credentialId, username, secret }) =>
        credentialId === null || secret === null ? null : { credentialId, username, secret },
    }),
  }),
});

const changeSuccess = (name: 'DeviceUpdateSuccess' | 'DeviceDecommissionSuccess', description: string) =>
  builder.objectRef<DeviceChanged>(name).implement({
    description,
    fields: (t) => ({
      device: t.field({
        type: deviceRef,
        description: 'The device as it is now.',
        resolve: ({ deviceId }, _args, operation) => requireDevice(operation, deviceId),
      }),
    }),
  });

const updateSuccessRef = changeSuccess('DeviceUpdateSuccess', 'The device was changed.');
const decommissionSuccessRef = changeSuccess('DeviceDecommissionSuccess', 'The device is out of service.');

const deviceCreateResult = builder.unionType('DeviceCreateResult', {
  description: 'What came of creating a device.',
  types: [createSuccessRef, validationErrorRef, conflictErrorRef, notFoundErrorRef, forbiddenErrorRef],
  resolveType: resultTypeOf('DeviceCreateSuccess'),
});

const deviceUpdateResult = builder.unionType('DeviceUpdateResult', {
  description: 'What came of changing a device.',
  types: [updateSuccessRef, validationErrorRef, conflictErrorRef, notFoundErrorRef, forbiddenErrorRef],
  resolveType: resultTypeOf('DeviceUpdateSuccess'),
});

const deviceDecommissionResult = builder.unionType('DeviceDecommissionResult', {
  description: 'What came of decommissioning a device.',
  types: [decommissionSuccessRef, validationErrorRef, notFoundErrorRef, conflictErrorRef, forbiddenErrorRef],
  resolveType: resultTypeOf('DeviceDecommissionSuccess'),
});

builder.mutationFields((t) => ({
  deviceCreate: t.field({
    type: deviceCreateResult,
    description:
      'Creates a device, and the token it connects with unless told otherwise. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: deviceCreateInput, required: true, description: 'The device.' }) },
    resolve: (_root, { input }, operation) => createDevice(operation, input),
  }),
  deviceUpdate: t.field({
    type: deviceUpdateResult,
    description: 'Changes a device. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: deviceUpdateInput, required: true, description: 'The changes.' }) },
    resolve: (_root, { input }, operation) => updateDevice(operation, input),
  }),
  deviceDecommission: t.field({
    type: deviceDecommissionResult,
    description:
      'Takes a device out of service: revokes its credentials, ends its session, keeps its data. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: deviceDecommissionInput, required: true, description: 'Which device.' }) },
    resolve: (_root, { input }, operation) => decommissionDevice(operation, input),
  }),
}));
