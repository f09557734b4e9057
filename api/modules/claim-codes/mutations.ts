import { defineMutation } from '#api/graphql/define-mutation.ts';
import { createCode, revokeCode } from './changes.ts';
import { claimCodeRef } from './schema.ts';
import { requireClaimCode } from './service.ts';

defineMutation({
  name: 'claimCodeCreate',
  description:
    'Makes a code that a device exchanges once for a token or a certificate. Needs `devices.write`.',
  input: {
    description:
      'A claim code to make: for a device by its id, for one by its key that exists or that the claim makes, or, naming none, for a new one that names itself.',
    argument: 'The code.',
    fields: (t) => ({
      deviceId: t.id({ description: 'A device that exists.' }),
      deviceKey: t.string({
        description: 'What the device is, or will be, called. Not together with `deviceId`.',
      }),
      expiresInSeconds: t.int({
        description: 'Seconds until it ends unclaimed, 60 to 2 592 000 (30 days); 86 400 (a day) by default.',
      }),
    }),
  },
  run: (operation, { input }) => createCode(operation, input),
  result: 'What came of making a claim code.',
  success: {
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
  },
});

defineMutation({
  name: 'claimCodeRevoke',
  description: 'Ends a claim code that nobody has claimed. Needs `devices.write`.',
  input: {
    description: 'A claim code to end.',
    argument: 'Which code.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which code; nobody may have claimed it.' }),
    }),
  },
  run: (operation, { input }) => revokeCode(operation, input),
  result: 'What came of revoking a claim code.',
  success: {
    description: 'The code is good for nothing any more.',
    fields: (t) => ({
      claimCode: t.field({
        type: claimCodeRef,
        description: 'The code as it is now.',
        resolve: ({ claimCodeId }, _args, operation) => requireClaimCode(operation, claimCodeId),
      }),
    }),
  },
});
