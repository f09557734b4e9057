import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const FORMAT = /^fgk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

/** An API key as presented: the prefix finds its row, the secret proves it. */
export interface ApiKeyParts {
  readonly prefix: string;
  readonly secret: string;
}

/** A freshly made key. `token` is shown once; `prefix` and `hash` are stored. */
export interface NewApiKey {
  readonly token: string;
  readonly prefix: string;
  readonly hash: Buffer;
}

/** Makes `fgk_<prefix>_<secret>` with 256 random bits of secret; a rotated key keeps its prefix. */
export function createApiKey(serverKey: Buffer, prefix = randomBytes(6).toString('hex')): NewApiKey {
  const secret = randomBytes(32).toString('base64url');
  return { token: `fgk_${prefix}_${secret}`, prefix, hash: hashApiSecret(serverKey, secret) };
}

/** The parts of a key, or undefined when the text is not one. */
export function readApiKey(token: string): ApiKeyParts | undefined {
  const [, prefix, secret] = FORMAT.exec(token) ?? [];
  return prefix && secret ? { prefix, secret } : undefined;
}

/** HMAC-SHA-256 under a server key; a slow hash would buy nothing against 256 random bits. */
export function hashApiSecret(serverKey: Buffer, secret: string): Buffer {
  return createHmac('sha256', serverKey).update(secret).digest();
}

/** Compares in constant time. */
export function isApiSecret(serverKey: Buffer, secret: string, storedHash: Uint8Array): boolean {
  const presented = hashApiSecret(serverKey, secret);
  return storedHash.length === presented.length && timingSafeEqual(storedHash, presented);
}
