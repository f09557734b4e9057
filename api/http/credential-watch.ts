import { AuthenticationError } from '#core/auth/authentication-error.ts';
import type { Authenticator, Viewer } from '#core/auth/viewer.ts';

/** Keeps an eye on the credentials of connections that stay open. */
export interface CredentialWatch {
  /** Calls `end` once, when the credential is no longer good. Resolves nothing and holds nothing after `stop`. */
  hold(viewer: Viewer, authorization: string, end: (reason: string) => void): { stop(): void };
  /** Asks again, now, about everybody who came in by this credential. */
  recheck(credentialId: string): void;
  /** The same about everybody of a tenant. */
  recheckTenant(tenantId: number): void;
}

interface Held {
  readonly tenantId: number;
  readonly check: () => void;
}

/** How often a held credential is looked at again without being told to. */
const RECHECK_MS = 30_000;
const MAX_TIMEOUT_MS = 2_147_483_647;

export function createCredentialWatch(authenticator: Authenticator): CredentialWatch {
  const held = new Map<string, Set<Held>>();
  return {
    hold(viewer, authorization, end) {
      let expiry: NodeJS.Timeout | undefined;
      const expireAt = (at: Date | null) => {
        clearTimeout(expiry);
        if (!at) return;
        const remaining = Math.min(Math.max(0, at.getTime() - Date.now()), MAX_TIMEOUT_MS);
        expiry = setTimeout(() => finish('the credential has expired'), remaining);
      };
      let stopped = false;
      const check = () => {
        authenticator.authenticate(authorization).then(
          ({ expiresAt }) => {
            if (!stopped) expireAt(expiresAt);
          },
          (error: unknown) => {
            if (error instanceof AuthenticationError) finish(error.message);
          },
        );
      };
      const recheck = setInterval(check, RECHECK_MS);
      const { credentialId, tenantId } = viewer;
      const checks = held.get(credentialId) ?? new Set();
      const entry: Held = { tenantId, check };
      held.set(credentialId, checks.add(entry));
      const stop = () => {
        stopped = true;
        clearInterval(recheck);
        clearTimeout(expiry);
        checks.delete(entry);
        if (checks.size === 0 && held.get(credentialId) === checks) held.delete(credentialId);
      };
      const finish = (reason: string) => {
        if (stopped) return;
        stop();
        end(reason);
      };
      expireAt(viewer.expiresAt);
      return { stop };
    },
    recheck(credentialId) {
      for (const { check } of held.get(credentialId) ?? []) check();
    },
    recheckTenant(tenantId) {
      for (const checks of held.values())
        for (const entry of checks) if (entry.tenantId === tenantId) entry.check();
    },
  };
}
