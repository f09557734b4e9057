import { AuthenticationError } from '#core/auth/authentication-error.ts';
import type { Authenticator, Presented, Viewer } from '#core/auth/viewer.ts';

/** Keeps an eye on the credentials of connections that stay open. */
export interface CredentialWatch {
  /**
   * Calls `end` once, when the credential is no longer good or allows something else than it did. Holds nothing after
   * `stop`.
   */
  hold(viewer: Viewer, presented: Presented, end: (reason: string) => void): { stop(): void };
  /** Asks again, now, about everybody who came into the tenant by this credential, or by any. */
  recheck(tenantId: number, credentialId?: string): void;
  /** The same about everybody, spread over half a second: what was announced lately may not have been heard. */
  recheckAll(): void;
}

/** How often a held credential is looked at again without being told to. */
const RECHECK_MS = 30_000;
const SPREAD_MS = 500;
const MAX_TIMEOUT_MS = 2_147_483_647;

export function createCredentialWatch(authenticator: Authenticator): CredentialWatch {
  /** Checks by tenant, then by credential. */
  const held = new Map<number, Map<string, Set<() => void>>>();
  const keep = ({ tenantId, credentialId }: Viewer, check: () => void) => {
    const tenant = held.get(tenantId) ?? new Map<string, Set<() => void>>();
    const checks = tenant.get(credentialId) ?? new Set();
    held.set(tenantId, tenant.set(credentialId, checks.add(check)));
    return () => {
      checks.delete(check);
      if (checks.size === 0 && tenant.get(credentialId) === checks) tenant.delete(credentialId);
      if (tenant.size === 0 && held.get(tenantId) === tenant) held.delete(tenantId);
    };
  };
  return {
    hold(viewer, presented, end) {
      let expiry: NodeJS.Timeout | undefined;
      const expireAt = (at: Date | null) => {
        clearTimeout(expiry);
        if (!at) return;
        const remaining = Math.min(Math.max(0, at.getTime() - Date.now()), MAX_TIMEOUT_MS);
        expiry = setTimeout(() => finish('the credential has expired'), remaining);
      };
      let stopped = false;
      const check = () => {
        authenticator.authenticate(presented).then(
          (now) => {
            if (!allowsTheSame(viewer, now)) finish('what this credential allows has changed');
            else if (!stopped) expireAt(now.expiresAt);
          },
          (error: unknown) => {
            if (error instanceof AuthenticationError) finish(error.message);
          },
        );
      };
      const recheck = setInterval(check, RECHECK_MS);
      const letGo = keep(viewer, check);
      const stop = () => {
        stopped = true;
        clearInterval(recheck);
        clearTimeout(expiry);
        letGo();
      };
      const finish = (reason: string) => {
        if (stopped) return;
        stop();
        end(reason);
      };
      expireAt(viewer.expiresAt);
      // What changed between the admission and now was announced to nobody.
      check();
      return { stop };
    },
    recheck(tenantId, credentialId) {
      const tenant = held.get(tenantId);
      const concerned =
        credentialId === undefined ? [...(tenant?.values() ?? [])] : [tenant?.get(credentialId) ?? []];
      for (const checks of concerned) for (const check of checks) check();
    },
    recheckAll() {
      for (const tenant of held.values()) {
        for (const checks of tenant.values()) {
          for (const check of checks) setTimeout(check, Math.random() * SPREAD_MS).unref();
        }
      }
    },
  };
}

const allowsTheSame = (before: Viewer, now: Viewer): boolean =>
  before.tenantId === now.tenantId &&
  before.role === now.role &&
  before.permissions.size === now.permissions.size &&
  before.permissions.isSubsetOf(now.permissions);
