import { deriveKey, type KeyPurpose } from '#core/auth/keys.ts';
import type { ApiConfig } from './config.ts';

/** The key for a purpose, and behind it those of the deployment's earlier secrets, which still open what they made. */
export function keysFor(config: ApiConfig, purpose: KeyPurpose): [Buffer, ...Buffer[]] {
  return [
    deriveKey(config.FLEETGRAPH_SECRET_KEY, purpose),
    ...config.FLEETGRAPH_SECRET_KEYS_PREVIOUS.map((earlier) => deriveKey(earlier, purpose)),
  ];
}
