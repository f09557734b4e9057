import { hkdfSync } from 'node:crypto';

/** Seals secrets inside remembered results of mutations; derived as `core/auth/keys.ts` derives the other keys. */
export function deriveResultKey(secret: string): Buffer {
  return Buffer.from(
    hkdfSync('sha256', Buffer.from(secret, 'hex'), Buffer.alloc(0), 'fleetgraph/mutation-result', 32),
  );
}
