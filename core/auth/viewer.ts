import { createHash } from 'node:crypto';
import { isApiSecret, readApiKey } from './api-keys.ts';
import { AuthenticationError } from './authentication-error.ts';
import type { TokenClaims } from './claims.ts';
import {
  type Admission,
  candidateTenants,
  judgeMembership,
  type MembershipRecord,
  type TenantRecord,
} from './membership.ts';
import type { VerifyToken } from './oidc.ts';
import { highestRole, type Permission, permissionsOf, type Role } from './permissions.ts';

/** Somebody as the identity provider knows them. */
export type Person = Pick<
  TokenClaims,
  'issuer' | 'subject' | 'name' | 'email' | 'emailVerified' | 'expiresAt'
>;

/** Who asks: a person, a program with a token of its own, or one with an API key; always on behalf of one tenant. */
export interface Viewer {
  readonly kind: 'USER' | 'API_KEY' | 'CLIENT';
  /** The provider's subject, the client's id, or the key's prefix. */
  readonly subject: string;
  readonly tenantId: number;
  readonly tenantSlug: string;
  readonly role: Role;
  readonly permissions: ReadonlySet<Permission>;
  readonly name: string;
  readonly email: string | null;
  /** When the credential ends; null when it does not. */
  readonly expiresAt: Date | null;
  /** Distinguishes credentials for idempotency keys and limits: `user:<subject>`, `client:<id>` or `key:<id>`. */
  readonly credentialId: string;
  /** Names the session of a person or client; null for a key. */
  readonly sessionId: string | null;
  /** The row of a person among the members, or that of an API key; null for a client. */
  readonly rowId: number | null;
  /** Of a `USER` only. */
  readonly person: Person | null;
}

/** A credential, and what is known of the request it came with. */
export interface Presented {
  /** `Bearer <token or API key>`. */
  readonly authorization: string | undefined;
  /** Slug of the tenant meant, for somebody who belongs to several. */
  readonly tenant?: string | undefined;
  readonly address?: string | null;
  readonly requestId?: string;
}

export interface ApiKeyRecord {
  readonly id: number;
  readonly tenant: TenantRecord;
  readonly secretHash: Uint8Array;
  /** The secret before the last rotation, and until when it is still good. */
  readonly previous: { readonly secretHash: Uint8Array; readonly expiresAt: Date } | null;
  readonly name: string;
  readonly role: Role;
  /** What of its role it may do; empty: all of it. */
  readonly scopes: readonly string[];
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

export interface AuthenticatorOptions {
  readonly verifyToken: VerifyToken;
  readonly findTenant: (slug: string) => Promise<TenantRecord | undefined>;
  readonly findApiKey: (prefix: string) => Promise<ApiKeyRecord | undefined>;
  /** Every row of a person, removed ones too. */
  readonly findMemberships: (person: Person) => Promise<readonly MembershipRecord[]>;
  /** Writes down whom the claims brought, or the role they now give; resolves to the member's row. */
  readonly recordMember: (
    person: Person,
    tenant: TenantRecord,
    admission: Admission,
    presented: Presented,
  ) => Promise<number>;
  readonly apiKeyKey: Buffer;
  /** Told of every key that was looked up and found good; must not throw. */
  readonly onApiKeyUsed?: (key: ApiKeyRecord) => void;
  /** How long an answer is remembered. Default 10 000 ms; never past the credential's own end. */
  readonly rememberMs?: number;
}

export interface Authenticator {
  /**
   * Who presents this credential.
   * @throws AuthenticationError when it is absent or refused (StrangerError when the person is known, but to no tenant);
   * UnavailableError when it cannot be checked now.
   */
  authenticate(presented: Presented): Promise<Viewer>;
  /** Forgets what was remembered: the next request is checked anew. */
  forget(): void;
}

/** The provider vouches for the person, but no tenant lets them in. They may still accept an invitation. */
export class StrangerError extends AuthenticationError {
  readonly person: Person;

  constructor(person: Person, { reason, message }: AuthenticationError) {
    super(reason, message);
    this.person = person;
  }
}

const MAX_REMEMBERED = 5_000;

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const rememberMs = options.rememberMs ?? 10_000;
  const remembered = new Map<string, { readonly viewer: Viewer; readonly until: number }>();
  /** Counts `forget`: what was being checked when one came is checked again. */
  let generation = 0;
  const authenticate = async (presented: Presented): Promise<Viewer> => {
    const token = readBearer(presented.authorization);
    const id = createHash('sha256')
      .update(JSON.stringify([token, presented.tenant]))
      .digest('base64');
    const known = remembered.get(id);
    if (known && known.until > Date.now()) return known.viewer;
    const before = generation;
    const viewer = token.startsWith('fgk_')
      ? await viewerOfKey(token, presented.tenant, options)
      : await viewerOfToken(token, presented, options);
    if (generation !== before) return authenticate(presented);
    const until = Math.min(Date.now() + rememberMs, viewer.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY);
    remembered.delete(id);
    if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value ?? '');
    remembered.set(id, { viewer, until });
    return viewer;
  };
  return {
    authenticate,
    forget() {
      generation += 1;
      remembered.clear();
    },
  };
}

function readBearer(authorization: string | undefined): string {
  if (!authorization) throw new AuthenticationError('missing', 'sign in, or present an API key');
  const [, token] = /^bearer +([^\s]+)$/i.exec(authorization) ?? [];
  if (!token || token.length > 8_192)
    throw new AuthenticationError('malformed', 'the authorization must be "Bearer <token>"');
  return token;
}

async function viewerOfToken(
  token: string,
  presented: Presented,
  options: AuthenticatorOptions,
): Promise<Viewer> {
  const claims = await options.verifyToken(token);
  const sessionId = claims.sessionId ?? createHash('sha256').update(token).digest('base64url');
  return claims.kind === 'PROGRAM'
    ? viewerOfClient(claims, sessionId, presented.tenant, options)
    : viewerOfPerson(claims, sessionId, presented, options);
}

async function viewerOfPerson(
  claims: TokenClaims,
  sessionId: string,
  presented: Presented,
  options: AuthenticatorOptions,
): Promise<Viewer> {
  const { issuer, subject, name, email, emailVerified, expiresAt } = claims;
  const person: Person = { issuer, subject, name, email, emailVerified, expiresAt };
  const memberships = await options.findMemberships(person);
  let refused: AuthenticationError | undefined;
  for (const slug of candidateTenants(claims, memberships, presented.tenant)) {
    const membership = memberships.find(({ tenant }) => tenant.slug === slug);
    const admission = judgeMembership(claims, membership, slug);
    const tenant = membership?.tenant ?? (await options.findTenant(slug));
    if (admission instanceof AuthenticationError || !tenant || tenant.status !== 'ACTIVE') {
      refused ??= admission instanceof AuthenticationError ? admission : closed(tenant);
      continue;
    }
    const isNews = !membership || admission.roleChanged;
    return {
      kind: 'USER',
      ...{ subject, name, email, expiresAt, person, sessionId, role: admission.role },
      tenantId: tenant.id,
      tenantSlug: tenant.slug,
      permissions: grantOf(admission.role, claims),
      credentialId: `user:${subject}`,
      rowId: isNews ? await options.recordMember(person, tenant, admission, presented) : membership.memberId,
    };
  }
  throw new StrangerError(
    person,
    refused ?? new AuthenticationError('no_tenant', 'you belong to no tenant; ask an admin to invite you'),
  );
}

/** What a token allows: of its role what its scopes name. A token limited to scopes operates nothing. */
const grantOf = (role: Role, { scopes, operator }: TokenClaims): ReadonlySet<Permission> =>
  operator && scopes.length === 0
    ? new Set([...permissionsOf(role), 'platform.operate'])
    : permissionsOf(role, scopes);

async function viewerOfClient(
  claims: TokenClaims,
  sessionId: string,
  chosen: string | undefined,
  { findTenant }: AuthenticatorOptions,
): Promise<Viewer> {
  const [slug] = chosen === undefined ? claims.tenants : claims.tenants.filter((each) => each === chosen);
  if (slug === undefined) throw new AuthenticationError('no_tenant', 'the token names no such tenant');
  const tenant = requireOpen(await findTenant(slug));
  const role = highestRole(claims.roles);
  if (!role) throw new AuthenticationError('no_role', 'the token grants no role here');
  const { subject, name, expiresAt } = claims;
  return {
    kind: 'CLIENT',
    ...{ subject, name, expiresAt, role, sessionId, email: null, rowId: null, person: null },
    tenantId: tenant.id,
    tenantSlug: tenant.slug,
    permissions: grantOf(role, claims),
    credentialId: `client:${subject}`,
  };
}

async function viewerOfKey(
  token: string,
  chosen: string | undefined,
  options: AuthenticatorOptions,
): Promise<Viewer> {
  const parts = readApiKey(token);
  const record = parts && (await options.findApiKey(parts.prefix));
  const end = record && endOfSecret(record, parts.secret, options.apiKeyKey);
  if (!record || end === undefined) throw new AuthenticationError('invalid', 'the API key is not valid');
  if (record.revokedAt) throw new AuthenticationError('revoked', 'the API key was revoked');
  if (end && end.getTime() <= Date.now()) throw new AuthenticationError('expired', 'the API key has expired');
  requireOpen(record.tenant);
  if (chosen !== undefined && chosen !== record.tenant.slug)
    throw new AuthenticationError('not_a_member', 'the API key is of another tenant');
  options.onApiKeyUsed?.(record);
  return {
    kind: 'API_KEY',
    subject: parts.prefix,
    tenantId: record.tenant.id,
    tenantSlug: record.tenant.slug,
    role: record.role,
    permissions: permissionsOf(record.role, record.scopes),
    name: record.name,
    email: null,
    expiresAt: end,
    credentialId: `key:${record.id}`,
    sessionId: null,
    rowId: record.id,
    person: null,
  };
}

/** When this secret of the key ends, null when it does not; undefined when it is none of the key's secrets. */
function endOfSecret(record: ApiKeyRecord, secret: string, serverKey: Buffer): Date | null | undefined {
  const { previous, expiresAt } = record;
  if (isApiSecret(serverKey, secret, record.secretHash)) return expiresAt;
  if (!previous || !isApiSecret(serverKey, secret, previous.secretHash)) return undefined;
  return expiresAt && expiresAt < previous.expiresAt ? expiresAt : previous.expiresAt;
}

/** @throws AuthenticationError unless the tenant is there and active */
function requireOpen(tenant: TenantRecord | undefined): TenantRecord {
  if (tenant?.status === 'ACTIVE') return tenant;
  throw closed(tenant);
}

const closed = (tenant: TenantRecord | undefined): AuthenticationError =>
  tenant
    ? new AuthenticationError(
        'suspended',
        `the tenant ${tenant.slug} ${tenant.status === 'SUSPENDED' ? 'is suspended' : 'is being deleted'}`,
      )
    : new AuthenticationError('no_tenant', 'the tenant of this token is unknown');
