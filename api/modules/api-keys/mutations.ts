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
import { type ApiKeyMade, type ApiKeyRevoked, createKey, revokeKey, rotateKey } from './changes.ts';
import { apiKeyCreateInput, apiKeyRef } from './schema.ts';
import { requireApiKey } from './service.ts';

const apiKeyRotateInput = builder.inputType('ApiKeyRotateInput', {
  description: 'An API key to give a new secret.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which key.' }),
    overlapSeconds: t.int({
      description: 'How long the secret it has stays good, 0 to 2 592 000 seconds; 86 400 by default.',
    }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const apiKeyRevokeInput = builder.inputType('ApiKeyRevokeInput', {
  description: 'An API key to end.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which key.' }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const madeRef = (name: 'ApiKeyCreateSuccess' | 'ApiKeyRotateSuccess', description: string) =>
  builder.objectRef<ApiKeyMade>(name).implement({
    description,
    fields: (t) => ({
      apiKey: t.field({
        type: apiKeyRef,
        description: 'The stored side of it.',
        resolve: ({ apiKeyId }, _args, operation) => requireApiKey(operation, apiKeyId),
      }),
      token: t.exposeString('token', {
        description: 'Present it as `Authorization: Bearer <token>`. Only its hash is kept: note it now.',
      }),
    }),
  });

const createSuccessRef = madeRef('ApiKeyCreateSuccess', 'The key exists and is good.');
const rotateSuccessRef = madeRef(
  'ApiKeyRotateSuccess',
  'The key has a new secret; the one before stays good for the overlap.',
);

const revokeSuccessRef = builder.objectRef<ApiKeyRevoked>('ApiKeyRevokeSuccess').implement({
  description: 'The key is good for nothing any more. Its subscriptions end within a second, with code 4403.',
  fields: (t) => ({
    apiKey: t.field({
      type: apiKeyRef,
      description: 'The key as it is now.',
      resolve: ({ apiKeyId }, _args, operation) => requireApiKey(operation, apiKeyId),
    }),
  }),
});

const faults = [validationErrorRef, notFoundErrorRef, conflictErrorRef, forbiddenErrorRef] as const;

const apiKeyCreateResult = builder.unionType('ApiKeyCreateResult', {
  description: 'What came of making an API key.',
  types: [createSuccessRef, ...faults],
  resolveType: resultTypeOf('ApiKeyCreateSuccess'),
});

const apiKeyRotateResult = builder.unionType('ApiKeyRotateResult', {
  description: 'What came of rotating an API key.',
  types: [rotateSuccessRef, ...faults],
  resolveType: resultTypeOf('ApiKeyRotateSuccess'),
});

const apiKeyRevokeResult = builder.unionType('ApiKeyRevokeResult', {
  description: 'What came of revoking an API key.',
  types: [revokeSuccessRef, ...faults],
  resolveType: resultTypeOf('ApiKeyRevokeSuccess'),
});

builder.mutationFields((t) => ({
  apiKeyCreate: t.field({
    type: apiKeyCreateResult,
    description:
      'Makes an API key that may do no more than the viewer; a tenant holds at most 500 that are not revoked. Needs `apiKeys.manage`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: apiKeyCreateInput, required: true, description: 'The key.' }) },
    resolve: (_root, { input }, operation) => createKey(operation, input),
  }),
  apiKeyRotate: t.field({
    type: apiKeyRotateResult,
    description:
      'Gives an API key a new secret, while the one before stays good for an overlap. Not one that may do more than the viewer. Needs `apiKeys.manage`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: apiKeyRotateInput, required: true, description: 'Which key.' }) },
    resolve: (_root, { input }, operation) => rotateKey(operation, input),
  }),
  apiKeyRevoke: t.field({
    type: apiKeyRevokeResult,
    description: 'Ends an API key and every subscription it holds. Needs `apiKeys.manage`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: apiKeyRevokeInput, required: true, description: 'Which key.' }) },
    resolve: (_root, { input }, operation) => revokeKey(operation, input),
  }),
}));
