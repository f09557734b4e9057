import { defineMutation } from '#api/graphql/define-mutation.ts';
import { loadCredential } from './credentials.ts';
import { deviceCredentialRef, deviceRef, requireDevice } from './schema.ts';
import { deviceTokenRef } from './token-schema.ts';
import { issueToken, revokeToken } from './tokens.ts';

defineMutation({
  name: 'deviceTokenIssue',
  description:
    'Gives a device one more token, beside those it has: to rotate, issue, move the device over, revoke the old one. At most 10 live ones. Needs `devices.write`.',
  input: {
    description: 'A token to give to a device.',
    argument: 'The token.',
    fields: (t) => ({
      deviceId: t.id({ required: true, description: 'Which device.' }),
      expiresAt: t.field({ type: 'DateTime', description: 'When it ends, in the future; never by default.' }),
    }),
  },
  run: (operation, { input }) => issueToken(operation, input),
  result: 'What came of issuing a token.',
  success: {
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
  },
});

defineMutation({
  name: 'deviceTokenRevoke',
  description: 'Ends a token and the session that began with it. Needs `devices.write`.',
  input: {
    description: 'A token to end.',
    argument: 'Which token.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which credential of a device; its kind must be TOKEN.' }),
      reason: t.string({ description: 'Why, for the audit log. At most 500 characters.' }),
    }),
  },
  run: (operation, { input }) => revokeToken(operation, input),
  result: 'What came of revoking a token.',
  success: {
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
          if (!credential)
            throw new Error(`credential ${credentialId}, just revoked, is not in the database`);
          return credential;
        },
      }),
    }),
  },
});
