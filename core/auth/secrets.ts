import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { FleetgraphError } from '../runtime/errors.ts';
import { deriveKey } from './keys.ts';

/** Something sealed cannot be read: by none of the keys at hand, for another purpose, or it was tampered with. */
export class SealError extends FleetgraphError {
  constructor(message: string, options?: ErrorOptions) {
    super('SEAL_BROKEN', message, options);
  }
}

/** Keeps secrets that must be read again later. What it seals is safe to store. */
export interface SecretBox {
  /** The id of the key that seals, as 8 hexadecimal characters. */
  readonly keyId: string;
  /** `context` says what the secret is for; another context does not open it. */
  seal(context: string, secret: Uint8Array): Buffer;
  /** @throws SealError */
  open(context: string, sealed: Uint8Array): Buffer;
  /** The id of the key that something was sealed under. */
  keyIdOf(sealed: Uint8Array): string;
}

const VERSION = 1;
const KEY_ID_BYTES = 4;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + KEY_ID_BYTES + IV_BYTES + TAG_BYTES;

/**
 * AES-256-GCM (NIST SP 800-38D) under keys derived from the deployment's secrets: version, key id, random IV, tag,
 * ciphertext; the context is authenticated with it. Seals under `secret` and opens what any of them sealed, so a new
 * secret takes over by standing before the old one.
 * @param secret 64 hexadecimal characters
 * @param earlier secrets that were in use before
 */
export function createSecretBox(secret: string, earlier: readonly string[] = []): SecretBox {
  const newest = keyOf(secret);
  const keys = new Map([...earlier.map(keyOf), newest].map((key) => [key.id, key.bytes]));
  const keyIdOf = (sealed: Uint8Array) => Buffer.from(sealed.subarray(1, 1 + KEY_ID_BYTES)).toString('hex');
  return {
    keyId: newest.id,
    keyIdOf,
    seal(context, plain) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', newest.bytes, iv).setAAD(Buffer.from(context));
      const text = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([
        Buffer.from([VERSION]),
        Buffer.from(newest.id, 'hex'),
        iv,
        cipher.getAuthTag(),
        text,
      ]);
    },
    open(context, sealed) {
      if (sealed.length < HEAD_BYTES || sealed[0] !== VERSION)
        throw new SealError('this was not sealed by us');
      const key = keys.get(keyIdOf(sealed));
      if (!key) {
        const where = 'in FLEETGRAPH_SECRET_KEY or FLEETGRAPH_SECRET_KEYS_PREVIOUS';
        throw new SealError(
          `${context} is sealed under the key ${keyIdOf(sealed)}, and no key ${keyIdOf(sealed)} is ${where}`,
        );
      }
      const ivEnd = 1 + KEY_ID_BYTES + IV_BYTES;
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1 + KEY_ID_BYTES, ivEnd))
        .setAAD(Buffer.from(context))
        .setAuthTag(sealed.subarray(ivEnd, HEAD_BYTES));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(HEAD_BYTES)), decipher.final()]);
      } catch (cause) {
        throw new SealError(`this is not the seal of ${context}, or it is broken`, { cause });
      }
    },
  };
}

function keyOf(secret: string): { readonly id: string; readonly bytes: Buffer } {
  const bytes = deriveKey(secret, 'sealed-secrets');
  const id = createHash('sha256').update(bytes).digest().subarray(0, KEY_ID_BYTES).toString('hex');
  return { id, bytes };
}
