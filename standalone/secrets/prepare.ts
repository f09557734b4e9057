import { type LastingKeys, openLastingKeys } from '#core/auth/lasting-keys.ts';
import { createSecretBox } from '#core/auth/secrets.ts';
import { createPlatformKeyStore } from '#core/db/platform-keys.ts';
import { withClient } from '../roles.ts';
import { type Secrets, saveSecrets } from '../secrets.ts';
import { resealAll } from './reseal.ts';

/**
 * Opens the keys of the platform. Where the secret was replaced, everything is sealed under the new one first; once that is
 * so, the ones before are forgotten.
 * @throws Error when something is sealed under a key that is nowhere
 */
export async function prepareKeys(
  databaseUrl: string,
  secrets: Secrets,
  dataDir: string,
): Promise<LastingKeys> {
  const { secretKey, previousSecretKeys: previous } = secrets;
  const box = createSecretBox(secretKey, previous);
  return withClient(databaseUrl, async (client) => {
    await client.query('set role fleetgraph_owner');
    if (previous.length > 0) {
      const failed = (await resealAll({ client, box, write: true })).flatMap((result) => result.failed);
      if (failed.length > 0) throw new Error(`the secret cannot be replaced: ${failed.join('; ')}`);
    }
    const keys = await openLastingKeys(createPlatformKeyStore(client), box, [secretKey, ...previous]);
    if (previous.length > 0) saveSecrets(dataDir, { ...secrets, previousSecretKeys: [] });
    return keys;
  });
}
