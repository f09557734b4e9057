import { UserManager, WebStorageStateStore } from 'oidc-client-ts';
import type { ConsoleConfig } from '../config.ts';
import { forgetTenant } from './tenant.ts';

/** The signed-in person's tokens. Tokens live in this tab's session storage only. */
export type Session = {
  /** Resolves to an access token that is valid for at least 10 more seconds, refreshing it where needed. */
  accessToken(): Promise<string>;
  /** The access token held now, without waiting. Empty before the first one. */
  heldToken(): string;
  /** True when the held token is gone or about to expire. */
  isExpired(): boolean;
  /** Exchanges the refresh token for new tokens. Concurrent callers share one exchange. Leads to sign-in when refused. */
  refresh(): Promise<void>;
  signOut(): Promise<void>;
};

const callbackPath = '/callback';

type ReturnState = { readonly returnTo: string };

function readReturnTo(state: unknown): string {
  if (typeof state !== 'object' || state === null || !('returnTo' in state)) return '/';
  const { returnTo } = state;
  // Only a path of this origin: `//host` and `/\host` would leave it.
  return typeof returnTo === 'string' && /^\/(?![/\\])/.test(returnTo) ? returnTo : '/';
}

/**
 * Signs in with authorization code and PKCE, or picks up where this tab left off.
 * Resolves to undefined when the browser is on its way to the identity provider: render nothing then.
 * Throws when the provider refuses or cannot be reached.
 */
export async function openSession(config: ConsoleConfig): Promise<Session | undefined> {
  if (!window.isSecureContext) {
    throw new Error('Sign-in needs a secure page: open the console over https, or on localhost.');
  }
  const manager = new UserManager({
    authority: config.issuer,
    client_id: config.clientId,
    redirect_uri: `${location.origin}${callbackPath}`,
    post_logout_redirect_uri: `${location.origin}/`,
    response_type: 'code',
    scope: 'openid profile email offline_access',
    resource: config.audience,
    userStore: new WebStorageStateStore({ store: window.sessionStorage }),
    stateStore: new WebStorageStateStore({ store: window.sessionStorage }),
    accessTokenExpiringNotificationTimeInSeconds: 60,
    automaticSilentRenew: true,
    loadUserInfo: false,
    requestTimeoutInSeconds: 15,
  });
  const goToSignIn = async (returnTo: string) => {
    const state: ReturnState = { returnTo };
    await manager.removeUser();
    await manager.signinRedirect({ state });
  };

  if (location.pathname === callbackPath) {
    const user = await manager.signinCallback(location.href);
    history.replaceState(null, '', readReturnTo(user?.state));
  }
  let user = await manager.getUser();
  if (user?.expired && user.refresh_token) {
    user = await manager.signinSilent().catch(() => null);
  }
  if (!user || user.expired) {
    await goToSignIn(location.pathname + location.search + location.hash);
    return undefined;
  }

  let held = user.access_token;
  let expiresAt = user.expires_at ?? Number.POSITIVE_INFINITY;
  manager.events.addUserLoaded((next) => {
    held = next.access_token;
    expiresAt = next.expires_at ?? Number.POSITIVE_INFINITY;
  });
  const isExpired = () => expiresAt * 1000 < Date.now() + 10_000;

  let refreshing: Promise<void> | undefined;
  const refresh = () => {
    refreshing ??= manager
      .signinSilent()
      .then(async (next) => {
        if (!next) await goToSignIn(location.pathname + location.search);
      })
      .catch(async (error: unknown) => {
        if (isUnreachable(error)) throw error;
        await goToSignIn(location.pathname + location.search);
      })
      .finally(() => {
        refreshing = undefined;
      });
    return refreshing;
  };
  return {
    heldToken: () => held,
    isExpired,
    refresh,
    async accessToken() {
      if (isExpired()) await refresh();
      return held;
    },
    async signOut() {
      forgetTenant();
      await manager.signoutRedirect();
    },
  };
}

/** A provider that cannot be reached is not a refusal: the person stays signed in and the caller tries again. */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'ErrorTimeout' || error.name === 'TypeError' || error.message === 'Failed to fetch';
}
