import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { closeServer, portOf } from '#core/runtime/health.ts';

export interface TokenOptions {
  /** Absent: the token names no tenant, and no roles either. */
  readonly tenant?: string;
  readonly roles?: readonly string[];
  readonly subject?: string;
  readonly expiresInSeconds?: number;
  readonly audience?: string;
  /** Over ours. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** An OpenID provider that signs whatever a test wants to present. */
export interface TestIssuer extends AsyncDisposable {
  readonly url: string;
  token(options: TokenOptions): Promise<string>;
}

export async function openTestIssuer(): Promise<TestIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'ES256', use: 'sig' };
  const server = createServer((request, response) => {
    const body = request.url?.startsWith('/.well-known/')
      ? { issuer: url, jwks_uri: `${url}/jwks` }
      : { keys: [jwk] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${portOf(server)}`;
  return {
    url,
    token: ({
      tenant,
      roles = ['ADMIN'],
      subject = 'somebody',
      expiresInSeconds = 600,
      audience = 'urn:fleetgraph:api',
      claims = {},
    }) =>
      new SignJWT({
        ...(tenant !== undefined && { tenant_id: tenant, roles }),
        name: subject,
        email: `${subject}@example.com`,
        sid: `session of ${subject}`,
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', kid: 'test' })
        .setIssuer(url)
        .setAudience(audience)
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + expiresInSeconds)
        .sign(privateKey),
    [Symbol.asyncDispose]: () => closeServer(server),
  };
}
