import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, publishEvents, type TestApi } from '../kit/api.ts';
import { createLiveTester, idsOf, nextReading } from '../kit/live.ts';
import { startProcesses, type TestProcesses } from '../kit/processes.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';
import { promptly, until } from '../kit/wait.ts';

const FAULTS = '... on UserError { code message path } ... on ForbiddenError { permission }';
const INVITE = `mutation ($input: MemberInviteInput!) { memberInvite(input: $input) { __typename
  ... on MemberInviteSuccess { token link invitation { id email role expiresAt acceptedAt } } ${FAULTS} } }`;
const ACCEPT = `mutation ($input: InvitationAcceptInput!) { invitationAccept(input: $input) { __typename
  ... on InvitationAcceptSuccess { tenantSlug tenantName role } ... on InvitationError { reason } ${FAULTS} } }`;
const TAKE_BACK = `mutation ($input: InvitationRevokeInput!) { invitationRevoke(input: $input) { __typename
  ... on InvitationRevokeSuccess { invitation { revokedAt } } ${FAULTS} } }`;
const UPDATE = `mutation ($input: MemberUpdateInput!) { memberUpdate(input: $input) { __typename
  ... on MemberUpdateSuccess { member { id role roleSource } } ${FAULTS} } }`;
const REMOVE = `mutation ($input: MemberRemoveInput!) { memberRemove(input: $input) { __typename
  ... on MemberRemoveSuccess { member { id removedAt } } ${FAULTS} } }`;
const OFFER =
  'query ($token: String!) { invitationOffer(token: $token) { tenantName role email invitedBy fault } }';
const WHO = '{ viewer { name role tenant { slug } memberships { tenantSlug role } } }';
const LIST =
  '{ members(first: 100) { totalCount nodes { id subject name email role roleSource origin lastSignInAt removedAt } } }';

describe('the members of a tenant', () => {
  let api: TestApi;
  let relay: TestProcesses;

  beforeAll(async () => {
    api = await openTestApi();
    relay = await startProcesses({ database: api.database, natsUrl: api.nats.url, start: ['relay'] });
  });
  afterAll(async () => {
    await relay[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  const mutate = async (credential: string, query: string, input: Record<string, unknown>) => {
    const { data, errors } = await api.ask(credential, query, { input });
    expect(errors).toEqual([]);
    // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its document asks for
    return Object.values<any>(data)[0];
  };
  const person = (subject: string, tenant?: string, role = 'ADMIN') =>
    api.issuer.token({ subject, ...(tenant !== undefined && { tenant, roles: [role] }) });
  const members = async (credential: string) => {
    const { data, errors } = await api.ask(credential, LIST);
    expect(errors).toEqual([]);
    return data.members.nodes;
  };
  const idOf = async (credential: string, subject: string): Promise<string> =>
    (await members(credential)).find((member: { subject: string }) => member.subject === subject).id;
  /** A tenant and its admin, whom the claims brought. */
  const open = async (slug: string): Promise<{ tenant: TenantSeed; admin: string }> => {
    const tenant = await seedTenant(api.database.admin, slug);
    const admin = await person(`boss-${slug}`, slug);
    await api.ask(admin, WHO);
    return { tenant, admin };
  };

  it('are those whom the claims brought, with the role of the claims until an admin gives them one', async () => {
    const { admin } = await open('claimed');
    await api.ask(await person('ada', 'claimed', 'OPERATOR'), WHO);
    expect(await members(admin)).toMatchObject([
      { subject: 'ada', role: 'OPERATOR', roleSource: 'PROVIDER', origin: 'PROVIDER' },
      { subject: 'boss-claimed', role: 'ADMIN', email: 'boss-claimed@example.com' },
    ]);
    const promoted = await person('ada', 'claimed', 'ENGINEER');
    expect((await api.ask(promoted, WHO)).data.viewer.role).toBe('ENGINEER');
    expect((await members(admin))[0].role).toBe('ENGINEER');
    const set = await mutate(admin, UPDATE, { id: await idOf(admin, 'ada'), role: 'VIEWER' });
    expect(set.member).toMatchObject({ role: 'VIEWER', roleSource: 'TENANT' });
    await until(
      'the role to count',
      async () => (await api.ask(promoted, WHO)).data.viewer.role === 'VIEWER',
    );
    const { data } = await api.ask(
      admin,
      '{ members(where: { search: "ADA@", roles: [VIEWER] }) { totalCount } }',
    );
    expect(data.members.totalCount).toBe(1);
  });

  it('are joined by invitation: one person, with that address, once', async () => {
    const { admin } = await open('inviting');
    const made = await mutate(admin, INVITE, { email: 'Guest@Example.com', role: 'OPERATOR' });
    expect(made.link).toBe(`http://127.0.0.1/invitation#${made.token}`);
    const days = (Date.parse(made.invitation.expiresAt) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.99);
    expect(days).toBeLessThanOrEqual(7);
    for (const table of ['invitations', 'audit_entries', 'mutation_results', 'outbox']) {
      const { rows } = await api.database.admin.query(`select t::text as row from ${table} t`);
      expect(JSON.stringify(rows)).not.toContain(made.token);
    }
    const again = await mutate(admin, INVITE, { email: 'guest@example.com', role: 'ADMIN' });
    expect(again).toMatchObject({ __typename: 'ConflictError', path: ['input', 'email'] });

    const [guest, other] = [await person('guest'), await person('other')];
    const { data } = await api.ask(guest, OFFER, { token: made.token });
    expect(data.invitationOffer).toEqual({
      tenantName: 'inviting',
      role: 'OPERATOR',
      email: 'Guest@Example.com',
      invitedBy: 'boss-inviting',
      fault: null,
    });
    expect((await api.ask(other, OFFER, { token: made.token })).data.invitationOffer.fault).toBe(
      'OTHER_ADDRESS',
    );
    expect((await api.ask(guest, OFFER, { token: 'fgi_nonsense' })).data.invitationOffer).toBeNull();
    expect(await mutate(other, ACCEPT, { token: made.token })).toMatchObject({
      ...{ __typename: 'InvitationError', reason: 'OTHER_ADDRESS' },
    });
    const unverified = await api.issuer.token({ subject: 'guest', claims: { email_verified: false } });
    expect(await mutate(unverified, ACCEPT, { token: made.token })).toMatchObject({
      reason: 'OTHER_ADDRESS',
    });
    expect(await mutate(guest, ACCEPT, { token: made.token })).toEqual({
      ...{
        __typename: 'InvitationAcceptSuccess',
        tenantSlug: 'inviting',
        tenantName: 'inviting',
        role: 'OPERATOR',
      },
    });
    const twin = await api.issuer.token({ subject: 'twin', claims: { email: 'guest@example.com' } });
    expect(await mutate(twin, ACCEPT, { token: made.token })).toMatchObject({ reason: 'ACCEPTED' });
    const here = await api.ask(guest, WHO);
    expect(here.data.viewer).toMatchObject({ name: 'guest', role: 'OPERATOR', tenant: { slug: 'inviting' } });
    expect(await mutate(admin, INVITE, { email: 'GUEST@example.com', role: 'VIEWER' })).toMatchObject({
      __typename: 'ConflictError',
    });
  });

  it('are not joined by an invitation that was taken back or has expired, nor by a program', async () => {
    const { tenant, admin } = await open('closing');
    const late = await person('late');
    const first = await mutate(admin, INVITE, { email: 'late@example.com', role: 'VIEWER' });
    const back = await mutate(admin, TAKE_BACK, { id: first.invitation.id });
    expect(back.invitation.revokedAt).toEqual(expect.any(String));
    expect(await mutate(late, ACCEPT, { token: first.token })).toMatchObject({ reason: 'REVOKED' });
    expect(await mutate(admin, TAKE_BACK, { id: first.invitation.id })).toMatchObject({
      __typename: 'ConflictError',
    });
    const second = await mutate(admin, INVITE, {
      email: 'late@example.com',
      role: 'VIEWER',
      lifetimeSeconds: 60,
    });
    await api.database.admin.query('update invitations set expires_at = now() where tenant_id = $1', [
      tenant.id,
    ]);
    expect(await mutate(late, ACCEPT, { token: second.token })).toMatchObject({ reason: 'EXPIRED' });
    const pending = '{ invitations(pendingOnly: true) { totalCount } all: invitations { totalCount } }';
    expect((await api.ask(admin, pending)).data).toEqual({
      invitations: { totalCount: 0 },
      all: { totalCount: 2 },
    });
    const third = await mutate(admin, INVITE, { email: 'late@example.com', role: 'VIEWER' });
    expect(await mutate(await tenant.apiKey(), ACCEPT, { token: third.token })).toMatchObject({
      __typename: 'ValidationError',
    });
    const wrong = await mutate(admin, INVITE, { email: 'nobody', role: 'VIEWER', lifetimeSeconds: 1 });
    expect(wrong).toMatchObject({ __typename: 'ValidationError', path: ['input', 'email'] });
  });

  it('keep strangers out of everything but their invitation', async () => {
    const stranger = await person('stranger');
    for (const query of [
      WHO,
      '{ devices { nodes { id } } }',
      'query { ...Both } fragment Both on Query { invitationOffer(token: "x") { role } viewer { name } }',
      'mutation { invitationAccept(input: { token: "x" }) { __typename } deviceCreate(input: { key: "x" }) { __typename } }',
      'query { ...Self } fragment Self on Query { ...Self }',
    ]) {
      const { data, errors } = await api.ask(stranger, query);
      expect({ query, data: data ?? null }).toEqual({ query, data: null });
      expect(errors.length).toBeGreaterThan(0);
    }
    const tester = createLiveTester(api);
    const live = tester.follow(stranger);
    await until('the refusal', () => live.ended);
    expect(live.ended?.error).toMatchObject({ code: 4403 });
    tester.leave();
  });

  it('belong to several tenants and choose one of them', async () => {
    const { admin } = await open('second');
    await open('first');
    const made = await mutate(admin, INVITE, { email: 'boss-first@example.com', role: 'VIEWER' });
    const boss = await person('boss-first', 'first');
    await mutate(boss, ACCEPT, { token: made.token });
    const at = async (tenant?: string) => {
      const { status, data } = await api.ask(boss, WHO, {}, tenant ? { 'x-fleetgraph-tenant': tenant } : {});
      return data ? `${data.viewer.tenant.slug} ${data.viewer.role}` : status;
    };
    expect(await at()).toBe('first ADMIN');
    expect(await at('second')).toBe('second VIEWER');
    expect(await at('inviting')).toBe(403);
    const { data } = await api.ask(boss, WHO);
    expect(data.viewer.memberships).toEqual([
      { tenantSlug: 'first', role: 'ADMIN' },
      { tenantSlug: 'second', role: 'VIEWER' },
    ]);
  });

  it('whose role is lowered or who are removed lose their sockets with 4403 within a second and resume by cursor', async () => {
    const { tenant, admin } = await open('closing-sockets');
    const device = await tenant.device('pump');
    const [ada, eve] = [
      await person('ada', 'closing-sockets', 'ENGINEER'),
      await person('eve', 'closing-sockets', 'ENGINEER'),
    ];
    const tester = createLiveTester(api);
    try {
      const [live, other, own] = [tester.follow(ada), tester.follow(eve), tester.follow(admin)];
      await until('the snapshots', () => [live, other, own].every(({ items }) => items.length > 0));
      await mutate(admin, UPDATE, { id: await idOf(admin, 'ada'), role: 'VIEWER' });
      await promptly('the socket to close', () => live.ended);
      expect(live.ended?.error).toMatchObject({ code: 4403 });
      expect([other.ended, own.ended]).toEqual([undefined, undefined]);

      const missed = nextReading(device);
      await publishEvents(api.bus, tenant, { telemetry: [missed] });
      const resumed = tester.follow(ada, { after: live.items.at(-1)?.cursor });
      await until('what was missed', () => idsOf(resumed).includes(missed.id));
      const { data } = await api.ask(ada, 'mutation { deviceCreate(input: { key: "x" }) { __typename } }');
      expect(data.deviceCreate.__typename).toBe('ForbiddenError');

      await mutate(admin, REMOVE, { id: await idOf(admin, 'eve') });
      await promptly('the socket to close', () => other.ended);
      expect(other.ended?.error).toMatchObject({ code: 4403, reason: expect.stringContaining('removed') });
      expect((await api.ask(eve, WHO)).status).toBe(403);
    } finally {
      tester.leave();
    }
  });

  it('who were removed stay out, whatever the claims say, until they are invited again', async () => {
    const { admin } = await open('leaving');
    const eve = await person('eve', 'leaving', 'ADMIN');
    await api.ask(eve, WHO);
    const id = await idOf(admin, 'eve');
    expect((await mutate(admin, REMOVE, { id })).member.removedAt).toEqual(expect.any(String));
    await until('the removal to count', async () => (await api.ask(eve, WHO)).status === 403);
    expect(await mutate(admin, REMOVE, { id })).toMatchObject({ __typename: 'NotFoundError' });
    expect((await members(admin)).map((member: { subject: string }) => member.subject)).toEqual([
      'boss-leaving',
    ]);
    const made = await mutate(admin, INVITE, { email: 'eve@example.com', role: 'VIEWER' });
    expect(await mutate(eve, ACCEPT, { token: made.token })).toMatchObject({ role: 'VIEWER' });
    expect((await api.ask(eve, WHO)).data.viewer.role).toBe('VIEWER');
    expect(await idOf(admin, 'eve')).toBe(id);
  });

  it('always have an admin among them, also when two of them put one another out at once', async () => {
    const { tenant, admin } = await open('governed');
    const self = await idOf(admin, 'boss-governed');
    for (const attempt of [
      await mutate(admin, REMOVE, { id: self }),
      await mutate(admin, UPDATE, { id: self, role: 'ENGINEER' }),
      await mutate(await tenant.apiKey(), REMOVE, { id: self }),
    ])
      expect(attempt).toMatchObject({
        __typename: 'LastAdminError',
        code: 'LAST_ADMIN',
        path: ['input', 'id'],
      });
    expect((await mutate(admin, UPDATE, { id: self, role: 'ADMIN' })).__typename).toBe('MemberUpdateSuccess');

    for (let round = 0; round < 4; round += 1) {
      const slug = `duel-${round}`;
      const { admin: one } = await open(slug);
      const two = await person(`rival-${slug}`, slug);
      await api.ask(two, WHO);
      const [first, second] = [await idOf(one, `boss-${slug}`), await idOf(one, `rival-${slug}`)];
      const lock = await api.database.admin.connect();
      await lock.query('begin');
      await lock.query(
        'select from members m join tenants t on t.id = m.tenant_id where t.slug = $1 for update of m',
        [slug],
      );
      const duel = Promise.all([
        mutate(one, round % 2 === 0 ? REMOVE : UPDATE, { id: second, ...(round % 2 && { role: 'VIEWER' }) }),
        mutate(two, REMOVE, { id: first }),
      ]);
      await until('both to wait for each other', async () => {
        const { rows } = await lock.query(
          "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        );
        return rows.length === 2;
      });
      await lock.query('commit');
      lock.release();
      const names = (await duel).map(({ __typename }) => __typename).sort();
      expect(names).toEqual(['ForbiddenError', expect.stringMatching(/Success$/)]);
      const { rows } = await api.database.admin.query(
        `select from members m join tenants t on t.id = m.tenant_id
         where t.slug = $1 and m.role = 'ADMIN' and m.removed_at is null`,
        [slug],
      );
      expect(rows).toHaveLength(1);
    }
  });

  it('are seen by every role and changed by admins only, who give away no more than they have', async () => {
    const { tenant, admin } = await open('ruled');
    const id = await idOf(admin, 'boss-ruled');
    for (const role of ['VIEWER', 'OPERATOR', 'ENGINEER'] as const) {
      const key = await tenant.apiKey(role);
      expect(await members(key)).toHaveLength(1);
      for (const [query, input] of [
        [INVITE, { email: 'a@b.test', role: 'VIEWER' }],
        [UPDATE, { id, role: 'VIEWER' }],
        [REMOVE, { id }],
        [TAKE_BACK, { id }],
      ] as const)
        expect(await mutate(key, query, input)).toMatchObject({
          __typename: 'ForbiddenError',
          permission: 'members.manage',
        });
      expect((await api.ask(key, '{ invitations { totalCount } }')).errors[0]?.extensions?.['code']).toBe(
        'FORBIDDEN',
      );
    }
    const limited = await api.issuer.token({
      ...{ subject: 'boss-ruled', tenant: 'ruled' },
      claims: { scope: 'members.manage members.read' },
    });
    expect(await mutate(limited, INVITE, { email: 'a@b.test', role: 'ADMIN' })).toMatchObject({
      __typename: 'ForbiddenError',
    });
  });
});
