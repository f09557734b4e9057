import { createHmac, randomBytes } from 'node:crypto';

/** A freshly made invitation. `token` is shown once; `hash` is stored. */
export interface NewInvitation {
  readonly token: string;
  readonly hash: Buffer;
}

/** Makes `fgi_<secret>` with 256 random bits. */
export function createInvitation(serverKey: Buffer): NewInvitation {
  const token = `fgi_${randomBytes(32).toString('base64url')}`;
  return { token, hash: hashInvitation(serverKey, token) };
}

/** HMAC-SHA-256 under a server key; a slow hash would buy nothing against 256 random bits. */
export function hashInvitation(serverKey: Buffer, token: string): Buffer {
  return createHmac('sha256', serverKey).update(token).digest();
}
