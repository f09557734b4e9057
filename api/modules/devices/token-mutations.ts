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
import { loadCredential } from './credentials.ts';
import { deviceCredentialRef, deviceRef, requireDevice } from './schema.ts';
import { deviceTokenRef } from './token-schema.ts';
import { issueToken, revokeToken, type TokenIssued, type TokenRevoked } from './tokens.ts';

const deviceTokenIssueInput = builder.inputType('DeviceTokenIssueInput', {
  description: 'A token to give to a device.',
  fields: (t) => ({
    deviceId: t.id({ required: true, description: 'Which device.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'When it ends, in the future; never by default.' }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const deviceTokenRevokeInput = builder.inputType('DeviceTokenRevokeInput', {
  description: 'A token to end.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which credential of a device; its kind must be TOKEN.' }),
    reason: t.string({ description: 'Why, for the audit log. At most 500 characters.' }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const issueSuccessRef = builder.objectRef<TokenIssued>('DeviceTokenIssueSuccess').implement({
  description: 'The device has one more token; those it had are as good as before.',
  fields: (t) => ({
    device: t.field({
      type: deviceRef,
      description: 'The device as it is now.',
      resolve: ({ deviceId }, _args, operation) => requireDevice(operation, deviceId),
    }),
    token: t.field({
      type: deviceTokenRef,
      description: 'Shown once, never again.',
      resolve: (issued) => issued,
    }),
  }),
});

const revokeSuccessRef = builder.objectRef<TokenRevoked>('DeviceTokenRevokeSuccess').implement({
  description: 'The token is good for nothing any more. A session that began with it ends within a second.',
  fields: (t) => ({
    device: t.field({
      type: deviceRef,
      description: 'The device as it is now.',
      resolve: ({ deviceId }, _args, operation) => requireDevice(operation, deviceId),
    }),
    credential: t.field({
      type: deviceCredentialRef,
      description: 'What was revoked.',
      async resolve({ credentialId }, _args, operation) {
        const credential = await loadCredential(operation, credentialId);
        if (!credential) throw new Error(`credential ${credentialId}, just revoked, is not in the database`);
        return credential;
      },
    }),
  }),
});

const faults = [validationErrorRef, notFoundErrorRef, conflictErrorRef, forbiddenErrorRef] as const;

const deviceTokenIssueResult = builder.unionType('DeviceTokenIssueResult', {
  description: 'What came of issuing a token.',
  types: [issueSuccessRef, ...faults],
  resolveType: resultTypeOf('DeviceTokenIssueSuccess'),
});

const deviceTokenRevokeResult = builder.unionType('DeviceTokenRevokeResult', {
  description: 'What came of revoking a token.',
  types: [revokeSuccessRef, ...faults],
  resolveType: resultTypeOf('DeviceTokenRevokeSuccess'),
});

builder.mutationFields((t) => ({
  deviceTokenIssue: t.field({
    type: deviceTokenIssueResult,
    description:
      'Gives a device one more token, beside those it has: to rotate, issue, move the device over, revoke the old one. At most 10 live ones. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: deviceTokenIssueInput, required: true, description: 'The token.' }) },
    resolve: (_root, { input }, operation) => issueToken(operation, input),
  }),
  deviceTokenRevoke: t.field({
    type: deviceTokenRevokeResult,
    description: 'Ends a token and the session that began with it. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: deviceTokenRevokeInput, required: true, description: 'Which token.' }) },
    resolve: (_root, { input }, operation) => revokeToken(operation, input),
  }),
}));
