import type { JWTPayload } from 'jose';
import { PERMISSIONS, type Role } from './permissions.ts';

/** Where a provider says what. A path's dots descend into objects unless a claim has that very name. */
export interface ClaimPaths {
  /** The tenant's slug: a text, a list of them, or an object with a key for each (as Keycloak's `organization`). */
  readonly tenant: string;
  /** A role's name or a list of them; several paths add up. */
  readonly roles: readonly string[];
  readonly name: string;
  readonly email: string;
  /** Our role for each of the provider's names. Where it has any, other names mean nothing. */
  readonly roleNames: ReadonlyMap<string, Role>;
  /** What makes somebody an operator of the platform: the provider's name of a role at one of these paths. */
  readonly operator?: { readonly paths: readonly string[]; readonly role: string } | undefined;
}

/** What we take from an access token whose signature, issuer, audience and times are right. */
export interface TokenClaims {
  readonly issuer: string;
  /** A person, or a program with a token of its own (client credentials). */
  readonly kind: 'PERSON' | 'PROGRAM';
  /** The person's subject, or the program's client id. */
  readonly subject: string;
  /** Slugs, in the order of the claim. */
  readonly tenants: readonly string[];
  /** Names of roles as `highestRole` takes them. */
  readonly roles: readonly string[];
  /** Operates the platform, beside whatever the roles say. */
  readonly operator: boolean;
  /** Our permissions among the token's scopes; empty: it is not limited to any. */
  readonly scopes: readonly string[];
  readonly name: string;
  readonly email: string | null;
  /** False only where the provider says that the address is not verified. */
  readonly emailVerified: boolean;
  /** Names the session the token belongs to, or else the token; undefined when it does not say. */
  readonly sessionId: string | undefined;
  readonly expiresAt: Date;
}

/** Reads a verified token's payload, which has `iss`, `sub` and `exp`. */
export function readClaims(payload: JWTPayload, paths: ClaimPaths): TokenClaims {
  const clientId = readText(payload['client_id']) ?? readText(payload['azp']);
  const subject = payload.sub ?? '';
  const isProgram = clientId !== undefined && isClientToken(payload, clientId);
  const email = readText(readClaim(payload, paths.email)) ?? null;
  const ownName = readText(readClaim(payload, paths.name));
  return {
    issuer: payload.iss ?? '',
    kind: isProgram ? 'PROGRAM' : 'PERSON',
    subject: isProgram ? clientId : subject,
    tenants: readNames(readClaim(payload, paths.tenant)),
    roles: readRoles(payload, paths),
    operator:
      paths.operator !== undefined && namesAt(payload, paths.operator.paths).includes(paths.operator.role),
    scopes: readScopes(payload),
    name: (isProgram ? (ownName ?? clientId) : (ownName ?? email ?? subject)).slice(0, 200),
    email,
    emailVerified: payload['email_verified'] !== false,
    sessionId: readText(payload['sid']) ?? payload.jti,
    expiresAt: new Date((payload.exp ?? 0) * 1000),
  };
}

/**
 * Whether a token speaks for the client itself: its subject is the client (RFC 9068), it says so (`gty`), or it is of the
 * client's own account at Keycloak, which names the client beside its own name: a person may be called anything.
 */
function isClientToken(payload: JWTPayload, clientId: string): boolean {
  return (
    payload.sub === clientId ||
    payload['gty'] === 'client-credentials' ||
    (payload['preferred_username'] === `service-account-${clientId.toLowerCase()}` &&
      [payload['client_id'], payload['clientId']].includes(clientId))
  );
}

function readRoles(payload: JWTPayload, { roles, roleNames }: ClaimPaths): string[] {
  const names = namesAt(payload, roles);
  if (roleNames.size === 0) return names;
  return names.flatMap((name) => roleNames.get(name) ?? []);
}

const namesAt = (payload: JWTPayload, paths: readonly string[]): string[] =>
  paths.flatMap((path) => readNames(readClaim(payload, path)));

/** `scope` is a text with blanks (RFC 8693), `scp` a list of the same at some providers. */
function readScopes(payload: JWTPayload): string[] {
  const given = [payload['scope'], payload['scp']].flatMap(readNames).flatMap((text) => text.split(' '));
  return PERMISSIONS.filter((permission) => given.includes(permission));
}

/** A text, the texts of a list, or the keys of an object. */
function readNames(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.filter((name): name is string => typeof name === 'string');
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

const readText = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

/** The value at a claim path, or undefined. */
export function readClaim(payload: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(payload, path)) return payload[path];
  let value: unknown = payload;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = new Map<string, unknown>(Object.entries(value)).get(step);
  }
  return value;
}
