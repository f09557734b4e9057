import { defineMutation } from '#api/graphql/define-mutation.ts';
import { createToken, revokeToken } from './changes.ts';
import { provisioningTokenRef } from './schema.ts';
import { requireProvisioningToken } from './service.ts';

defineMutation({
  name: 'provisioningTokenCreate',
  description:
    'Makes a token by which unknown devices make themselves; a tenant holds at most 20 live ones. Needs `devices.write`.',
  input: {
    description: 'A provisioning token to make.',
    argument: 'The token.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'What people call it; at most 200 characters.' }),
      keyPrefix: t.string({ description: 'What the key of a device must begin with; any by default.' }),
      siteKey: t.string({ description: 'Key of the site that its devices are at; none by default.' }),
      maxDevicesPerHour: t.int({ description: 'New devices within an hour, 1 to 10 000; 100 by default.' }),
      expiresInSeconds: t.int({
        description: 'Seconds until it ends, 60 to 31 536 000 (a year); 2 592 000 (30 days) by default.',
      }),
    }),
  },
  run: (operation, { input }) => createToken(operation, input),
  result: 'What came of making a provisioning token.',
  success: {
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
  },
});

defineMutation({
  name: 'provisioningTokenRevoke',
  description: 'Ends a provisioning token at once. Needs `devices.write`.',
  input: {
    description: 'A provisioning token to end.',
    argument: 'Which token.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which token.' }),
    }),
  },
  run: (operation, { input }) => revokeToken(operation, input),
  result: 'What came of revoking a provisioning token.',
  success: {
    description: 'The token is good for nothing any more; the devices that it made stay.',
    fields: (t) => ({
      provisioningToken: t.field({
        type: provisioningTokenRef,
        description: 'The token as it is now.',
        resolve: ({ tokenId }, _args, operation) => requireProvisioningToken(operation, tokenId),
      }),
    }),
  },
});
