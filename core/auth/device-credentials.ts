import { createHmac, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new device password: 256 random bits, base64url. It is shown once; only its hash is kept. */
export function createDeviceSecret(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * HMAC-SHA-256 under a server key. A slow hash would buy nothing against 256 random bits and would cost a
 * reconnecting fleet minutes. With a KeyObject, made once, it costs a quarter of what it does with bytes.
 */
export function hashDeviceSecret(key: Buffer | KeyObject, secret: string): Buffer {
  return createHmac('sha256', key).update(secret).digest();
}

/** The last four characters, by which a person tells two credentials apart. */
export function hintOf(secret: string): string {
  return secret.slice(-4);
}

/** The index of the hash that the secret answers to, or -1. Takes the same time wherever it matches. */
export function matchDeviceSecret(
  key: Buffer | KeyObject,
  secret: string,
  hashes: readonly Uint8Array[],
): number {
  const presented = hashDeviceSecret(key, secret);
  let match = -1;
  for (const [index, hash] of hashes.entries()) {
    if (hash.length === presented.length && timingSafeEqual(hash, presented)) match = index;
  }
  return match;
}
