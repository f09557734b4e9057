import { describe, expect, it } from 'vitest';
import { type ClaimPaths, readClaim, readClaims } from './claims.ts';

const paths: ClaimPaths = {
  tenant: 'tenant_id',
  roles: ['roles'],
  name: 'name',
  email: 'email',
  roleNames: new Map(),
};
const base = { iss: 'https://id.test', sub: 'u1', exp: 1_900_000_000, tenant_id: 'acme', roles: ['viewer'] };

describe('claims', () => {
  it('are found by name or by path, and never on a prototype', () => {
    const payload = { 'https://x/roles': ['A'], realm: { roles: ['B'] }, 'a.b': 1 };
    expect(readClaim(payload, 'https://x/roles')).toEqual(['A']);
    expect(readClaim(payload, 'realm.roles')).toEqual(['B']);
    expect(readClaim(payload, 'a.b')).toBe(1);
    expect(readClaim(payload, 'realm.missing.deeper')).toBeUndefined();
    expect(readClaim(payload, 'constructor.name')).toBeUndefined();
  });

  it('name tenants as a text, a list, or an object with a key for each', () => {
    const keycloak = { ...paths, tenant: 'organization' };
    const of = (organization: unknown) => readClaims({ ...base, organization }, keycloak).tenants;
    expect(of('acme')).toEqual(['acme']);
    expect(of(['acme', 7, 'bolt'])).toEqual(['acme', 'bolt']);
    expect(of({ acme: { id: '42' }, bolt: {} })).toEqual(['acme', 'bolt']);
    expect(of(undefined)).toEqual([]);
  });

  it('name roles at several paths, by our names or by those that are mapped', () => {
    const payload = { ...base, realm_access: { roles: ['fleet-admins', 'ADMIN'] }, groups: 'operator' };
    const several = { ...paths, roles: ['realm_access.roles', 'groups', 'missing'] };
    expect(readClaims(payload, several).roles).toEqual(['fleet-admins', 'ADMIN', 'operator']);
    const mapped = { ...several, roleNames: new Map([['fleet-admins', 'ENGINEER' as const]]) };
    expect(readClaims(payload, mapped).roles).toEqual(['ENGINEER']);
  });

  it('tell a program from a person, however the provider says it', () => {
    const of = (more: Record<string, unknown>) => {
      const { kind, subject } = readClaims({ ...base, ...more }, paths);
      return `${kind} ${subject}`;
    };
    expect(of({ client_id: 'console' })).toBe('PERSON u1');
    expect(of({ azp: 'console', preferred_username: 'ada' })).toBe('PERSON u1');
    expect(of({ sub: 'robot', client_id: 'robot' })).toBe('PROGRAM robot');
    const account = { azp: 'Robot', preferred_username: 'service-account-robot' };
    expect(of({ ...account, clientId: 'Robot' })).toBe('PROGRAM Robot');
    expect(of({ ...account, client_id: 'Robot' })).toBe('PROGRAM Robot');
    expect(of(account)).toBe('PERSON u1');
    expect(of({ sub: 'robot@clients', azp: 'robot', gty: 'client-credentials' })).toBe('PROGRAM robot');
  });

  it('limit a token to the permissions that its scopes name', () => {
    const of = (scope: unknown) => readClaims({ ...base, scope }, paths).scopes;
    expect(of('openid devices.read offline_access telemetry.read')).toEqual([
      'devices.read',
      'telemetry.read',
    ]);
    expect(of(['devices.read'])).toEqual(['devices.read']);
    expect(of('openid')).toEqual([]);
    expect(readClaims({ ...base, scp: ['audit.read'] }, paths).scopes).toEqual(['audit.read']);
  });

  it('name the session, else the token, and the person by what there is', () => {
    expect(readClaims({ ...base, sid: 's', jti: 'j' }, paths).sessionId).toBe('s');
    expect(readClaims({ ...base, jti: 'j' }, paths)).toMatchObject({
      sessionId: 'j',
      name: 'u1',
      email: null,
    });
    const known = { ...base, email: 'a@b.test', email_verified: false };
    expect(readClaims(known, paths)).toMatchObject({ name: 'a@b.test', emailVerified: false });
  });
});
