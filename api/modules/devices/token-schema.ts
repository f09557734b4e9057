import { builder } from '#api/graphql/builder.ts';
import { loadCredential } from './credentials.ts';
import { deviceCredentialRef } from './schema.ts';

/** A token just made; the only time its secret is there. */
export interface NewToken {
  readonly credentialId: number;
  readonly username: string;
  readonly secret: string;
}

export const deviceTokenRef = builder.objectRef<NewToken>('DeviceToken').implement({
  description: 'What a device signs in with over MQTT.',
  fields: (t) => ({
    credential: t.field({
      type: deviceCredentialRef,
      description: 'The stored side of it.',
      async resolve({ credentialId }, _args, operation) {
        const credential = await loadCredential(operation, credentialId);
        if (!credential) throw new Error(`credential ${credentialId} of a new device is not in the database`);
        return credential;
      },
    }),
    username: t.exposeString('username', { description: 'MQTT user name: tenant/device.' }),
    secret: t.exposeString('secret', { description: 'MQTT password. Only its hash is kept: note it now.' }),
  }),
});
