import { defineMutation, type SuccessFields } from '#api/graphql/define-mutation.ts';
import { locationInput } from '../sites/schema.ts';
import { createDevice, type DeviceChanged, decommissionDevice, updateDevice } from './changes.ts';
import { deviceStatusEnum } from './enums.ts';
import { deviceRef, metricMappingInput, requireDevice } from './schema.ts';
import { deviceTokenRef } from './token-schema.ts';

const changedFields: SuccessFields<DeviceChanged> = (t) => ({
  device: t.field({
    type: deviceRef,
    description: 'The device as it is now.',
    resolve: ({ deviceId }, _args, operation) => requireDevice(operation, deviceId),
  }),
});

defineMutation({
  name: 'deviceCreate',
  description:
    'Creates a device, and the token it connects with unless told otherwise. Needs `devices.write`.',
  input: {
    description: 'A device to create.',
    argument: 'The device.',
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
        description: 'Seconds between its messages, 1 to 604 800; by default that of its template, or 60.',
      }),
      templateKey: t.string({
        description:
          'Key of its template, of the tenant or of the platform, taken in its newest version: its required sensors and its transports appear. None by default.',
      }),
      parentKey: t.string({ description: 'Key of the gateway that speaks for it; none by default.' }),
      metricMap: t.field({
        type: [metricMappingInput],
        description: 'What it calls its metrics, where that is not what they are stored as; at most 200.',
      }),
      withToken: t.boolean({
        description: 'Whether it gets a token at once; true by default. Without, it cannot connect yet.',
      }),
    }),
  },
  run: (operation, { input }) => createDevice(operation, input),
  result: 'What came of creating a device.',
  success: {
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
  },
});

defineMutation({
  name: 'deviceUpdate',
  description: 'Changes a device. Needs `devices.write`.',
  input: {
    description: 'Changes to a device. What is absent stays; null clears what may be empty.',
    argument: 'The changes.',
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
      templateKey: t.string({
        description:
          'Key of its template, for a device that has none yet: what the template asks for appears, and its interval holds unless another is given here.',
      }),
      parentKey: t.string({
        description:
          'Key of the gateway that speaks for it: a GATEWAY, EDGE_DEVICE or CONTROLLER if it has a template, and never one that this device speaks for. Null for none.',
      }),
      metricMap: t.field({
        type: [metricMappingInput],
        description:
          'All of its map: at most 200 entries, each raw name and each metric once, and none that its modules use.',
      }),
      status: t.field({
        type: deviceStatusEnum,
        description: 'ACTIVE or DISABLED; DECOMMISSIONED has its own mutation.',
      }),
    }),
  },
  run: (operation, { input }) => updateDevice(operation, input),
  result: 'What came of changing a device.',
  success: {
    description: 'The device was changed.',
    fields: changedFields,
  },
});

defineMutation({
  name: 'deviceDecommission',
  description:
    'Takes a device out of service: revokes its credentials, ends its session, takes out its modules, keeps its data. Needs `devices.write`.',
  input: {
    description: 'A device to take out of service for good.',
    argument: 'Which device.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which device.' }),
    }),
  },
  run: (operation, { input }) => decommissionDevice(operation, input),
  result: 'What came of decommissioning a device.',
  success: {
    description: 'The device is out of service.',
    fields: changedFields,
  },
});
