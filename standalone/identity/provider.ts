import { Provider } from 'oidc-provider';
import { PERMISSIONS } from '#core/auth/permissions.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { IdentityConfig } from './config.ts';
import type { IdentityKeys } from './keys.ts';
import { renderProblem, renderSignedOut, renderSignOut } from './pages.ts';
import { addSignIn } from './sign-in.ts';
import type { GrantStore } from './store.ts';
import type { IdentityUser } from './users.ts';

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;
const SCOPES = 'openid profile email offline_access';
const API_SCOPE = 'api';
/** The API's default for OIDC_OPERATOR_ROLE. */
const OPERATOR_ROLE = 'PLATFORM_OPERATOR';
const MACHINE = 'fleetgraph-machine';

export interface ProviderParts {
  readonly config: IdentityConfig;
  readonly keys: IdentityKeys;
  readonly store: GrantStore;
  /** Asked at every sign-in and for every token. */
  readonly users: () => readonly IdentityUser[];
  readonly log: Logger;
}

/**
 * An OpenID provider for one installation: code with PKCE for the console, client credentials for programs.
 * Access tokens are ES256 JWTs for the API's audience with claims `tenant_id`, `roles`, `name`, `email`, `sid`.
 * A program may ask for permissions as scopes, to which its token is limited.
 */
export function buildProvider({ config, keys, store, users, log }: ProviderParts): Provider {
  const claimsOf = (id: string | undefined) => {
    const user = users().find((candidate) => candidate.id === id);
    const roles = user && [user.role, ...(user.operator ? [OPERATOR_ROLE] : [])];
    return user && { name: user.name, email: user.email, tenant_id: user.tenant, roles };
  };
  const provider: Provider = new Provider(config.IDENTITY_ISSUER, {
    adapter: (model) => store.adapter(model),
    clients: clientsOf(config),
    jwks: { keys: [keys.signing] },
    cookies: { keys: [keys.cookie] },
    pkce: { required: () => true },
    // The API's scope is left out on purpose: listed here it would be asked consent for.
    scopes: SCOPES.split(' '),
    claims: { openid: ['sub'], profile: ['name', 'tenant_id', 'roles'], email: ['email'] },
    conformIdTokenClaims: false,
    extraClientMetadata: { properties: ['tenant_id', 'roles'] },
    ttl: {
      AccessToken: 15 * MINUTE,
      ClientCredentials: 15 * MINUTE,
      IdToken: 15 * MINUTE,
      AuthorizationCode: MINUTE,
      Interaction: 10 * MINUTE,
      Session: 14 * DAY,
      Grant: 14 * DAY,
      RefreshToken: 14 * DAY,
    },
    findAccount: (_context, id) => {
      const claims = claimsOf(id);
      return claims && { accountId: id, claims: () => ({ sub: id, ...claims }) };
    },
    extraTokenClaims: (context, token) => {
      const person = claimsOf(token.accountId);
      // A grant is made at each sign-in, and its tokens are refreshed within it.
      if (person) return { ...person, sid: token.grantId };
      const { tenant_id, roles } = context.oidc.client;
      return { tenant_id, roles, name: token.clientId };
    },
    clientBasedCORS: (_context, origin) => config.CONSOLE_ORIGINS.includes(origin),
    issueRefreshToken: async (_context, client) => client.grantTypeAllowed('refresh_token'),
    // Ours is the only client, so nobody is asked whether it may.
    loadExistingGrant: async (context) => {
      const { client, session } = context.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(SCOPES);
      grant.addResourceScope(config.OIDC_AUDIENCE, API_SCOPE);
      await grant.save();
      return grant;
    },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    renderError: (context, out) =>
      renderProblem(context, out['error_description'] ?? out['error'] ?? 'Unknown error'),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: renderSignOut,
        postLogoutSuccessSource: renderSignedOut,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => config.OIDC_AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          // Beside its own scope, every permission: a program that asks for some gets a token limited to them.
          scope: [API_SCOPE, ...PERMISSIONS].join(' '),
          audience: config.OIDC_AUDIENCE,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  addSignIn(provider, users);
  provider.on('server_error', (_context, error) => log.error({ err: error }, 'request failed'));
  return provider;
}

function clientsOf(config: IdentityConfig): Record<string, unknown>[] {
  const console = {
    client_id: config.OIDC_CLIENT_ID,
    client_name: 'Fleetgraph console',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: config.CONSOLE_ORIGINS.map((origin) => `${origin}/callback`),
    post_logout_redirect_uris: config.CONSOLE_ORIGINS.map((origin) => `${origin}/`),
    id_token_signed_response_alg: 'ES256',
  };
  if (!config.IDENTITY_MACHINE_SECRET) return [console];
  const machine = {
    client_id: MACHINE,
    client_secret: config.IDENTITY_MACHINE_SECRET,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    id_token_signed_response_alg: 'ES256',
    tenant_id: config.IDENTITY_MACHINE_TENANT,
    roles: ['ENGINEER'],
  };
  return [console, machine];
}
