import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeGlobalId } from '#api/graphql/global-ids.ts';
import { schema } from '#api/graphql/schema.ts';
import { ROLES } from '#core/auth/permissions.ts';
import { collect, openTestApi, publishEvents, type TestApi } from '../kit/api.ts';
import { createLiveTester, idsOf, nextReading } from '../kit/live.ts';
import { seedQuarantine } from '../kit/quarantine.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '../kit/seed.ts';
import { until } from '../kit/wait.ts';

describe('tenant isolation', () => {
  let api: TestApi;
  let a: TenantSeed;
  let b: TenantSeed;
  let secret: SeededDevice;
  let own: SeededDevice;
  let keyA: string;
  let keyB: string;
  let ids: {
    device: string;
    site: string;
    tenant: string;
    credential: string;
    certificate: string;
    apiKey: string;
    audit: string;
    claimCode: string;
    provisioningToken: string;
    quarantined: string;
    quarantineJob: string;
    member: string;
    invitation: string;
  };
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
    own = await b.device('own');
    keyA = await api.apiKey(a);
    keyB = await api.apiKey(b);
    await api.database.admin.query("select ensure_partition('readings', (now() at time zone 'utc')::date)");
    await api.database.admin.query(
      `insert into readings (tenant_id, device_id, ts, msg_id, received_at, metrics) values ($1, $2, now(), 1, now(), '{"t":1}')`,
      [a.id, secret.id],
    );
    await api.database.admin.query(
      `insert into device_latest (device_id, tenant_id, newest_ts, metrics) values ($1, $2, now(), '{"t":[1,1,"1",1]}')`,
      [secret.id, a.id],
    );
    await api.ask(
      keyA,
      'mutation { apiKeyCreate(input: { name: "secret key", role: VIEWER }) { __typename } }',
    );
    adminA = await api.issuer.token({ tenant: 'alpha', subject: 'boss-a' });
    adminB = await api.issuer.token({ tenant: 'bravo', subject: 'boss-b' });
    for (const admin of [adminA, adminB]) await api.ask(admin, '{ viewer { name } }');
    const invited = await api.ask(
      adminA,
      `mutation { memberInvite(input: { email: "secret@example.com", role: ADMIN }) {
        ... on MemberInviteSuccess { token invitation { id } } } }`,
    );
    invitationToken = invited.data.memberInvite.token;
    const generated = await api.ask(
      keyA,
      `mutation ($id: ID!) { deviceCertificateGenerate(input: { deviceId: $id }) {
        ... on DeviceCertificateGenerateSuccess { credential { id } } } }`,
      { id: encodeGlobalId('Device', secret.id) },
    );
    await api.ask(keyA, 'mutation { claimCodeCreate(input: { deviceKey: "secret" }) { __typename } }');
    await api.ask(keyA, 'mutation { provisioningTokenCreate(input: { name: "secret" }) { __typename } }');
    const quarantined = await seedQuarantine(api.database.admin, a, 'secret');
    const discarded = await api.ask(
      keyA,
      `mutation ($id: ID!) { quarantineDiscard(input: { target: { ids: [$id] } }) {
        ... on QuarantineDiscardSuccess { job { id } } } }`,
      { id: quarantined },
    );
    const { data } = await api.ask(
      keyA,
      '{ provisioningTokens { nodes { id } } claimCodes { nodes { id } } apiKeys { nodes { id } } members { nodes { id } } auditEntries { nodes { id } } device(by: { key: "secret" }) { id site { id } credentials { id } latest { metric } readings { nodes { id } } } viewer { tenant { id } } }',
    );
    expect(data.device.readings.nodes).toHaveLength(1);
    ids = {
      device: data.device.id,
      site: data.device.site.id,
      tenant: data.viewer.tenant.id,
      credential: data.device.credentials[1].id,
      certificate: generated.data.deviceCertificateGenerate.credential.id,
      apiKey: data.apiKeys.nodes[0].id,
      audit: data.auditEntries.nodes[0].id,
      claimCode: data.claimCodes.nodes[0].id,
      provisioningToken: data.provisioningTokens.nodes[0].id,
      quarantined,
      quarantineJob: discarded.data.quarantineDiscard.job.id,
      member: data.members.nodes[0].id,
      invitation: invited.data.memberInvite.invitation.id,
    };
  });
  afterAll(() => api[Symbol.asyncDispose]());

  it('shows A its own by every door', async () => {
    const { data } = await api.ask(keyA, 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', {
      ids: Object.values(ids),
    });
    expect(data.nodes.map((node: { __typename: string }) => node?.__typename)).toEqual([
      'Device',
      'Site',
      'Tenant',
      'DeviceCredential',
      'DeviceCredential',
      'ApiKey',
      'AuditEntry',
      'ClaimCode',
      'ProvisioningToken',
      'QuarantinedMessage',
      'QuarantineJob',
      'Member',
      'Invitation',
    ]);
  });

  it('gives B null for every id of A', async () => {
    const { data, errors } = await api.ask(
      keyB,
      `query ($ids: [ID!]!, $device: ID!) { nodes(ids: $ids) { id } node(id: $device) { id }
        byId: device(by: { id: $device }) { id } byKey: device(by: { key: "secret" }) { id series(from: "2020-01-01T00:00:00Z", to: "2030-01-01T00:00:00Z") { metric } } }`,
      { ids: Object.values(ids), device: ids.device },
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({ nodes: Object.values(ids).map(() => null), node: null, byId: null, byKey: null });
  });

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

  it('lists nothing of A to B, whatever the filter', async () => {
    for (const where of [{}, { keys: ['secret'] }, { search: 'secret' }, { siteKeys: ['secret-site'] }]) {
      const { data } = await api.ask(
        keyB,
        'query ($where: DeviceFilter) { devices(where: $where) { totalCount nodes { key } } sites { totalCount nodes { key } } }',
        { where },
      );
      expect(data.devices.nodes.filter((node: { key: string }) => node.key !== 'own')).toEqual([]);
      expect(data.sites).toEqual({ totalCount: 0, nodes: [] });
    }
  });

  it('refuses B every change of A’s device as if it did not exist', async () => {
    const { data } = await api.ask(
      keyB,
      `mutation ($id: ID!, $credential: ID!, $certificate: ID!, $apiKey: ID!, $member: ID!, $invitation: ID!, $claimCode: ID!, $provisioningToken: ID!, $quarantined: ID!) { deviceUpdate(input: { id: $id, name: "mine" }) { __typename } deviceDecommission(input: { id: $id }) { __typename }
        deviceCreate(input: { key: "x", siteKey: "secret-site" }) { __typename }
        deviceTokenIssue(input: { deviceId: $id }) { __typename }
        deviceTokenRevoke(input: { id: $credential }) { __typename }
        deviceCertificateIssue(input: { deviceId: $id, csr: "x" }) { __typename }
        deviceCertificateGenerate(input: { deviceId: $id }) { __typename }
        deviceCertificateRevoke(input: { id: $certificate }) { __typename }
        deviceCertificateRenew(input: { id: $certificate }) { __typename }
        claimCodeCreate(input: { deviceId: $id }) { __typename }
        claimCodeRevoke(input: { id: $claimCode }) { __typename }
        provisioningTokenCreate(input: { name: "x", siteKey: "secret-site" }) { __typename }
        provisioningTokenRevoke(input: { id: $provisioningToken }) { __typename }
        quarantineReplay(input: { target: { ids: [$quarantined] } }) { __typename }
        dry: quarantineReplay(input: { target: { ids: [$quarantined] }, dryRun: true }) { __typename }
        quarantineDiscard(input: { target: { ids: [$quarantined] } }) { __typename }
        apiKeyRotate(input: { id: $apiKey }) { __typename }
        apiKeyRevoke(input: { id: $apiKey }) { __typename }
        memberUpdate(input: { id: $member, role: VIEWER }) { __typename }
        memberRemove(input: { id: $member }) { __typename }
        invitationRevoke(input: { id: $invitation }) { __typename } }`,
      { ...ids, id: ids.device },
    );
    expect(new Set(Object.values<{ __typename: string }>(data).map((each) => each.__typename))).toEqual(
      new Set(['NotFoundError']),
    );
    expect(Object.keys(data)).toHaveLength(21);
    const untouched = await api.database.admin.query(
      `select from device_credentials where revoked_at is not null
       union all select from api_keys where revoked_at is not null or previous_secret_hash is not null
       union all select from claim_codes where revoked_at is not null or claimed_at is not null
       union all select from provisioning_tokens where revoked_at is not null
       union all select from members where removed_at is not null or role <> 'ADMIN'
       union all select from invitations where revoked_at is not null or accepted_at is not null`,
    );
    expect(untouched.rowCount).toBe(0);
    const { rows } = await api.database.admin.query('select name, status from devices where key = $1', [
      'secret',
    ]);
    expect(rows).toEqual([{ name: 'secret', status: 'ACTIVE' }]);
  });

  it('shows B nothing of A’s quarantine, and lets B change none of it by a filter', async () => {
    for (const where of [{}, { deviceKey: 'secret' }, { reasons: ['BAD_JSON'] }]) {
      const { data, errors } = await api.ask(
        keyB,
        `query ($where: QuarantineFilter) { quarantine(where: $where) { totalCount nodes { id } }
          quarantineReasons(from: "2020-01-01T00:00:00Z", to: "2028-01-01T00:00:00Z", where: $where) { total }
          quarantineJobs { nodes { id } } }`,
        { where },
      );
      expect(errors).toEqual([]);
      expect(data).toEqual({
        quarantine: { totalCount: 0, nodes: [] },
        quarantineReasons: [],
        quarantineJobs: { nodes: [] },
      });
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

  it('shows B neither the API keys nor the audit log of A, whatever the filter', async () => {
    const { data } = await api.ask(keyB, '{ apiKeys { totalCount nodes { name } } }');
    expect(data.apiKeys).toEqual({ totalCount: 1, nodes: [{ name: 'test' }] });
    for (const where of [{}, { target: 'secret key' }, { target: ids.apiKey }, { actor: 'key' }]) {
      const log = await api.ask(
        keyB,
        'query ($where: AuditFilter) { auditEntries(where: $where) { nodes { actor { name } target { label } } } }',
        { where },
      );
      expect(JSON.stringify(log.data.auditEntries.nodes)).not.toMatch(/secret|boss-a/);
    }
    const made = await api.ask(
      keyB,
      'mutation { apiKeyCreate(input: { name: "of B", role: VIEWER }) { ... on ApiKeyCreateSuccess { token } } }',
    );
    const seen = await api.ask(made.data.apiKeyCreate.token, '{ viewer { tenant { slug } } }');
    expect(seen.data.viewer.tenant.slug).toBe('bravo');
  });

  it('shows B neither certificates nor authorities of A, and lets B replace its own authority only', async () => {
    const mine = await api.ask(
      keyB,
      'mutation ($id: ID!) { deviceCertificateGenerate(input: { deviceId: $id }) { ... on DeviceCertificateGenerateSuccess { credential { id } } } }',
      { id: encodeGlobalId('Device', own.id) },
    );
    const id = mine.data.deviceCertificateGenerate.credential.id;
    for (const state of ['GOOD', 'EXPIRING', 'REVOKED', 'EXPIRED']) {
      const { data } = await api.ask(
        keyB,
        'query ($state: CertificateState!) { certificates(state: $state) { totalCount nodes { id device { key } } } }',
        { state },
      );
      const nodes = state === 'GOOD' ? [{ id, device: { key: 'own' } }] : [];
      expect(data.certificates).toEqual({ totalCount: nodes.length, nodes });
    }
    const authorities = '{ tenantCa { generations { generation fingerprint crlUrl liveCertificates } } }';
    const before = (await api.ask(keyA, authorities)).data.tenantCa.generations;
    const { data } = await api.ask(
      keyB,
      'mutation { tenantCaRotate(input: { overlapSeconds: 0 }) { ... on TenantCaRotateSuccess { tenantCa { generations { generation fingerprint crlUrl } } } } }',
    );
    const generations = data.tenantCaRotate.tenantCa.generations;
    expect(generations.map((each: { crlUrl: string }) => each.crlUrl)).toEqual([
      expect.stringMatching(/\/crl\/bravo\/2\.crl$/),
      expect.stringMatching(/\/crl\/bravo\.crl$/),
    ]);
    expect((await api.ask(keyA, authorities)).data.tenantCa.generations).toEqual(before);
    expect(before).toEqual([expect.objectContaining({ generation: 1, liveCertificates: 1 })]);
    expect(generations.map((each: { fingerprint: string }) => each.fingerprint)).not.toContain(
      before[0].fingerprint,
    );
  });

  it('shows B no claim code of A, and no device of A through its own', async () => {
    const { data } = await api.ask(
      keyB,
      'mutation { claimCodeCreate(input: { deviceKey: "secret" }) { ... on ClaimCodeCreateSuccess { claimCode { device { id } } } } }',
    );
    expect(data.claimCodeCreate.claimCode.device).toBeNull();
    const list = await api.ask(
      keyB,
      '{ claimCodes { totalCount nodes { device { id } } } devices { nodes { claimCodes { id } } } }',
    );
    expect(list.data.claimCodes).toEqual({ totalCount: 1, nodes: [{ device: null }] });
    expect(list.data.devices.nodes).toEqual([{ claimCodes: [] }]);
  });

  it('lets nobody of a tenant operate the platform, whatever the role', async () => {
    const reason = 'I would like to look around';
    for (const role of ROLES) {
      for (const credential of [
        await api.apiKey(b, role),
        await api.issuer.token({ tenant: 'bravo', roles: [role] }),
      ]) {
        const { data, errors } = await api.ask(
          credential,
          `query ($reason: String!) { operator(reason: $reason) { tenants { nodes { slug } } tenant(slug: "alpha") { slug }
            devices(search: "secret") { nodes { key } } deadLetters { nodes { id } } audit { nodes { id } } streams { name } } }`,
          { reason },
        );
        expect({ data, code: errors[0]?.extensions?.['code'] }).toEqual({ data: null, code: 'FORBIDDEN' });
        const changes = await api.ask(
          credential,
          `mutation ($alpha: TenantSuspendInput!, $resume: TenantResumeInput!, $delete: TenantDeleteInput!, $cancel: TenantDeleteCancelInput!, $create: TenantCreateInput!) {
            tenantSuspend(input: $alpha) { __typename } tenantResume(input: $resume) { __typename } tenantDelete(input: $delete) { __typename }
            tenantDeleteCancel(input: $cancel) { __typename } tenantCreate(input: $create) { __typename } }`,
          {
            ...{ alpha: { slug: 'alpha', reason }, resume: { slug: 'alpha', reason } },
            ...{ delete: { slug: 'alpha', reason }, cancel: { slug: 'alpha', reason } },
            create: { slug: 'mine', name: 'Mine', reason },
          },
        );
        expect(Object.values<{ __typename: string }>(changes.data).map((each) => each.__typename)).toEqual(
          Array.from({ length: 5 }, () => 'ForbiddenError'),
        );
      }
    }
    const { rows } = await api.database.admin.query('select slug, status from tenants order by slug');
    expect(rows).toEqual([
      { slug: 'alpha', status: 'ACTIVE' },
      { slug: 'bravo', status: 'ACTIVE' },
    ]);
  });

  it('shows B neither the members nor the invitations of A, and lets nobody of B into A', async () => {
    const { data } = await api.ask(
      keyB,
      '{ members { nodes { name } } found: members(where: { search: "boss-a" }) { totalCount } invitations { totalCount nodes { id } } }',
    );
    expect(data).toEqual({
      members: { nodes: expect.arrayContaining([{ name: 'boss-b' }]) },
      found: { totalCount: 0 },
      invitations: { totalCount: 0, nodes: [] },
    });
    expect(data.members.nodes).not.toContainEqual({ name: 'boss-a' });
    for (const credential of [keyB, adminB])
      expect(
        (await api.ask(credential, '{ viewer { name } }', {}, { 'x-fleetgraph-tenant': 'alpha' })).status,
      ).toBe(403);
    const { data: person } = await api.ask(
      adminB,
      '{ viewer { memberships { tenantSlug } } roles { role } }',
    );
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
    await api.ask(
      adminB,
      'mutation { memberInvite(input: { email: "secret@example.com", role: VIEWER }) { __typename } }',
    );
    const { data: own } = await api.ask(adminA, '{ invitations { nodes { role } } members { totalCount } }');
    expect(own).toEqual({ invitations: { nodes: [{ role: 'ADMIN' }] }, members: { totalCount: 1 } });
  });

  it('is tested for every field that there is', () => {
    const fieldsOf = (type: { getFields(): object } | null | undefined) =>
      Object.keys(type?.getFields() ?? {}).sort();
    expect(fieldsOf(schema.getQueryType())).toEqual([
      'apiKeys',
      'auditEntries',
      'certificates',
      'claimCodes',
      'connectInfo',
      'deadLetters',
      'device',
      'devices',
      'invitationOffer',
      'invitations',
      'liveWindow',
      'members',
      'message',
      'node',
      'nodes',
      'operator',
      'provisioningTokens',
      'quarantine',
      'quarantineJobs',
      'quarantineReasons',
      'roles',
      'sites',
      'tenantCa',
      'viewer',
    ]);
    expect(fieldsOf(schema.getMutationType())).toEqual([
      'apiKeyCreate',
      'apiKeyRevoke',
      'apiKeyRotate',
      'auditExportCreate',
      'claimCodeCreate',
      'claimCodeRevoke',
      'deviceCertificateGenerate',
      'deviceCertificateIssue',
      'deviceCertificateRenew',
      'deviceCertificateRevoke',
      'deviceCreate',
      'deviceDecommission',
      'deviceTokenIssue',
      'deviceTokenRevoke',
      'deviceUpdate',
      'invitationAccept',
      'invitationRevoke',
      'memberInvite',
      'memberRemove',
      'memberUpdate',
      'provisioningTokenCreate',
      'provisioningTokenRevoke',
      'quarantineDiscard',
      'quarantineReplay',
      'tenantCaRotate',
      'tenantCreate',
      'tenantDelete',
      'tenantDeleteCancel',
      'tenantResume',
      'tenantSuspend',
    ]);
    expect(fieldsOf(schema.getSubscriptionType())).toEqual(['presence', 'telemetry']);
    const nodes = Object.values(schema.getTypeMap()).filter(
      (type) => 'getInterfaces' in type && type.getInterfaces().some(({ name }) => name === 'Node'),
    );
    expect(nodes.map(({ name }) => name).sort()).toEqual([
      'ApiKey',
      'AuditEntry',
      'ClaimCode',
      'Device',
      'DeviceCredential',
      'Invitation',
      'Member',
      'ProvisioningToken',
      'QuarantineJob',
      'QuarantinedMessage',
      'Site',
      'Tenant',
    ]);
  });

  it('lets two tenants use the same key for different devices', async () => {
    const { data } = await api.ask(
      keyB,
      'mutation { deviceCreate(input: { key: "secret" }) { ... on DeviceCreateSuccess { device { id key site { id } } } } }',
    );
    expect(data.deviceCreate.device.id).not.toBe(ids.device);
    expect(data.deviceCreate.device.site).toBeNull();
  });

  it('delivers nothing of A to B’s subscriptions, and lets B use none of A’s cursors', async () => {
    const tester = createLiveTester(api);
    try {
      const live = [
        tester.follow(keyB),
        tester.follow(keyB, { where: { deviceIds: [ids.device] } }),
        tester.follow(keyB, { where: { deviceKeys: ['secret'] } }),
        tester.follow(keyB, { where: { siteKeys: ['secret-site'] } }),
      ];
      const presence = collect(
        api.socket(keyB),
        'subscription { presence { __typename ... on PresenceSnapshot { devices { key } } ... on PresenceChange { device { key } } } }',
      );
      const watcher = tester.follow(keyA);
      await until(
        'all snapshots',
        () => [...live, watcher].every((each) => each.items.length > 0) && presence.items.length > 0,
      );
      for (const each of live) expect(each.items[0]?.devices).toEqual([]);
      expect(presence.items[0].devices.map((device: { key: string }) => device.key).sort()).toEqual([
        'own',
        'secret',
      ]);
      const hidden = nextReading(secret);
      await publishEvents(api.bus, a, { telemetry: [hidden] });
      await publishEvents(api.bus, a, {
        presence: [
          {
            deviceId: secret.id,
            device: 'secret',
            siteId: null,
            at: 1,
            connection: 'ONLINE',
            freshness: 'FRESH',
            lastSeenAt: 1,
            connectionChangedAt: 1,
          },
        ],
      });
      await until('A to see it', () => idsOf(watcher).includes(hidden.id));
      const visible = nextReading(own);
      await publishEvents(api.bus, b, { telemetry: [visible] });
      await until('B to see its own', () => idsOf(live[0] ?? watcher).includes(visible.id));
      expect(live.map(idsOf)).toEqual([[visible.id], [], [], []]);
      expect(presence.items).toHaveLength(1);
      presence.stop();
      const stolen = tester.follow(keyB, { after: watcher.items.at(-1)?.cursor });
      await until('the refusal', () => stolen.ended);
      expect(JSON.stringify(stolen.ended?.error)).toContain('BAD_USER_INPUT');
    } finally {
      tester.leave();
    }
  });
});
