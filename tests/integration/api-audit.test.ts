import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuditEntry, recordAudit } from '#api/graphql/audit.ts';
import { schema } from '#api/graphql/schema.ts';
import { openPool } from '#core/db/pool.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { createRequest } from '../kit/certificate-request.ts';
import { quiet } from '../kit/nats.ts';
import { seedQuarantine } from '../kit/quarantine.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';

interface Recipe {
  /** Subject of the person without a tenant who calls it; an API key by default. */
  readonly by?: string;
  /** What the mutation is called with; makes what it needs. */
  readonly input: () => Promise<Record<string, unknown>>;
  readonly target: unknown;
  readonly before: unknown;
  readonly after: unknown;
  /** Done by an operator of the platform to a tenant: stands in its log and in the platform’s. */
  readonly operator?: true;
}

/** Where a mutation leaves its mark. */
function tableOf(name: string): string {
  // Changes nothing: its entry is all it writes.
  if (name === 'auditExportCreate') return 'audit_entries';
  if (name.startsWith('tenantCa')) return 'certificate_authorities';
  if (name.startsWith('provisioning')) return 'provisioning_tokens';
  if (/Token|Certificate/.test(name)) return 'device_credentials';
  if (name.startsWith('claimCode')) return 'claim_codes';
  if (name.startsWith('quarantine')) return 'quarantine_jobs';
  if (/^invitation|Invite/.test(name)) return 'invitations';
  if (name.startsWith('member')) return 'members';
  return name.startsWith('device') ? 'devices' : 'api_keys';
}

const ENTRIES = `query ($where: AuditFilter, $first: Int, $after: String) { auditEntries(where: $where, first: $first, after: $after) {
  nodes { id at action actor { id kind name } target { id type label } before after ip requestId }
  pageInfo { hasNextPage endCursor } } }`;

describe('the audit log', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let admin: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    admin = await api.apiKey(acme);
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const entries = async (where: Record<string, unknown> = {}, credential = admin) => {
    const { data, errors } = await api.ask(credential, ENTRIES, { where, first: 100 });
    expect(errors).toEqual([]);
    return data.auditEntries.nodes;
  };
  const mutate = async (name: string, input: Record<string, unknown>, credential = admin) => {
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}`;
    const { data, errors } = await api.ask(
      credential,
      `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename } }`,
      { input },
    );
    expect(errors).toEqual([]);
    return data[name].__typename;
  };
  const deviceId = async (key: string) => {
    await acme.device(key);
    const { data } = await api.ask(admin, `{ device(by: { key: "${key}" }) { id credentials { id } } }`);
    return data.device;
  };
  const certificateId = async (key: string) => {
    const { data } = await api.ask(
      admin,
      `mutation ($deviceId: ID!) { deviceCertificateGenerate(input: { deviceId: $deviceId }) {
        ... on DeviceCertificateGenerateSuccess { credential { id } } } }`,
      { deviceId: (await deviceId(key)).id },
    );
    return data.deviceCertificateGenerate.credential.id;
  };
  const provisioningTokenId = async (name: string) => {
    const { data } = await api.ask(
      admin,
      `mutation { provisioningTokenCreate(input: { name: "${name}" }) { ... on ProvisioningTokenCreateSuccess { provisioningToken { id } } } }`,
    );
    return data.provisioningTokenCreate.provisioningToken.id;
  };
  const claimCodeId = async (key: string) => {
    const { data } = await api.ask(
      admin,
      `mutation { claimCodeCreate(input: { deviceKey: "${key}" }) { ... on ClaimCodeCreateSuccess { claimCode { id } } } }`,
    );
    return data.claimCodeCreate.claimCode.id;
  };
  const keyId = async (name: string) => {
    const { data } = await api.ask(
      admin,
      `mutation { apiKeyCreate(input: { name: "${name}", role: VIEWER }) { ... on ApiKeyCreateSuccess { apiKey { id } } } }`,
    );
    return data.apiKeyCreate.apiKey.id;
  };

  const REASON = 'ticket 4711: because we test';
  const tenantIn = async (slug: string, status: string) => {
    await seedTenant(api.database.admin, slug);
    await api.database.admin.query(
      `update tenants set status = $2::tenant_status, delete_after = case when $2::tenant_status = 'DELETING' then now() + interval '1 day' end,
         status_before = case when $2::tenant_status = 'DELETING' then 'SUSPENDED'::tenant_status end where slug = $1`,
      [slug, status],
    );
    return { slug, reason: REASON };
  };
  const memberId = async (subject: string) => {
    await api.ask(await api.issuer.token({ tenant: 'acme', subject }), '{ viewer { name } }');
    const { data } = await api.ask(admin, `{ members(where: { search: "${subject}" }) { nodes { id } } }`);
    return data.members.nodes[0].id;
  };
  const invite = async (name: string) => {
    const { data } = await api.ask(
      admin,
      `mutation { memberInvite(input: { email: "${name}@example.com", role: VIEWER }) {
        ... on MemberInviteSuccess { token invitation { id } } } }`,
    );
    return data.memberInvite;
  };

  /** One for every mutation there is. */
  const recipes: Readonly<Record<string, Recipe>> = {
    deviceCreate: {
      input: async () => ({ key: 'made', attributes: { wifi: { password: 'hunter2' }, floor: 3 } }),
      target: 'made',
      before: null,
      after: expect.objectContaining({
        key: 'made',
        attributes: { wifi: { password: '[redacted]' }, floor: 3 },
      }),
    },
    deviceUpdate: {
      input: async () => ({ id: (await deviceId('changed')).id, name: 'New name', model: null }),
      target: 'changed',
      before: { name: 'changed' },
      after: { name: 'New name' },
    },
    deviceDecommission: {
      input: async () => ({ id: (await deviceId('gone')).id }),
      target: 'gone',
      before: { status: 'ACTIVE' },
      after: { status: 'DECOMMISSIONED', credentialsRevoked: 1 },
    },
    deviceTokenIssue: {
      input: async () => ({ deviceId: (await deviceId('given')).id }),
      target: 'given',
      before: null,
      after: { hint: expect.any(String), expiresAt: null },
    },
    deviceTokenRevoke: {
      input: async () => ({ id: (await deviceId('taken')).credentials[0].id, reason: 'lost' }),
      target: 'taken',
      before: { hint: expect.any(String), revokedAt: null },
      after: { hint: expect.any(String), revokedAt: expect.any(String), reason: 'lost' },
    },
    deviceCertificateIssue: {
      input: async () => ({
        deviceId: (await deviceId('certified')).id,
        csr: (await createRequest({ name: 'ECDSA', namedCurve: 'P-256' })).csr,
      }),
      target: 'certified',
      before: null,
      after: { serial: expect.any(String), expiresAt: expect.any(String) },
    },
    deviceCertificateGenerate: {
      input: async () => ({ deviceId: (await deviceId('generated')).id }),
      target: 'generated',
      before: null,
      after: { serial: expect.any(String), expiresAt: expect.any(String) },
    },
    deviceCertificateRevoke: {
      input: async () => ({ id: await certificateId('compromised'), reason: 'KEY_COMPROMISE' }),
      target: 'compromised',
      before: { serial: expect.any(String), revokedAt: null },
      after: { serial: expect.any(String), revokedAt: expect.any(String), reason: 'KEY_COMPROMISE' },
    },
    deviceCertificateRenew: {
      input: async () => ({ id: await certificateId('renewed') }),
      target: 'renewed',
      before: { serial: expect.any(String), retiresAt: null },
      after: {
        ...{ serial: expect.any(String), expiresAt: expect.any(String) },
        ...{ sameKey: true, retiresAt: expect.any(String) },
      },
    },
    tenantCaRotate: {
      input: async () => ({ overlapSeconds: await certificateId('resigned').then(() => 3_600) }),
      target: 'acme',
      before: { generation: 1 },
      after: { generation: 2, retiresAt: expect.any(String), certificates: expect.any(Number) },
    },
    claimCodeCreate: {
      input: async () => ({ deviceKey: 'claimed' }),
      target: expect.stringMatching(/^….{4}$/),
      before: null,
      after: { device: 'claimed', expiresAt: expect.any(String) },
    },
    claimCodeRevoke: {
      input: async () => ({ id: await claimCodeId('unclaimed') }),
      target: expect.stringMatching(/^….{4}$/),
      before: { revokedAt: null },
      after: { revokedAt: expect.any(String) },
    },
    provisioningTokenCreate: {
      input: async () => ({ name: 'Factory', keyPrefix: 'pump-' }),
      target: 'Factory',
      before: null,
      after: { keyPrefix: 'pump-', siteId: null, maxDevicesPerHour: 100, expiresAt: expect.any(String) },
    },
    provisioningTokenRevoke: {
      input: async () => ({ id: await provisioningTokenId('Spent') }),
      target: 'Spent',
      before: { revokedAt: null },
      after: { revokedAt: expect.any(String) },
    },
    apiKeyCreate: {
      input: async () => ({ name: 'Made', role: 'VIEWER' }),
      target: 'Made',
      before: null,
      after: { name: 'Made', role: 'VIEWER', scopes: [], prefix: expect.any(String), expiresAt: null },
    },
    apiKeyRotate: {
      input: async () => ({ id: await keyId('Turned') }),
      target: 'Turned',
      before: { previousExpiresAt: null },
      after: { previousExpiresAt: expect.any(String) },
    },
    apiKeyRevoke: {
      input: async () => ({ id: await keyId('Ended') }),
      target: 'Ended',
      before: { revokedAt: null },
      after: { revokedAt: expect.any(String) },
    },
    quarantineReplay: {
      input: async () => ({
        target: { ids: [await seedQuarantine(api.database.admin, acme, 'replayed')] },
        fix: { text: '{"password":"hunter2"}' },
      }),
      target: '1 message',
      before: null,
      after: { matched: 1, target: { ids: [expect.any(String)] }, fix: { replaced: true, bytes: 22 } },
    },
    quarantineDiscard: {
      input: async () => {
        await seedQuarantine(api.database.admin, acme, 'discarded');
        await seedQuarantine(api.database.admin, acme, 'discarded');
        return { target: { where: { deviceKey: 'discarded' } } };
      },
      target: '2 messages',
      before: null,
      after: { matched: 2, target: { deviceKey: 'discarded' } },
    },
    auditExportCreate: {
      input: async () => ({ format: 'CSV', where: { actions: ['deviceCreate'] } }),
      target: 'acme',
      before: null,
      after: { format: 'CSV', where: { actions: ['deviceCreate'] } },
    },
    tenantCreate: {
      operator: true,
      input: async () => ({ slug: 'created', name: 'Created', reason: REASON }),
      target: 'created',
      before: null,
      after: { slug: 'created', name: 'Created', retentionDays: 400 },
    },
    tenantSuspend: {
      operator: true,
      input: () => tenantIn('suspended', 'ACTIVE'),
      target: 'suspended',
      before: { status: 'ACTIVE', deleteAfter: null },
      after: { status: 'SUSPENDED', deleteAfter: null },
    },
    tenantResume: {
      operator: true,
      input: () => tenantIn('resumed', 'SUSPENDED'),
      target: 'resumed',
      before: { status: 'SUSPENDED', deleteAfter: null },
      after: { status: 'ACTIVE', deleteAfter: null },
    },
    tenantDelete: {
      operator: true,
      input: () => tenantIn('deleted', 'ACTIVE'),
      target: 'deleted',
      before: { status: 'ACTIVE', deleteAfter: null },
      after: { status: 'DELETING', deleteAfter: expect.any(String) },
    },
    tenantDeleteCancel: {
      operator: true,
      input: () => tenantIn('spared', 'DELETING'),
      target: 'spared',
      before: { status: 'DELETING', deleteAfter: expect.any(String) },
      after: { status: 'SUSPENDED', deleteAfter: null },
    },
    memberInvite: {
      input: async () => ({ email: 'new@example.com', role: 'OPERATOR' }),
      target: 'new@example.com',
      before: null,
      after: { email: 'new@example.com', role: 'OPERATOR', expiresAt: expect.any(String) },
    },
    invitationRevoke: {
      input: async () => ({ id: (await invite('unwanted')).invitation.id }),
      target: 'unwanted@example.com',
      before: { revokedAt: null },
      after: { revokedAt: expect.any(String) },
    },
    invitationAccept: {
      by: 'welcome',
      input: async () => ({ token: (await invite('welcome')).token }),
      target: 'welcome',
      before: null,
      after: { email: 'welcome@example.com', role: 'VIEWER', invitedBy: 'test' },
    },
    memberUpdate: {
      input: async () => ({ id: await memberId('raised'), role: 'OPERATOR' }),
      target: 'raised',
      before: { role: 'ADMIN', roleSource: 'PROVIDER' },
      after: { role: 'OPERATOR', roleSource: 'TENANT' },
    },
    memberRemove: {
      input: async () => {
        await memberId('staying');
        return { id: await memberId('leaving') };
      },
      target: 'leaving',
      before: { role: 'ADMIN', removedAt: null },
      after: { role: 'ADMIN', removedAt: expect.any(String) },
    },
  };
  const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {});

  const expectBothLogs = async (name: string, recipe: Recipe, input: Record<string, unknown>) => {
    expect(await mutate(name, input, await api.operator(acme))).toMatch(/Success$/);
    const { rows: own } = await api.database.admin.query(
      `select a.*, t.slug, t.xmin = a.xmin as "sameTransaction" from audit_entries a join tenants t on t.id = a.tenant_id where action = $1`,
      [name],
    );
    expect(own).toEqual([
      expect.objectContaining({
        ...{ actor_kind: 'OPERATOR', actor_id: 'user:root', target_type: 'Tenant' },
        ...{ slug: recipe.target, target_label: recipe.target, before: recipe.before },
        after: { ...Object(recipe.after), reason: REASON },
        sameTransaction: true,
      }),
    ]);
    const { rows: platform } = await api.database.admin.query(
      'select * from platform_audit_entries where action = $1',
      [name],
    );
    expect(platform).toEqual([
      expect.objectContaining({
        ...{ actor_id: 'user:root', reason: REASON, tenants: [recipe.target], ip: '127.0.0.1' },
        ...{ before: recipe.before, after: recipe.after },
      }),
    ]);
  };

  it.each(mutations)('has an entry of %s, in the transaction of the change', async (name) => {
    const recipe = recipes[name];
    if (!recipe) throw new Error(`add a recipe that calls ${name} to this test`);
    const input = await recipe.input();
    if (recipe.operator) return expectBothLogs(name, recipe, input);
    const before = await entries({ actions: [name] });
    const { by } = recipe;
    const caller = by === undefined ? admin : await api.issuer.token({ subject: by });
    expect(await mutate(name, input, caller)).toMatch(/Success$/);
    const [entry, ...rest] = await entries({ actions: [name] });
    expect(rest).toEqual(before);
    expect(entry).toMatchObject({
      action: name,
      actor: by
        ? { kind: 'USER', name: by, id: `user:${by}` }
        : { kind: 'API_KEY', name: 'test', id: expect.stringMatching(/^key:\d+$/) },
      target: { label: recipe.target },
      before: recipe.before,
      after: recipe.after,
      ip: '127.0.0.1',
    });
    const { rows } = await api.database.admin.query(
      'select xmin from audit_entries order by id desc limit 1',
    );
    const changed = await api.database.admin.query(`select from ${tableOf(name)} where xmin = $1`, [
      rows[0].xmin,
    ]);
    expect(changed.rowCount).toBeGreaterThan(0);
  });

  it('tells a person, the target by an id that finds it, and the id of the request', async () => {
    const token = await api.issuer.token({ tenant: 'acme', roles: ['admin'] });
    const { data, headers } = await api.ask(
      token,
      'mutation { deviceCreate(input: { key: "by-person" }) { ... on DeviceCreateSuccess { device { id } } } }',
    );
    const [entry] = await entries({ target: 'by-person' });
    expect(entry.actor).toMatchObject({ kind: 'USER', id: expect.stringMatching(/^user:/) });
    expect(entry.target).toEqual({ id: data.deviceCreate.device.id, type: 'Device', label: 'by-person' });
    expect(entry.requestId).toBe(headers.get('x-request-id'));
    const found = await api.ask(admin, `{ node(id: "${entry.id}") { ... on AuditEntry { action } } }`);
    expect(found.data.node).toEqual({ action: 'deviceCreate' });
  });

  it('has nothing of what was refused, and one entry of what was sent twice', async () => {
    const count = async () => (await entries({ actions: ['deviceCreate'] })).length;
    const before = await count();
    expect(await mutate('deviceCreate', { key: 'bad key' })).toBe('ValidationError');
    expect(await mutate('deviceCreate', { key: 'x' }, await api.apiKey(acme, 'VIEWER'))).toBe(
      'ForbiddenError',
    );
    expect(await count()).toBe(before);
    const input = { key: 'sent-twice', clientMutationId: 'twice' };
    await mutate('deviceCreate', input);
    await mutate('deviceCreate', input);
    expect(await count()).toBe(before + 1);
  });

  it('takes what is no mutation too, of whoever did it, and none of another tenant', async () => {
    const pool = openPool({ url: api.database.appUrl, name: 'test', max: 1, log: quiet });
    try {
      const entry: AuditEntry = {
        tenantId: acme.id,
        actor: { kind: 'OPERATOR', id: 'user:root', name: 'Root' },
        action: 'signIn',
        target: { type: 'User', id: 'root', label: 'Root' },
        before: null,
        after: { password: 'hunter2', country: 'DE' },
        ip: '192.0.2.1',
        requestId: 'r-1',
      };
      await recordAudit(pool, entry);
      expect((await entries({ actions: ['signIn'] }))[0]).toMatchObject({
        actor: { kind: 'OPERATOR', id: 'user:root', name: 'Root' },
        target: { type: 'User', label: 'Root' },
        after: { password: '[redacted]', country: 'DE' },
        ip: '192.0.2.1',
        requestId: 'r-1',
      });
      const stranger = await seedTenant(api.database.admin, 'stranger');
      expect(await entries({ actions: ['signIn'] }, await api.apiKey(stranger))).toEqual([]);
      await expect(recordAudit(pool, { ...entry, tenantId: 0 })).rejects.toThrow('foreign key');
    } finally {
      await pool.end();
    }
  });

  it('can be altered, emptied or cut by nobody who serves requests', async () => {
    const { rows } = await api.database.admin.query<{ count: string }>('select count(*) from audit_entries');
    for (const url of [api.database.appUrl, api.database.workerUrl]) {
      const pool = openPool({ url, name: 'test', max: 1, log: quiet });
      try {
        for (const text of [
          "update audit_entries set action = 'x'",
          'delete from audit_entries',
          'truncate audit_entries',
        ])
          await expect(pool.query(text), text).rejects.toThrow('permission denied');
      } finally {
        await pool.end();
      }
    }
    const after = await api.database.admin.query('select count(*) from audit_entries');
    expect(after.rows).toEqual(rows);
  });

  it('is filtered by actor, action, target and time, and walked newest first', async () => {
    const other = await seedTenant(api.database.admin, 'walked');
    const key = await other.apiKey();
    const person = await api.issuer.token({ tenant: 'walked', roles: ['admin'] });
    for (const [index, credential] of [key, key, person, key, person].entries())
      await mutate('deviceCreate', { key: `walked-${index}` }, credential);
    const actions = ['deviceCreate'];
    const labels = async (where: Record<string, unknown>) =>
      (await entries({ actions, ...where }, key)).map(
        (entry: { target: { label: string } }) => entry.target.label,
      );
    const all = await entries({ actions }, key);
    expect(all.map((entry: { target: { label: string } }) => entry.target.label)).toEqual(
      [4, 3, 2, 1, 0].map((index) => `walked-${index}`),
    );
    expect(await labels({ actor: all[0].actor.id })).toEqual(['walked-4', 'walked-2']);
    expect(await labels({ actor: 'TEST' })).toEqual(['walked-3', 'walked-1', 'walked-0']);
    expect(await labels({ target: 'ked-3' })).toEqual(['walked-3']);
    expect(await labels({ target: all[2].target.id })).toEqual(['walked-2']);
    expect(await labels({ actions: ['deviceUpdate'] })).toEqual([]);
    expect(await labels({ from: all[2].at, to: all[1].at })).toContain('walked-2');
    expect(await labels({ to: all[4].at })).toEqual([]);
    const walked: string[] = [];
    let after: string | null = null;
    do {
      const {
        data,
      }: {
        data: {
          auditEntries: {
            nodes: { target: { label: string } }[];
            pageInfo: { hasNextPage: boolean; endCursor: string };
          };
        };
      } = await api.ask(key, ENTRIES, { where: { actions }, first: 2, after });
      walked.push(...data.auditEntries.nodes.map((entry) => entry.target.label));
      after = data.auditEntries.pageInfo.hasNextPage ? data.auditEntries.pageInfo.endCursor : null;
    } while (after !== null);
    expect(walked).toEqual([4, 3, 2, 1, 0].map((index) => `walked-${index}`));
  });

  it('is read by admins only, and altered by nobody through the API', async () => {
    for (const role of ['VIEWER', 'OPERATOR', 'ENGINEER'] as const) {
      const { errors } = await api.ask(await api.apiKey(acme, role), ENTRIES);
      expect(errors[0]?.extensions?.['code']).toBe('FORBIDDEN');
    }
    const { rows } = await api.database.admin.query<{ right: string }>(
      `select p as right from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p
       where has_table_privilege('fleetgraph_app', 'audit_entries', p)`,
    );
    expect(rows.map(({ right }) => right)).toEqual(['SELECT', 'INSERT']);
  });
});
