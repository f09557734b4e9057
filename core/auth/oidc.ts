import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import { UnavailableError } from '../runtime/errors.ts';
import { AuthenticationError } from './authentication-error.ts';

/** Asymmetric only: a shared-secret algorithm would let anyone who knows the public key sign. */
const ALGORITHMS = ['ES256', 'ES384', 'RS256', 'RS384', 'PS256', 'EdDSA'];
const CLOCK_TOLERANCE_SECONDS = 5;
const DISCOVERY_TIMEOUT_MS = 5_000;

export interface OidcOptions {
  readonly issuer: string;
  readonly audience: string;
  /** Where the tenant's slug is; a dot descends into an object unless a claim has that very name. */
  readonly tenantClaim: string;
  /** Where the list (or the single name) of roles is; written like `tenantClaim`. */
  readonly rolesClaim: string;
  /** What makes somebody an operator of the platform: a role, and the claim it is in, written like `tenantClaim`. */
  readonly operator?: { readonly claim: string; readonly role: string } | undefined;
}

/** What we take from an access token whose signature, issuer, audience and times are right. */
export interface TokenClaims {
  readonly subject: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  /** Operates the platform, beside whatever the roles say. */
  readonly operator: boolean;
  readonly name: string;
  readonly email: string | null;
  readonly expiresAt: Date;
}

export type VerifyToken = (token: string) => Promise<TokenClaims>;

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() });

/**
 * Verifies access tokens of one OpenID provider. Discovery and keys are fetched at the first token and kept, so the
 * provider may be down when we start.
 * @throws AuthenticationError when the token is not good; UnavailableError when the provider does not answer.
 */
export function createTokenVerifier(options: OidcOptions): VerifyToken {
  let keys: Promise<JWTVerifyGetKey> | undefined;
  const findKeys = () => {
    keys ??= discoverKeys(options.issuer).catch((error: unknown) => {
      keys = undefined;
      throw error;
    });
    return keys;
  };
  return async (token) => {
    const getKey = await findKeys();
    const payload = await verify(token, getKey, options);
    return readClaims(payload, options);
  };
}

async function discoverKeys(issuer: string): Promise<JWTVerifyGetKey> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    const discovered = discoverySchema.parse(await response.json());
    if (discovered.issuer !== issuer) throw new Error(`${url} speaks for ${discovered.issuer}`);
    return createRemoteJWKSet(new URL(discovered.jwks_uri), { timeoutDuration: DISCOVERY_TIMEOUT_MS });
  } catch (cause) {
    throw new UnavailableError('the identity provider', { cause });
  }
}

async function verify(token: string, getKey: JWTVerifyGetKey, options: OidcOptions): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, getKey, {
      issuer: options.issuer,
      audience: options.audience,
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['exp', 'sub'],
    });
    return payload;
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) throw new AuthenticationError('the token has expired');
    if (
      cause instanceof errors.JWKSTimeout ||
      !(cause instanceof errors.JOSEError) ||
      cause.code === 'ERR_JOSE_GENERIC'
    ) {
      throw new UnavailableError('the identity provider', { cause });
    }
    throw new AuthenticationError('the token is not valid here', 'UNAUTHENTICATED', { cause });
  }
}

function readClaims(payload: JWTPayload, options: OidcOptions): TokenClaims {
  const tenant = readClaim(payload, options.tenantClaim);
  if (typeof tenant !== 'string') throw new AuthenticationError('the token names no tenant', 'FORBIDDEN');
  const { operator } = options;
  const email = payload['email'];
  const name = payload['name'];
  const subject = payload.sub ?? '';
  return {
    subject,
    tenant,
    roles: readNames(payload, options.rolesClaim),
    operator: operator !== undefined && readNames(payload, operator.claim).includes(operator.role),
    name: typeof name === 'string' ? name : typeof email === 'string' ? email : subject,
    email: typeof email === 'string' ? email : null,
    expiresAt: new Date((payload.exp ?? 0) * 1000),
  };
}

/** The list of names, or the single one, at a claim path. */
function readNames(payload: JWTPayload, path: string): string[] {
  const names = readClaim(payload, path);
  return (Array.isArray(names) ? names : [names]).filter((name): name is string => typeof name === 'string');
}

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
