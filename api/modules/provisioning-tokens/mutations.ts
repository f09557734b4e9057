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
  createToken,
  type ProvisioningTokenMade,
  type ProvisioningTokenRevoked,
  revokeToken,
} from './changes.ts';
import { provisioningTokenRef } from './schema.ts';
import { requireProvisioningToken } from './service.ts';

const createInput = builder.inputType('ProvisioningTokenCreateInput', {
  description: 'A provisioning token to make.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What people call it; at most 200 characters.' }),
    keyPrefix: t.string({ description: 'What the key of a device must begin with; any by default.' }),
    siteKey: t.string({ description: 'Key of the site that its devices are at; none by default.' }),
    maxDevicesPerHour: t.int({ description: 'New devices within an hour, 1 to 10 000; 100 by default.' }),
    expiresInSeconds: t.int({
      description: 'Seconds until it ends, 60 to 31 536 000 (a year); 2 592 000 (30 days) by default.',
    }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const revokeInput = builder.inputType('ProvisioningTokenRevokeInput', {
  description: 'A provisioning token to end.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which token.' }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const createSuccessRef = builder
  .objectRef<ProvisioningTokenMade>('ProvisioningTokenCreateSuccess')
  .implement({
    description: 'Whoever has the token may make devices.',
    fields: (t) => ({
      provisioningToken: t.field({
        type: provisioningTokenRef,
        description: 'The stored side of it.',
        resolve: ({ tokenId }, _args, operation) => requireProvisioningToken(operation, tokenId),
      }),
      token: t.exposeString('token', {
        description: 'What devices present as `X-Provision-Token`. Only its hash is kept: note it now.',
      }),
    }),
  });

const revokeSuccessRef = builder
  .objectRef<ProvisioningTokenRevoked>('ProvisioningTokenRevokeSuccess')
  .implement({
    description: 'The token is good for nothing any more; the devices that it made stay.',
    fields: (t) => ({
      provisioningToken: t.field({
        type: provisioningTokenRef,
        description: 'The token as it is now.',
        resolve: ({ tokenId }, _args, operation) => requireProvisioningToken(operation, tokenId),
      }),
    }),
  });

const faults = [validationErrorRef, notFoundErrorRef, conflictErrorRef, forbiddenErrorRef] as const;

const createResult = builder.unionType('ProvisioningTokenCreateResult', {
  description: 'What came of making a provisioning token.',
  types: [createSuccessRef, ...faults],
  resolveType: resultTypeOf('ProvisioningTokenCreateSuccess'),
});

const revokeResult = builder.unionType('ProvisioningTokenRevokeResult', {
  description: 'What came of revoking a provisioning token.',
  types: [revokeSuccessRef, ...faults],
  resolveType: resultTypeOf('ProvisioningTokenRevokeSuccess'),
});

builder.mutationFields((t) => ({
  provisioningTokenCreate: t.field({
    type: createResult,
    description:
      'Makes a token by which unknown devices make themselves; a tenant holds at most 20 live ones. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: createInput, required: true, description: 'The token.' }) },
    resolve: (_root, { input }, operation) => createToken(operation, input),
  }),
  provisioningTokenRevoke: t.field({
    type: revokeResult,
    description: 'Ends a provisioning token at once. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: revokeInput, required: true, description: 'Which token.' }) },
    resolve: (_root, { input }, operation) => revokeToken(operation, input),
  }),
}));
