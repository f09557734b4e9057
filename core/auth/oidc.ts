import { errors, type JWTPayload, jwtVerify } from 'jose';
import { UnavailableError } from '../runtime/errors.ts';
import { AuthenticationError } from './authentication-error.ts';
import { type ClaimPaths, readClaims, type TokenClaims } from './claims.ts';
import type { ProviderKeys } from './provider-keys.ts';

/** Asymmetric only: a shared-secret algorithm would let anyone who knows the public key sign. */
const ALGORITHMS = ['ES256', 'ES384', 'RS256', 'RS384', 'RS512', 'PS256', 'EdDSA'];
const CLOCK_TOLERANCE_SECONDS = 5;

export interface OidcOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly claims: ClaimPaths;
  readonly keys: Pick<ProviderKeys, 'find'>;
}

export type VerifyToken = (token: string) => Promise<TokenClaims>;

/**
 * Verifies access tokens of one OpenID provider. What it says holds no NUL, which PostgreSQL takes in no text.
 * @throws AuthenticationError when the token is not good; UnavailableError when the provider does not answer.
 */
export function createTokenVerifier(options: OidcOptions): VerifyToken {
  return async (token) => {
    const claims = readClaims(await verify(token, options), options.claims);
    const { issuer, subject, tenants, name, email, sessionId } = claims;
    if ([issuer, subject, ...tenants, name, email, sessionId].some((claim) => claim?.includes('\0')))
      throw new AuthenticationError(
        'malformed',
        'a claim of the token holds NUL, which no name of ours does',
      );
    return claims;
  };
}

async function verify(token: string, options: OidcOptions): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, options.keys.find, {
      issuer: options.issuer,
      audience: options.audience,
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['exp', 'sub'],
    });
    return payload;
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) throw new AuthenticationError('expired', 'the token has expired');
    if (cause instanceof UnavailableError) throw cause;
    throw new AuthenticationError('invalid', 'the token is not valid here', { cause });
  }
}
