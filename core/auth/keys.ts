import { hkdfSync } from 'node:crypto';

export type KeyPurpose =
  | 'device-token'
  | 'api-key'
  | 'claim-code'
  | 'invitation'
  | 'provisioning-token'
  | 'cursor'
  | 'file-link'
  | 'sealed-secrets';

/**
 * One 32-byte key a purpose from the deployment's secret, so that no key ever serves two.
 * HKDF-SHA-256 (RFC 5869) without salt, the purpose as its info.
 * @param secret 64 hexadecimal characters
 */
export function deriveKey(secret: string, purpose: KeyPurpose): Buffer {
  return Buffer.from(
    hkdfSync('sha256', Buffer.from(secret, 'hex'), Buffer.alloc(0), `fleetgraph/${purpose}`, 32),
  );
}
