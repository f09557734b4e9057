import { createHmac, randomBytes } from 'node:crypto';

/** A token just made; the only time it is there. */
export interface NewProvisioningToken {
  readonly token: string;
  readonly hash: Buffer;
  /** The last four characters, by which a person tells two tokens apart. */
  readonly hint: string;
}

const FORMAT = /^fgp_[A-Za-z0-9_-]{43}$/;

/** Makes `fgp_<secret>` with 256 random bits of secret. */
export function createProvisioningToken(key: Buffer): NewProvisioningToken {
  const token = `fgp_${randomBytes(32).toString('base64url')}`;
  return { token, hash: hashProvisioningToken(key, token), hint: token.slice(-4) };
}

/** Whether a text is spelled like one; no device's own token is. */
export const isProvisioningToken = (text: string): boolean => FORMAT.test(text);

/** HMAC-SHA-256 under a server key. */
export function hashProvisioningToken(key: Buffer, token: string): Buffer {
  return createHmac('sha256', key).update(token).digest();
}
