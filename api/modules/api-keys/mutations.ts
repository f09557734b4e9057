import { defineMutation, type SuccessFields } from '#api/graphql/define-mutation.ts';
import { roleEnum } from '../viewer/schema.ts';
import { type ApiKeyMade, createKey, revokeKey, rotateKey } from './changes.ts';
import { apiKeyRef } from './schema.ts';
import { requireApiKey } from './service.ts';

const madeFields: SuccessFields<ApiKeyMade> = (t) => ({
  apiKey: t.field({
    type: apiKeyRef,
    description: 'The stored side of it.',
    resolve: ({ apiKeyId }, _args, operation) => requireApiKey(operation, apiKeyId),
  }),
  token: t.exposeString('token', {
    description: 'Present it as `Authorization: Bearer <token>`. Only its hash is kept: note it now.',
  }),
});

defineMutation({
  name: 'apiKeyCreate',
  description:
    'Makes an API key that may do no more than the viewer; a tenant holds at most 500 that are not revoked. Needs `apiKeys.manage`.',
  input: {
    description: 'An API key to make.',
    argument: 'The key.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'What people call it. At most 100 characters.' }),
      role: t.field({ type: roleEnum, required: true, description: 'What it may do.' }),
      scopes: t.stringList({
        description:
          'Permissions of the role that it is limited to, for example `telemetry.read`; all of the role by default.',
      }),
      expiresAt: t.field({ type: 'DateTime', description: 'When it ends, in the future; never by default.' }),
    }),
  },
  run: (operation, { input }) => createKey(operation, input),
  result: 'What came of making an API key.',
  success: {
    description: 'The key exists and is good.',
    fields: madeFields,
  },
});

defineMutation({
  name: 'apiKeyRotate',
  description:
    'Gives an API key a new secret, while the one before stays good for an overlap. Not one that may do more than the viewer. Needs `apiKeys.manage`.',
  input: {
    description: 'An API key to give a new secret.',
    argument: 'Which key.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which key.' }),
      overlapSeconds: t.int({
        description: 'How long the secret it has stays good, 0 to 2 592 000 seconds; 86 400 by default.',
      }),
    }),
  },
  run: (operation, { input }) => rotateKey(operation, input),
  result: 'What came of rotating an API key.',
  success: {
    description: 'The key has a new secret; the one before stays good for the overlap.',
    fields: madeFields,
  },
});

defineMutation({
  name: 'apiKeyRevoke',
  description: 'Ends an API key and every subscription it holds. Needs `apiKeys.manage`.',
  input: {
    description: 'An API key to end.',
    argument: 'Which key.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which key.' }),
    }),
  },
  run: (operation, { input }) => revokeKey(operation, input),
  result: 'What came of revoking an API key.',
  success: {
    description:
      'The key is good for nothing any more. Its subscriptions end within a second, with code 4403.',
    fields: (t) => ({
      apiKey: t.field({
        type: apiKeyRef,
        description: 'The key as it is now.',
        resolve: ({ apiKeyId }, _args, operation) => requireApiKey(operation, apiKeyId),
      }),
    }),
  },
});
