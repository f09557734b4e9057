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
import { type ClaimCodeMade, type ClaimCodeRevoked, createCode, revokeCode } from './changes.ts';
import { claimCodeRef } from './schema.ts';
import { requireClaimCode } from './service.ts';

const createInput = builder.inputType('ClaimCodeCreateInput', {
  description:
    'A claim code to make: for a device by its id, for one by its key that exists or that the claim makes, or, naming none, for a new one that names itself.',
  fields: (t) => ({
    deviceId: t.id({ description: 'A device that exists.' }),
    deviceKey: t.string({
      description: 'What the device is, or will be, called. Not together with `deviceId`.',
    }),
    expiresInSeconds: t.int({
      description: 'Seconds until it ends unclaimed, 60 to 2 592 000 (30 days); 86 400 (a day) by default.',
    }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const revokeInput = builder.inputType('ClaimCodeRevokeInput', {
  description: 'A claim code to end.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which code; nobody may have claimed it.' }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const createSuccessRef = builder.objectRef<ClaimCodeMade>('ClaimCodeCreateSuccess').implement({
  description: 'Whoever has the code may claim it.',
  fields: (t) => ({
    claimCode: t.field({
      type: claimCodeRef,
      description: 'The stored side of it.',
      resolve: ({ claimCodeId }, _args, operation) => requireClaimCode(operation, claimCodeId),
    }),
    code: t.exposeString('code', {
      description:
        'Four groups of four letters and digits. Only its hash is kept: note it now. Case, hyphens and spaces do not matter.',
    }),
  }),
});

const revokeSuccessRef = builder.objectRef<ClaimCodeRevoked>('ClaimCodeRevokeSuccess').implement({
  description: 'The code is good for nothing any more.',
  fields: (t) => ({
    claimCode: t.field({
      type: claimCodeRef,
      description: 'The code as it is now.',
      resolve: ({ claimCodeId }, _args, operation) => requireClaimCode(operation, claimCodeId),
    }),
  }),
});

const faults = [validationErrorRef, notFoundErrorRef, conflictErrorRef, forbiddenErrorRef] as const;

const createResult = builder.unionType('ClaimCodeCreateResult', {
  description: 'What came of making a claim code.',
  types: [createSuccessRef, ...faults],
  resolveType: resultTypeOf('ClaimCodeCreateSuccess'),
});

const revokeResult = builder.unionType('ClaimCodeRevokeResult', {
  description: 'What came of revoking a claim code.',
  types: [revokeSuccessRef, ...faults],
  resolveType: resultTypeOf('ClaimCodeRevokeSuccess'),
});

builder.mutationFields((t) => ({
  claimCodeCreate: t.field({
    type: createResult,
    description:
      'Makes a code that a device exchanges once for a token or a certificate. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: createInput, required: true, description: 'The code.' }) },
    resolve: (_root, { input }, operation) => createCode(operation, input),
  }),
  claimCodeRevoke: t.field({
    type: revokeResult,
    description: 'Ends a claim code that nobody has claimed. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: revokeInput, required: true, description: 'Which code.' }) },
    resolve: (_root, { input }, operation) => revokeCode(operation, input),
  }),
}));
