import { createTokenVerifier, type VerifyToken } from '#core/auth/oidc.ts';
import { createProviderKeys, type ProviderKeys } from '#core/auth/provider-keys.ts';
import type { Metrics } from '#core/runtime/metrics.ts';
import type { ApiConfig } from './config.ts';

/** What we know of the identity provider. */
export interface Identity {
  readonly verifyToken: VerifyToken;
  readonly keys: ProviderKeys;
}

/** @param operators whether the deployment lets anybody operate the platform */
export function createIdentity(config: ApiConfig, metrics: Metrics, operators: boolean): Identity {
  const fetches = metrics.counter(
    'identity_provider_fetches_total',
    'Attempts to get the keys of the identity provider; failures mean that it does not answer',
    ['outcome'],
  );
  const keys = createProviderKeys({
    issuer: config.OIDC_ISSUER,
    refreshMs: config.OIDC_KEYS_REFRESH_MS,
    staleMs: config.OIDC_KEYS_STALE_MS,
    cooldownMs: config.OIDC_KEYS_COOLDOWN_MS,
    onFetch: (outcome) => fetches.inc({ outcome }),
  });
  metrics.gauge(
    'identity_provider_keys_age_seconds',
    'Age of the keys of the identity provider, -1 without any; nobody can sign in when it passes OIDC_KEYS_STALE_MS',
    [],
    () => {
      const at = keys.fetchedAt();
      return at === undefined ? -1 : (Date.now() - at) / 1000;
    },
  );
  const verifyToken = createTokenVerifier({
    issuer: config.OIDC_ISSUER,
    audience: config.OIDC_AUDIENCE,
    keys,
    claims: {
      tenant: config.OIDC_TENANT_CLAIM,
      roles: config.OIDC_ROLES_CLAIM,
      name: config.OIDC_NAME_CLAIM,
      email: config.OIDC_EMAIL_CLAIM,
      roleNames: config.OIDC_ROLE_NAMES,
      operator: operators
        ? {
            paths:
              config.OIDC_OPERATOR_CLAIM === undefined
                ? config.OIDC_ROLES_CLAIM
                : [config.OIDC_OPERATOR_CLAIM],
            role: config.OIDC_OPERATOR_ROLE,
          }
        : undefined,
    },
  });
  return { verifyToken, keys };
}
