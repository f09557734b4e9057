import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';

describe('devices over GraphQL', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let key: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    await acme.site('north');
    key = await api.apiKey(acme);
  });
  afterAll(() => api[Symbol.asyncDispose]());

  it('tells who asks', async () => {
    const { data, extensions } = await api.ask(
      key,
      '{ viewer { id kind name role permissions tenant { slug retentionDays } } }',
    );
    expect(data.viewer).toMatchObject({
      kind: 'API_KEY',
      role: 'ADMIN',
      tenant: { slug: 'acme', retentionDays: 400 },
    });
    expect(data.viewer.permissions).toContain('devices.write');
    expect(extensions?.['cost']).toMatchObject({ requested: expect.any(Number) });
  });

  it('accepts a token of the identity provider, with its role', async () => {
    const token = await api.issuer.token({ tenant: 'acme', roles: ['viewer'] });
    const { data } = await api.ask(token, '{ viewer { kind role email } }');
    expect(data.viewer).toEqual({ kind: 'USER', role: 'VIEWER', email: 'somebody@example.com' });
  });

  it('creates a device and shows its token once', async () => {
    const { data, errors } = await api.ask(
      key,
      `mutation ($input: DeviceCreateInput!) { deviceCreate(input: $input) { __typename
        ... on DeviceCreateSuccess { device { id key name site { key } tags attributes location { latitude } credentials { hint kind }
          presence { connection freshness credential } latest { metric } version } token { username secret credential { hint } } }
        ... on UserError { code message path } ... on ValidationError { issues { path message } } } }`,
      {
        input: {
          key: 'pump-1',
          siteKey: 'north',
          tags: ['a', 'a', 'b'],
          attributes: { floor: 3 },
          location: { latitude: 1.5, longitude: 2 },
        },
      },
    );
    expect(errors).toEqual([]);
    const { device, token } = data.deviceCreate;
    expect(device).toMatchObject({
      key: 'pump-1',
      name: 'pump-1',
      site: { key: 'north' },
      tags: ['a', 'b'],
      attributes: { floor: 3 },
      location: { latitude: 1.5 },
      presence: { connection: 'UNKNOWN', freshness: 'SILENT', credential: 'ACTIVE' },
      latest: [],
      version: 1,
    });
    expect(token.username).toBe('acme/pump-1');
    expect(token.secret).toHaveLength(43);
    expect(device.credentials).toEqual([{ hint: token.secret.slice(-4), kind: 'TOKEN' }]);
  });
});
