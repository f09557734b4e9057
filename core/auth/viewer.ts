import { createHash } from 'node:crypto';
import type { TenantStatus } from '../fleet/tenants.ts';
import { isApiSecret, readApiKey } from './api-keys.ts';
import { AuthenticationError } from './authentication-error.ts';
import type { VerifyToken } from './oidc.ts';
import { highestRole, type Permission, permissionsOf, type Role } from './permissions.ts';

/** Who asks: a person with an access token or a program with an API key, always on behalf of one tenant. */
export interface Viewer {
  readonly kind: 'USER' | 'API_KEY';
  /** The provider's subject, or the key's prefix. */
  readonly subject: string;
  readonly tenantId: number;
  readonly tenantSlug: string;
  readonly role: Role;
  readonly permissions: ReadonlySet<Permission>;
  readonly name: string;
  readonly email: string | null;
  /** When the credential ends; null when it does not. */
  readonly expiresAt: Date | null;
  /** Distinguishes credentials for idempotency keys and limits: `user:<subject>` or `key:<id>`. */
  readonly credentialId: string;
}

export interface TenantRecord {
  readonly id: number;
  readonly slug: string;
  readonly status: TenantStatus;
}

export interface ApiKeyRecord {
  readonly id: number;
  readonly tenant: TenantRecord;
  readonly secretHash: Uint8Array;
  /** The secret before the last rotation, and until when it is still good. */
  readonly previous: { readonly secretHash: Uint8Array; readonly expiresAt: Date } | null;
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

export interface AuthenticatorOptions {
  readonly verifyToken: VerifyToken;
  readonly findTenant: (slug: string) => Promise<TenantRecord | undefined>;
  readonly findApiKey: (prefix: string) => Promise<ApiKeyRecord | undefined>;
  readonly apiKeyKey: Buffer;
  /** Told of every key that was looked up and found good; must not throw. */
  readonly onApiKeyUsed?: (key: ApiKeyRecord) => void;
  /** How long an answer is remembered. Default 10 000 ms; never past the credential's own end. */
  readonly rememberMs?: number;
}

export interface Authenticator {
  /**
   * Who presents this `Authorization` header (`Bearer <token or API key>`).
   * @throws AuthenticationError when it is absent or refused; UnavailableError when it cannot be checked now.
   */
  authenticate(authorization: string | undefined): Promise<Viewer>;
  /** Forgets what was remembered: the next request is checked anew. */
  forget(): void;
}

const MAX_REMEMBERED = 5_000;

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const rememberMs = options.rememberMs ?? 10_000;
  const remembered = new Map<string, { readonly viewer: Viewer; readonly until: number }>();
  /** Counts `forget`: what was being checked when one came is checked again. */
  let generation = 0;
  return {
    async authenticate(authorization) {
      const token = readBearer(authorization);
      const id = createHash('sha256').update(token).digest('base64');
      const known = remembered.get(id);
      if (known && known.until > Date.now()) return known.viewer;
      const before = generation;
      const viewer = token.startsWith('fgk_')
        ? await viewerOfKey(token, options)
        : await viewerOfToken(token, options);
      if (generation !== before) return this.authenticate(authorization);
      const until = Math.min(
        Date.now() + rememberMs,
        viewer.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
      );
      remembered.delete(id);
      if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value ?? '');
      remembered.set(id, { viewer, until });
      return viewer;
    },
    forget() {
      generation += 1;
      remembered.clear();
    },
  };
}

function readBearer(authorization: string | undefined): string {
  if (!authorization) throw new AuthenticationError('sign in, or present an API key');
  const [, token] = /^bearer +([^\s]+)$/i.exec(authorization) ?? [];
  if (!token || token.length > 8_192)
    throw new AuthenticationError('the authorization must be "Bearer <token>"');
  return token;
}

async function viewerOfToken(token: string, options: AuthenticatorOptions): Promise<Viewer> {
  const claims = await options.verifyToken(token);
  const tenant = await options.findTenant(claims.tenant);
  if (!tenant) throw new AuthenticationError('the tenant of this token is unknown', 'FORBIDDEN');
  assertActive(tenant);
  const role = highestRole(claims.roles);
  if (!role) throw new AuthenticationError('the token grants no role here', 'FORBIDDEN');
  return {
    kind: 'USER',
    subject: claims.subject,
    tenantId: tenant.id,
    tenantSlug: tenant.slug,
    role,
    permissions: claims.operator
      ? new Set([...permissionsOf(role), 'platform.operate'])
      : permissionsOf(role),
    name: claims.name,
    email: claims.email,
    expiresAt: claims.expiresAt,
    credentialId: `user:${claims.subject}`,
  };
}

async function viewerOfKey(token: string, options: AuthenticatorOptions): Promise<Viewer> {
  const parts = readApiKey(token);
  const record = parts && (await options.findApiKey(parts.prefix));
  const end = record && endOfSecret(record, parts.secret, options.apiKeyKey);
  if (!record || end === undefined) throw new AuthenticationError('the API key is not valid');
  if (record.revokedAt) throw new AuthenticationError('the API key was revoked');
  if (end && end.getTime() <= Date.now()) throw new AuthenticationError('the API key has expired');
  assertActive(record.tenant);
  options.onApiKeyUsed?.(record);
  return {
    kind: 'API_KEY',
    subject: parts.prefix,
    tenantId: record.tenant.id,
    tenantSlug: record.tenant.slug,
    role: record.role,
    permissions: permissionsOf(record.role),
    name: record.name,
    email: null,
    expiresAt: end,
    credentialId: `key:${record.id}`,
  };
}

/** When this secret of the key ends, null when it does not; undefined when it is none of the key's secrets. */
function endOfSecret(record: ApiKeyRecord, secret: string, serverKey: Buffer): Date | null | undefined {
  const { previous, expiresAt } = record;
  if (isApiSecret(serverKey, secret, record.secretHash)) return expiresAt;
  if (!previous || !isApiSecret(serverKey, secret, previous.secretHash)) return undefined;
  return expiresAt && expiresAt < previous.expiresAt ? expiresAt : previous.expiresAt;
}

function assertActive(tenant: TenantRecord): void {
  if (tenant.status === 'ACTIVE') return;
  const why = tenant.status === 'SUSPENDED' ? 'is suspended' : 'is being deleted';
  throw new AuthenticationError(`the tenant ${tenant.slug} ${why}`, 'TENANT_SUSPENDED');
}
