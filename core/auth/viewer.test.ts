import { describe, expect, it } from 'vitest';
import { createApiKey, readApiKey } from './api-keys.ts';
import { AuthenticationError } from './authentication-error.ts';
import { readClaim, type TokenClaims } from './oidc.ts';
import { ROLES } from './permissions.ts';
import {
  type ApiKeyRecord,
  type AuthenticatorOptions,
  createAuthenticator,
  type TenantRecord,
} from './viewer.ts';

const serverKey = Buffer.alloc(32, 3);
const acme: TenantRecord = { id: 7, slug: 'acme', status: 'ACTIVE' };
const claims: TokenClaims = {
  subject: 'u1',
  tenant: 'acme',
  roles: ['operator'],
  operator: false,
  name: 'Ada',
  email: null,
  expiresAt: new Date(Date.now() + 60_000),
};

function authenticator(overrides: Partial<AuthenticatorOptions> = {}) {
  return createAuthenticator({
    verifyToken: async () => claims,
    findTenant: async (slug) => (slug === 'acme' ? acme : undefined),
    findApiKey: async () => undefined,
    apiKeyKey: serverKey,
    ...overrides,
  });
}

describe('authenticate', () => {
  it('turns a token into a viewer of its tenant and role', async () => {
    const viewer = await authenticator().authenticate('Bearer abc');
    expect(viewer).toMatchObject({ kind: 'USER', tenantId: 7, role: 'OPERATOR', credentialId: 'user:u1' });
  });

  it.each([undefined, '', 'Basic abc', 'Bearer', 'Bearer a b', `Bearer ${'x'.repeat(9_000)}`])(
    'refuses %s',
    async (header) => {
      await expect(authenticator().authenticate(header)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    },
  );

  it('refuses an unknown tenant, a suspended one, and a token without a role', async () => {
    const cases: [string, Partial<AuthenticatorOptions>][] = [
      ['FORBIDDEN', { findTenant: async () => undefined }],
      ['TENANT_SUSPENDED', { findTenant: async () => ({ ...acme, status: 'SUSPENDED' }) }],
      ['TENANT_SUSPENDED', { findTenant: async () => ({ ...acme, status: 'DELETING' }) }],
      ['FORBIDDEN', { verifyToken: async () => ({ ...claims, roles: ['janitor'] }) }],
    ];
    for (const [code, overrides] of cases) {
      await expect(authenticator(overrides).authenticate('Bearer abc')).rejects.toMatchObject({
        code,
      });
    }
  });

  it('lets operators of the platform operate, and nobody else', async () => {
    const operator = authenticator({ verifyToken: async () => ({ ...claims, operator: true }) });
    expect((await operator.authenticate('Bearer abc')).permissions).toContain('platform.operate');
    for (const role of ROLES) {
      const other = authenticator({ verifyToken: async () => ({ ...claims, roles: [role] }) });
      expect((await other.authenticate('Bearer abc')).permissions).not.toContain('platform.operate');
    }
  });

  it('accepts an API key by its secret only, while it is neither revoked nor expired', async () => {
    const key = createApiKey(serverKey);
    const record: ApiKeyRecord = {
      id: 1,
      tenant: acme,
      secretHash: key.hash,
      previous: null,
      name: 'ci',
      role: 'ENGINEER',
      expiresAt: null,
      revokedAt: null,
    };
    const find = (changes: Partial<ApiKeyRecord>) =>
      authenticator({ findApiKey: async () => ({ ...record, ...changes }) });
    expect(await find({}).authenticate(`Bearer ${key.token}`)).toMatchObject({
      kind: 'API_KEY',
      role: 'ENGINEER',
      name: 'ci',
    });
    const other = `fgk_${key.prefix}_${createApiKey(serverKey).token.slice(17)}`;
    await expect(find({}).authenticate(`Bearer ${other}`)).rejects.toThrow(AuthenticationError);
    await expect(find({ revokedAt: new Date() }).authenticate(`Bearer ${key.token}`)).rejects.toThrow(
      'revoked',
    );
    await expect(find({ expiresAt: new Date(1) }).authenticate(`Bearer ${key.token}`)).rejects.toThrow(
      'expired',
    );
    await expect(find({}).authenticate('Bearer fgk_nonsense')).rejects.toThrow(AuthenticationError);
  });

  it('accepts the secret before a rotation until its overlap or the key ends', async () => {
    const before = createApiKey(serverKey);
    const now = createApiKey(serverKey, before.prefix);
    const until = new Date(Date.now() + 60_000);
    const sooner = new Date(Date.now() + 30_000);
    const rotated = (previousEnd: Date, expiresAt: Date | null) =>
      authenticator({
        findApiKey: async () => ({
          id: 1,
          tenant: acme,
          secretHash: now.hash,
          previous: { secretHash: before.hash, expiresAt: previousEnd },
          name: 'ci',
          role: 'VIEWER',
          expiresAt,
          revokedAt: null,
        }),
      });
    const [old, fresh] = [`Bearer ${before.token}`, `Bearer ${now.token}`];
    expect(await rotated(until, null).authenticate(fresh)).toMatchObject({ expiresAt: null });
    expect(await rotated(until, null).authenticate(old)).toMatchObject({ expiresAt: until });
    expect(await rotated(until, sooner).authenticate(old)).toMatchObject({ expiresAt: sooner });
    await expect(rotated(new Date(1), null).authenticate(old)).rejects.toThrow('expired');
  });

  it('checks again what was being checked when it was told to forget', async () => {
    const key = createApiKey(serverKey);
    let asked = 0;
    const auth = authenticator({
      async findApiKey() {
        asked += 1;
        if (asked === 1) auth.forget();
        return {
          id: 1,
          tenant: acme,
          secretHash: key.hash,
          previous: null,
          name: 'ci',
          role: 'VIEWER',
          expiresAt: null,
          revokedAt: asked === 1 ? null : new Date(),
        };
      },
    });
    await expect(auth.authenticate(`Bearer ${key.token}`)).rejects.toThrow('revoked');
    expect(asked).toBe(2);
  });

  it('remembers an answer for a while, but not past the end of the credential or a change', async () => {
    let asked = 0;
    let expiresAt = new Date(Date.now() + 60_000);
    const auth = authenticator({
      verifyToken: async () => {
        asked += 1;
        return { ...claims, expiresAt };
      },
    });
    await auth.authenticate('Bearer abc');
    await auth.authenticate('Bearer abc');
    expect(asked).toBe(1);
    auth.forget();
    expiresAt = new Date(Date.now() - 1);
    await auth.authenticate('Bearer abc');
    await auth.authenticate('Bearer abc');
    expect(asked).toBe(3);
  });
});

describe('API keys', () => {
  it('read back as prefix and secret', () => {
    const key = createApiKey(serverKey);
    expect(readApiKey(key.token)?.prefix).toBe(key.prefix);
    expect(readApiKey(`${key.token}x`)).toBeUndefined();
  });
});

describe('claims', () => {
  it('are found by name or by path, and never on a prototype', () => {
    const payload = { 'https://x/roles': ['A'], realm: { roles: ['B'] }, 'a.b': 1 };
    expect(readClaim(payload, 'https://x/roles')).toEqual(['A']);
    expect(readClaim(payload, 'realm.roles')).toEqual(['B']);
    expect(readClaim(payload, 'a.b')).toBe(1);
    expect(readClaim(payload, 'realm.missing.deeper')).toBeUndefined();
    expect(readClaim(payload, 'constructor.name')).toBeUndefined();
  });
});
