import { defineMutation } from '#api/graphql/define-mutation.ts';
import { deviceRef, requireDevice } from '../devices/schema.ts';
import { updateShadow } from './changes.ts';
import { shadowRef } from './schema.ts';
import { findShadow } from './service.ts';

defineMutation({
  name: 'shadowUpdate',
  description:
    'Says what a device should be. It is told at once where it is connected, else when it is. Needs `shadow.write`.',
  input: {
    description: 'What a device should be: `desired` as a whole, or a `patch` of it.',
    argument: 'The change.',
    fields: (t) => ({
      deviceId: t.id({ required: true, description: 'Which device.' }),
      desired: t.field({
        type: 'JSON',
        description: 'All that it should be: an object of at most 32 768 bytes and 16 levels. No secrets.',
      }),
      patch: t.field({
        type: 'JSON',
        description:
          'A JSON merge patch (RFC 7396) of what it should be: null takes a key away, objects are merged, anything else replaces.',
      }),
      expectedVersion: t.int({
        required: true,
        description:
          '`desiredVersion` as the caller has seen it, 0 at first; another one is a ConflictError.',
      }),
    }),
  },
  run: (operation, { input }) => updateShadow(operation, input),
  result: 'What came of saying what a device should be.',
  success: {
    description: 'It is desired so.',
    fields: (t) => ({
      device: t.field({
        type: deviceRef,
        description: 'The device.',
        resolve: ({ deviceId }, _args, operation) => requireDevice(operation, deviceId),
      }),
      shadow: t.field({
        type: shadowRef,
        description: 'Its shadow as it is now.',
        resolve: ({ deviceId }, _args, operation) => findShadow(operation, deviceId),
      }),
    }),
  },
});
