import { createHash, randomBytes } from 'node:crypto';

export interface SignInRequest {
  readonly issuer: string;
  /** Default `fleetgraph-console`. */
  readonly clientId?: string;
  /** The console's origin; the code comes back to its `/callback`. */
  readonly consoleOrigin: string;
  readonly email: string;
  readonly password: string;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly idToken: string;
}

/**
 * Signs in to the embedded provider as a browser would (code with PKCE), for scripts and tests.
 * @throws Error when the provider refuses; `E-mail or password` is its word for a wrong one.
 */
export async function signIn(request: SignInRequest): Promise<Tokens> {
  const clientId = request.clientId ?? 'fleetgraph-console';
  const verifier = randomBytes(32).toString('base64url');
  const redirectUri = `${request.consoleOrigin}/callback`;
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile email offline_access',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const browser = createBrowser();
  let step = await browser(`${request.issuer}/auth?${query}`);
  const form = new URLSearchParams({ email: request.email, password: request.password });
  step = await browser(locationOf(step, request.issuer), { method: 'POST', body: form });
  if (step.status === 401) throw new Error('E-mail or password is wrong');
  step = await browser(locationOf(step, request.issuer));
  const code = new URL(locationOf(step, request.issuer)).searchParams.get('code');
  if (!code) throw new Error(`the provider sent no code: ${locationOf(step, request.issuer)}`);
  return exchange(request.issuer, {
    grant_type: 'authorization_code',
    code,
    client_id: clientId,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
}

/** New tokens for a refresh token, which is used up by it. */
export function refreshTokens(
  issuer: string,
  refreshToken: string,
  clientId = 'fleetgraph-console',
): Promise<Tokens> {
  return exchange(issuer, { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId });
}

async function exchange(issuer: string, form: Record<string, string>): Promise<Tokens> {
  const response = await fetch(`${issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });
  const body: unknown = await response.json();
  const field = (name: string) => {
    const value = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
    if (typeof value !== 'string')
      throw new Error(`no ${name} in the provider's answer: ${JSON.stringify(body)}`);
    return value;
  };
  return {
    accessToken: field('access_token'),
    refreshToken: field('refresh_token'),
    idToken: field('id_token'),
  };
}

/** Requests that keep cookies by name and follow nothing. */
function createBrowser(): (url: string, init?: RequestInit) => Promise<Response> {
  const cookies = new Map<string, string>();
  return async (url, init) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', ...value] = (line.split(';')[0] ?? '').split('=');
      cookies.set(name, value.join('='));
    }
    return response;
  };
}

function locationOf(response: Response, base: string): string {
  const location = response.headers.get('location');
  if (!location) throw new Error(`the provider answered ${response.status} without leading on`);
  return new URL(location, base).href;
}
