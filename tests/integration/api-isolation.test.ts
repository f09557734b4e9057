import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '#api/graphql/global-ids.ts';
import { ROLES } from '#core/auth/permissions.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedQuarantine } from '../kit/quarantine.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '../kit/seed.ts';

/** What `isolation.test.ts` does not ask of every field alike: names that two tenants share, and people between them. */
describe('tenant isolation', () => {
  let api: TestApi;
  let a: TenantSeed;
  let b: TenantSeed;
  let secret: SeededDevice;
  let keyB: string;
  /** Of an invitation that A made. */
  let invitationToken: string;
  let adminA: string;
  let adminB: string;

  beforeAll(async () => {
    api = await openTestApi();
    a = await seedTenant(api.database.admin, 'alpha');
    b = await seedTenant(api.database.admin, 'bravo');
    await a.site('secret-site');
    secret = await a.device('secret', { site: 'secret-site' });
    await b.device('own');
    keyB = await api.apiKey(b);
    adminA = await api.issuer.token({ tenant: 'alpha', subject: 'boss-a' });
    adminB = await api.issuer.token({ tenant: 'bravo', subject: 'boss-b' });
    for (const admin of [adminA, adminB]) await api.ask(admin, '{ viewer { name } }');
    const invited = await api.ask(
      adminA,
      `mutation { memberInvite(input: { email: "secret@example.com", role: ADMIN }) {
        ... on MemberInviteSuccess { token } } }`,
    );
    invitationToken = invited.data.memberInvite.token;
  });
  afterAll(() => api[Symbol.asyncDispose]());

  it('gives null for ids that are none', async () => {
    const nonsense = [
      '',
      'x',
      encodeGlobalId('Device', '0'),
      encodeGlobalId('Device', '99999999999'),
      encodeGlobalId('Device', '1 or 1=1'),
      encodeGlobalId('Viewer', '1'),
      encodeGlobalId('PageInfo', '1'),
    ];
    const { data, errors } = await api.ask(keyB, 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
      ids: nonsense,
    });
    expect(errors).toEqual([]);
    expect(data.nodes).toEqual(nonsense.map(() => null));
  });

  it('shows B no device of A through a claim code of its own, nor a site through a device', async () => {
    const { data } = await api.ask(
      keyB,
      `mutation {
        claimCodeCreate(input: { deviceKey: "secret" }) { ... on ClaimCodeCreateSuccess { claimCode { device { id } } } }
        deviceCreate(input: { key: "x", siteKey: "secret-site" }) { __typename }
        provisioningTokenCreate(input: { name: "x", siteKey: "secret-site" }) { __typename } }`,
    );
    expect(data).toEqual({
      claimCodeCreate: { claimCode: { device: null } },
      deviceCreate: { __typename: 'NotFoundError' },
      provisioningTokenCreate: { __typename: 'NotFoundError' },
    });
    const list = await api.ask(
      keyB,
      '{ claimCodes { totalCount nodes { device { id } } } devices { nodes { claimCodes { id } } } }',
    );
    expect(list.data.claimCodes).toEqual({ totalCount: 1, nodes: [{ device: null }] });
    expect(list.data.devices.nodes).toEqual([{ claimCodes: [] }]);
  });

  it('lets B change nothing of A’s quarantine by a filter', async () => {
    await seedQuarantine(api.database.admin, a, 'secret');
    for (const where of [{}, { deviceKey: 'secret' }, { reasons: ['BAD_JSON'] }]) {
      const changed = await api.ask(
        keyB,
        `mutation ($where: QuarantineTargetFilter) { quarantineDiscard(input: { target: { where: $where } }) { __typename }
          quarantineReplay(input: { target: { where: $where }, dryRun: true }) { ... on QuarantineReplaySuccess { matched forecasts { detail } } } }`,
        { where },
      );
      expect(changed.data).toEqual({
        quarantineDiscard: { __typename: 'ConflictError' },
        quarantineReplay: { matched: 0, forecasts: [] },
      });
    }
  });

  it('gives the API keys that B makes to B', async () => {
    const made = await api.ask(
      keyB,
      'mutation { apiKeyCreate(input: { name: "of B", role: VIEWER }) { ... on ApiKeyCreateSuccess { token } } }',
    );
    const seen = await api.ask(made.data.apiKeyCreate.token, '{ viewer { tenant { slug } } }');
    expect(seen.data.viewer.tenant.slug).toBe('bravo');
  });

  it('lets no person of a tenant operate the platform, whatever the role', async () => {
    const reason = 'I would like to look around';
    for (const role of ROLES) {
      const person = await api.issuer.token({ tenant: 'bravo', roles: [role] });
      const { data, errors } = await api.ask(
        person,
        'query ($reason: String!) { operator(reason: $reason) { tenant(slug: "alpha") { slug } } }',
        { reason },
      );
      expect({ data, code: errors[0]?.extensions?.['code'] }).toEqual({ data: null, code: 'FORBIDDEN' });
      const changes = await api.ask(
        person,
        'mutation ($input: TenantSuspendInput!) { tenantSuspend(input: $input) { __typename } }',
        { input: { slug: 'alpha', reason } },
      );
      expect(changes.data.tenantSuspend.__typename).toBe('ForbiddenError');
    }
    const { rows } = await api.database.admin.query('select slug, status from tenants order by slug');
    expect(rows).toEqual([
      { slug: 'alpha', status: 'ACTIVE' },
      { slug: 'bravo', status: 'ACTIVE' },
    ]);
  });

  it('lets nobody of B into A, by header or by an invitation for somebody else', async () => {
    for (const credential of [keyB, adminB])
      expect(
        (await api.ask(credential, '{ viewer { name } }', {}, { 'x-fleetgraph-tenant': 'alpha' })).status,
      ).toBe(403);
    const { data: person } = await api.ask(adminB, '{ viewer { memberships { tenantSlug } } }');
    expect(person.viewer.memberships).toEqual([{ tenantSlug: 'bravo' }]);
    const accept = (credential: string) =>
      api.ask(
        credential,
        'mutation ($token: String!) { invitationAccept(input: { token: $token }) { __typename ... on InvitationError { reason } } }',
        { token: invitationToken },
      );
    expect((await accept(adminB)).data.invitationAccept).toEqual({
      __typename: 'InvitationError',
      reason: 'OTHER_ADDRESS',
    });
    expect((await accept(keyB)).data.invitationAccept.__typename).toBe('ValidationError');
    const guess = await api.ask(keyB, '{ invitationOffer(token: "fgi_guess") { tenantName } }');
    expect(guess.data.invitationOffer).toBeNull();
  });

  it('keeps apart the invitations of two tenants for one address', async () => {
    await api.ask(
      adminB,
      'mutation { memberInvite(input: { email: "secret@example.com", role: VIEWER }) { __typename } }',
    );
    const { data } = await api.ask(adminA, '{ invitations { nodes { role } } members { totalCount } }');
    expect(data).toEqual({ invitations: { nodes: [{ role: 'ADMIN' }] }, members: { totalCount: 1 } });
  });

  it('lets two tenants use the same key for different devices', async () => {
    const { data } = await api.ask(
      keyB,
      'mutation { deviceCreate(input: { key: "secret" }) { ... on DeviceCreateSuccess { device { id key site { id } } } } }',
    );
    expect(data.deviceCreate.device.id).not.toBe(encodeGlobalId('Device', secret.id));
    expect(data.deviceCreate.device.site).toBeNull();
  });
});
