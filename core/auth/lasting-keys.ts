import { deriveKey } from './keys.ts';
import type { SecretBox } from './secrets.ts';

/** What is stored hashed for longer than the deployment keeps one secret. */
export const LASTING_PURPOSES = [
  'device-token',
  'api-key',
  'claim-code',
  'invitation',
  'provisioning-token',
] as const;
export type LastingPurpose = (typeof LASTING_PURPOSES)[number];

/** One 32-byte key a purpose. The same for the life of a deployment, whatever becomes of its secret. */
export type LastingKeys = Readonly<Record<LastingPurpose, Buffer>>;

/** Where they are kept, sealed. Adding one where there is one already changes nothing. */
export interface LastingKeyStore {
  findKey(purpose: string): Promise<Uint8Array | undefined>;
  addKey(purpose: string, sealed: Uint8Array): Promise<void>;
}

/**
 * The keys as they were stored; those that are missing are made from the oldest secret at hand, which is what everything was
 * hashed under before there was a store. Processes that begin at once get the same ones.
 * @param secrets the deployment's, newest first
 * @throws SealError when the secret that sealed them is not among ours
 */
export async function openLastingKeys(
  store: LastingKeyStore,
  box: SecretBox,
  secrets: readonly string[],
): Promise<LastingKeys> {
  const open = async (purpose: LastingPurpose): Promise<Buffer> => {
    const context = `key/${purpose}`;
    const found = await store.findKey(purpose);
    if (found) return box.open(context, found);
    await store.addKey(purpose, box.seal(context, deriveKey(secrets.at(-1) ?? '', purpose)));
    const stored = await store.findKey(purpose);
    if (!stored) throw new Error(`the key ${purpose}, which was just stored, is not there`);
    return box.open(context, stored);
  };
  return {
    'device-token': await open('device-token'),
    'api-key': await open('api-key'),
    'claim-code': await open('claim-code'),
    invitation: await open('invitation'),
    'provisioning-token': await open('provisioning-token'),
  };
}
