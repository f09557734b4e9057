import { describe, expect, it } from 'vitest';
import { createApiKey, readApiKey } from './api-keys.ts';
import { AuthenticationError } from './authentication-error.ts';
import type { TokenClaims } from './claims.ts';
import type { MembershipRecord, TenantRecord } from './membership.ts';
import { permissionsOf, ROLES } from './permissions.ts';
import {
  type ApiKeyRecord,
  type AuthenticatorOptions,
  createAuthenticator,
  StrangerError,
} from './viewer.ts';

const serverKey = Buffer.alloc(32, 3);
const acme: TenantRecord = { id: 7, slug: 'acme', status: 'ACTIVE' };
const claims: TokenClaims = {
  issuer: 'https://id.test',
  kind: 'PERSON',
  subject: 'u1',
  tenants: ['acme'],
  roles: ['operator'],
  operator: false,
  scopes: [],
  name: 'Ada',
  email: null,
  emailVerified: true,
  sessionId: 's1',
  expiresAt: new Date(Date.now() + 60_000),
};

const NEW_MEMBER = 99;

function authenticator(overrides: Partial<AuthenticatorOptions> = {}) {
  const { authenticate, forget } = createAuthenticator({
    verifyToken: async () => claims,
    findTenant: async (slug) => (slug === 'acme' ? acme : undefined),
    findApiKey: async () => undefined,
    findMemberships: async () => [],
    recordMember: async (_person, _tenant, { membership }) => membership?.memberId ?? NEW_MEMBER,
    apiKeyKey: serverKey,
    ...overrides,
  });
  return {
    forget,
    authenticate: (authorization: string | undefined, tenant?: string) =>
      authenticate({ authorization, tenant }),
  };
}

const member = (changes: Partial<MembershipRecord> = {}): MembershipRecord => ({
  memberId: 5,
  tenant: acme,
  tenantName: 'Acme',
  role: 'OPERATOR',
  origin: 'PROVIDER',
  roleSource: 'PROVIDER',
  removed: false,
  ...changes,
});

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
      scopes: [],
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
          scopes: [],
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

  it('lets an API key do of its role what its scopes name, and nothing beyond', async () => {
    const key = createApiKey(serverKey);
    const scoped = (scopes: readonly string[]) =>
      authenticator({
        findApiKey: async () => ({
          ...{
            id: 1,
            tenant: acme,
            secretHash: key.hash,
            previous: null,
            name: 'ci',
            role: 'VIEWER',
            scopes,
          },
          ...{ expiresAt: null, revokedAt: null },
        }),
      }).authenticate(`Bearer ${key.token}`);
    expect([...(await scoped(['telemetry.read', 'devices.write', 'gone'])).permissions]).toEqual([
      'telemetry.read',
    ]);
    expect((await scoped(['gone'])).permissions.size).toBe(0);
    expect((await scoped([])).permissions).toEqual(permissionsOf('VIEWER'));
  });

  it('knows a program with a token of its own from a person, and limits both to the scopes of their token', async () => {
    const program: TokenClaims = { ...claims, kind: 'PROGRAM', subject: 'robot', scopes: ['devices.read'] };
    const viewer = await authenticator({ verifyToken: async () => program }).authenticate('Bearer abc');
    expect(viewer).toMatchObject({ kind: 'CLIENT', credentialId: 'client:robot', rowId: null, person: null });
    expect([...viewer.permissions]).toEqual(['devices.read']);
    const limited = { ...claims, scopes: ['telemetry.read', 'audit.read'] };
    const person = await authenticator({ verifyToken: async () => limited }).authenticate('Bearer abc');
    expect([...person.permissions]).toEqual(['telemetry.read']);
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
          scopes: [],
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

describe('the members of a tenant', () => {
  const ask = (records: readonly MembershipRecord[], token: Partial<TokenClaims> = {}, tenant?: string) => {
    const recorded: string[] = [];
    const asked = authenticator({
      verifyToken: async () => ({ ...claims, ...token }),
      findMemberships: async () => records,
      async recordMember(_person, { slug }, { role, membership }) {
        recorded.push(`${membership ? 'role' : 'join'} ${slug} ${role}`);
        return membership?.memberId ?? NEW_MEMBER;
      },
    }).authenticate('Bearer abc', tenant);
    return asked.then(
      ({ tenantSlug, role, rowId }) => ({ tenantSlug, role, rowId, recorded }),
      (error: unknown) => (error instanceof StrangerError ? error.reason : error),
    );
  };
  const nobody = { tenants: [], roles: [] };
  const other = member({
    memberId: 6,
    tenant: { id: 8, slug: 'other', status: 'ACTIVE' },
    origin: 'INVITATION',
  });

  it('are joined by whom the claims name, in the role that the claims give', async () => {
    expect(await ask([])).toEqual({
      ...{ tenantSlug: 'acme', role: 'OPERATOR', rowId: NEW_MEMBER, recorded: ['join acme OPERATOR'] },
    });
    expect(await ask([member()])).toMatchObject({ role: 'OPERATOR', rowId: 5, recorded: [] });
    expect(await ask([member({ role: 'ADMIN' })])).toMatchObject({
      ...{ role: 'OPERATOR', rowId: 5, recorded: ['role acme OPERATOR'] },
    });
    expect(await ask([], nobody)).toBe('no_tenant');
    expect(await ask([], { roles: ['janitor'] })).toBe('no_role');
    expect(await ask([member()], nobody)).toBe('not_a_member');
  });

  it('have the role that an admin gave them, whatever the claims say', async () => {
    const set = member({ role: 'VIEWER', roleSource: 'TENANT' });
    expect(await ask([set], { roles: ['ADMIN'] })).toMatchObject({ role: 'VIEWER', recorded: [] });
    expect(await ask([set], { roles: [] })).toMatchObject({ role: 'VIEWER' });
    expect(await ask([set], nobody)).toBe('not_a_member');
  });

  it('need no claim when they were invited, and no claim helps them once they were removed', async () => {
    const invited = member({ origin: 'INVITATION', roleSource: 'TENANT', role: 'ADMIN' });
    expect(await ask([invited], nobody)).toMatchObject({ tenantSlug: 'acme', role: 'ADMIN', recorded: [] });
    expect(await ask([{ ...invited, removed: true }], nobody)).toBe('removed');
    expect(await ask([member({ removed: true })], { roles: ['ADMIN'] })).toBe('removed');
  });

  it('of several tenants come into the one they choose, else the first that takes them', async () => {
    expect(await ask([member(), other])).toMatchObject({ tenantSlug: 'acme' });
    expect(await ask([member(), other], {}, 'other')).toMatchObject({ tenantSlug: 'other', rowId: 6 });
    expect(await ask([member(), other], {}, 'third')).toBe('not_a_member');
    expect(await ask([member({ removed: true }), other])).toMatchObject({ tenantSlug: 'other' });
    const suspended = member({ tenant: { ...acme, status: 'SUSPENDED' } });
    expect(await ask([suspended, other])).toMatchObject({ tenantSlug: 'other' });
    expect(await ask([suspended])).toBe('suspended');
  });
});

describe('API keys', () => {
  it('read back as prefix and secret', () => {
    const key = createApiKey(serverKey);
    expect(readApiKey(key.token)?.prefix).toBe(key.prefix);
    expect(readApiKey(`${key.token}x`)).toBeUndefined();
  });
});
