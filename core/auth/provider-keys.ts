import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { UnavailableError } from '../runtime/errors.ts';

export interface ProviderKeysOptions {
  readonly issuer: string;
  /** How old keys may get before they are fetched again, behind the back of whoever needs one. Default 600 000 ms. */
  readonly refreshMs?: number;
  /** How long keys stay good while the provider does not answer. Default 86 400 000 ms. */
  readonly staleMs?: number;
  /** Least pause between two fetches, whatever keys are asked for. Default 10 000 ms. */
  readonly cooldownMs?: number;
  /** Told of every attempt; must not throw. */
  readonly onFetch?: (outcome: 'ok' | 'failed') => void;
}

/** The keys by which a provider's signatures are known. */
export interface ProviderKeys {
  /**
   * The key that a token names. One that is not among those known is looked for once more at the provider, at most
   * every `cooldownMs`: a new key is found by its first token, and made-up names do not become requests.
   * @throws UnavailableError when it cannot be told, because the provider does not answer; JWKSNoMatchingKey when the
   * provider has no such key
   */
  readonly find: JWTVerifyGetKey;
  /** Fetches the keys now. Never rejects: whoever needs one later asks again. */
  prefetch(): Promise<void>;
  /** When the provider last gave its keys; undefined before. */
  fetchedAt(): number | undefined;
}

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 524_288;
/** Without any key everybody waits: the provider is asked again sooner. */
const MAX_FIRST_COOLDOWN_MS = 1_000;

interface Known {
  readonly keys: JWTVerifyGetKey;
  readonly fetchedAt: number;
}

/** Remembers the keys of one provider. Nothing is fetched before it is needed or `prefetch` is called. */
export function createProviderKeys(options: ProviderKeysOptions): ProviderKeys {
  const { refreshMs = 600_000, staleMs = 86_400_000, cooldownMs = 10_000 } = options;
  let known: Known | undefined;
  let attempt: Promise<void> | undefined;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let failure: UnavailableError | undefined;

  /** One fetch at a time, shared by everybody. Afterwards `known` or `failure` says what came of it. */
  const fetchNow = (): Promise<void> => {
    attempt ??= fetchKeys(options.issuer)
      .then(
        (keys) => {
          known = { keys, fetchedAt: Date.now() };
          failure = undefined;
          options.onFetch?.('ok');
        },
        (cause: unknown) => {
          failure = new UnavailableError('the identity provider', { cause });
          options.onFetch?.('failed');
        },
      )
      .finally(() => {
        attemptedAt = Date.now();
        attempt = undefined;
      });
    return attempt;
  };
  const mayFetch = (pauseMs: number): boolean => attempt !== undefined || Date.now() - attemptedAt >= pauseMs;
  const isGood = (at: Known | undefined): at is Known =>
    at !== undefined && Date.now() - at.fetchedAt < staleMs;

  return {
    async find(header, token) {
      if (!isGood(known) && mayFetch(Math.min(cooldownMs, MAX_FIRST_COOLDOWN_MS))) await fetchNow();
      if (!isGood(known)) throw failure ?? new UnavailableError('the identity provider');
      if (Date.now() - known.fetchedAt >= refreshMs && mayFetch(cooldownMs)) void fetchNow();
      try {
        return await known.keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        if (mayFetch(cooldownMs)) await fetchNow();
        // Without an answer it cannot be told whether the provider has made a new key.
        if (failure) throw failure;
        return await known.keys(header, token);
      }
    },
    prefetch: fetchNow,
    fetchedAt: () => known?.fetchedAt,
  };
}

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() });
const keySetSchema = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) });

/** By discovery each time, since the address of the keys may change too. */
async function fetchKeys(issuer: string): Promise<JWTVerifyGetKey> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const discovered = discoverySchema.parse(await fetchJson(url));
  if (discovered.issuer !== issuer) throw new Error(`${url} speaks for ${discovered.issuer}`);
  const keySet: JSONWebKeySet = keySetSchema.parse(await fetchJson(discovered.jwks_uri));
  return createLocalJWKSet(keySet);
}

async function fetchJson(url: string): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`${url} answered ${response.status}`);
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`${url} answered more than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString());
}
