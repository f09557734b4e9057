/** What a device could authenticate with, at its best. */
export type CredentialState = 'NONE' | 'ACTIVE' | 'EXPIRING' | 'REVOKED';

/** When a credential ends; null when it does not. Milliseconds since the epoch. */
export interface CredentialLife {
  readonly expiresAt: number | null;
  readonly revoked: boolean;
}

const EXPIRING_MS = 30 * 86_400_000;

/**
 * NONE for a device that never had a credential, REVOKED when none is good any longer, EXPIRING when every good one ends within 30
 * days. `until` is when time alone will change the answer; null when it will not.
 */
export function credentialStateAt(
  now: number,
  credentials: readonly CredentialLife[],
): { readonly state: CredentialState; readonly until: number | null } {
  if (credentials.length === 0) return { state: 'NONE', until: null };
  const good = credentials.filter(
    ({ expiresAt, revoked }) => !revoked && (expiresAt === null || expiresAt > now),
  );
  if (good.length === 0) return { state: 'REVOKED', until: null };
  if (good.some(({ expiresAt }) => expiresAt === null)) return { state: 'ACTIVE', until: null };
  const last = Math.max(...good.map(({ expiresAt }) => expiresAt ?? 0));
  const expiring = last - EXPIRING_MS;
  return expiring < now ? { state: 'EXPIRING', until: last } : { state: 'ACTIVE', until: expiring };
}
