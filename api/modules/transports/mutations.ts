import { defineMutation, type SuccessFields } from '#api/graphql/define-mutation.ts';
import { deviceRef, requireDevice } from '../devices/schema.ts';
import { createTransport, deleteTransport, type TransportChanged, updateTransport } from './changes.ts';
import { transportLinkEnum, transportProtocolEnum, transportRef } from './schema.ts';
import { requireTransport } from './service.ts';

const expectedVersion = 'Version of the device that the caller has seen; another one is a ConflictError.';
const settings = 'An object of at most 16 384 bytes; no secrets, whoever sees the device sees it.';

const changedFields: SuccessFields<TransportChanged> = (t) => ({
  transport: t.field({
    type: transportRef,
    description: 'The transport as it is now.',
    resolve: ({ transportId }, _args, operation) => requireTransport(operation, transportId),
  }),
  device: t.field({
    type: deviceRef,
    description: 'Its device as it is now.',
    resolve: ({ deviceId }, _args, operation) => requireDevice(operation, deviceId),
  }),
});

defineMutation({
  name: 'transportCreate',
  description: 'Enters a way by which messages of a device come; at most 8 a device. Needs `devices.write`.',
  input: {
    description: 'A transport to create.',
    argument: 'The transport.',
    fields: (t) => ({
      deviceId: t.id({ required: true, description: 'Of which device.' }),
      expectedVersion: t.int({ description: expectedVersion }),
      protocol: t.field({
        type: transportProtocolEnum,
        required: true,
        description: 'How messages come.',
      }),
      link: t.field({ type: transportLinkEnum, description: 'Over what.' }),
      settings: t.field({ type: 'JSON', description: settings }),
      isPrimary: t.boolean({
        description:
          'Whether it takes the place of the primary one; false by default, but the first one is it.',
      }),
    }),
  },
  run: (operation, { input }) => createTransport(operation, input),
  result: 'What came of creating a transport.',
  success: { description: 'The transport exists.', fields: changedFields },
});

defineMutation({
  name: 'transportUpdate',
  description: 'Changes a transport. Needs `devices.write`.',
  input: {
    description: 'Changes to a transport. What is absent stays; null clears what may be empty.',
    argument: 'The changes.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which transport.' }),
      expectedVersion: t.int({ description: expectedVersion }),
      protocol: t.field({ type: transportProtocolEnum, description: 'How messages come.' }),
      link: t.field({ type: transportLinkEnum, description: 'Over what; null for unknown.' }),
      settings: t.field({ type: 'JSON', description: `All of them: ${settings}` }),
      isPrimary: t.boolean({ description: 'True: it takes the place of the primary one.' }),
    }),
  },
  run: (operation, { input }) => updateTransport(operation, input),
  result: 'What came of changing a transport.',
  success: { description: 'The transport was changed.', fields: changedFields },
});

defineMutation({
  name: 'transportDelete',
  description:
    'Takes a transport away; of those that are left, the oldest is the primary one where this was. Needs `devices.write`.',
  input: {
    description: 'A transport to delete.',
    argument: 'Which transport.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which transport.' }),
      expectedVersion: t.int({ description: expectedVersion }),
    }),
  },
  run: (operation, { input }) => deleteTransport(operation, input),
  result: 'What came of deleting a transport.',
  success: {
    description: 'The transport is gone.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'The id that it had.' }),
      device: t.field({
        type: deviceRef,
        description: 'Its device as it is now.',
        resolve: ({ deviceId }, _args, operation) => requireDevice(operation, deviceId),
      }),
    }),
  },
});
