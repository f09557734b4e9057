import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLES } from '#core/auth/permissions.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '../kit/seed.ts';

const REASON = 'ticket 4711: readings are missing';

describe('an operator of the platform', () => {
  let api: TestApi;
  let home: TenantSeed;
  let acme: TenantSeed;
  let bravo: TenantSeed;
  let pump: SeededDevice;
  let operator: string;

  beforeAll(async () => {
    api = await openTestApi();
    [home, acme, bravo] = [
      await seedTenant(api.database.admin, 'platform'),
      await seedTenant(api.database.admin, 'acme'),
      await seedTenant(api.database.admin, 'bravo'),
    ];
    pump = await acme.device('pump-1');
    await bravo.device('pump-2');
    await bravo.device('valve');
    const { admin } = api.database;
    await admin.query(
      "select ensure_partition('readings', (now() at time zone 'utc')::date), ensure_partition('ingest_frames', (now() at time zone 'utc')::date)",
    );
    await admin.query(
      `insert into device_latest (device_id, tenant_id, newest_ts, metrics) values ($1, $2, '2026-01-02T03:04:05Z', '{}')`,
      [pump.id, acme.id],
    );
    await admin.query(
      `insert into device_presence (device_id, tenant_id, connection, last_seen_at) values ($1, $2, 'ONLINE', '2026-01-02T03:04:06Z')`,
      [pump.id, acme.id],
    );
    await admin.query(
      `insert into ingest_days (tenant_id, day, accepted, stored, duplicate, quarantined, dead_lettered)
       select * from (values ($1::int, (now() at time zone 'UTC')::date, 9, 5, 2, 1, 1), ($1, '2026-01-02', 100, 100, 0, 0, 0),
         ($2, '2026-01-02', 70, 60, 10, 0, 0)) v`,
      [acme.id, bravo.id],
    );
    await admin.query(
      `insert into dead_letters (tenant_id, stream, stream_sequence, item_index, payload, reason)
       values ($1, 'TELEMETRY', 7, 2, 'abc', 'STORE_REJECTED'), (null, 'EVENTS', 8, -1, 'x', 'no frame')`,
      [acme.id],
    );
    operator = await api.operator(home);
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const look = (selection: string, credential = operator, reason = REASON) =>
    api.ask(credential, `query ($reason: String!) { operator(reason: $reason) { ${selection} } }`, {
      reason,
    });
  const platformLog = async () => {
    const { rows } = await api.database.admin.query('select * from platform_audit_entries order by id desc');
    return rows;
  };
  const logOf = async (tenant: TenantSeed) => {
    const { rows } = await api.database.admin.query(
      'select * from audit_entries where tenant_id = $1 order by id desc',
      [tenant.id],
    );
    return rows;
  };

  it('is known by the role in the token alone: no role of a tenant and no key will do', async () => {
    const strangers = [
      ...(await Promise.all(ROLES.map((role) => api.apiKey(acme, role)))),
      ...(await Promise.all(ROLES.map((role) => api.issuer.token({ tenant: 'acme', roles: [role] })))),
    ];
    for (const credential of strangers) {
      const { data, errors } = await look('tenants { nodes { slug } }', credential);
      expect(data).toBeNull();
      expect(errors[0]?.extensions?.['code']).toBe('FORBIDDEN');
    }
    expect(await platformLog()).toEqual([]);
    const { data } = await api.ask(operator, '{ viewer { permissions tenant { slug } } }');
    expect(data.viewer).toMatchObject({ tenant: { slug: 'platform' } });
    expect(data.viewer.permissions).toContain('platform.operate');
  });

  it.each(['', '        ', 'why not', 'x'.repeat(501), 'has a \0 in it'])(
    'is refused for the reason %j',
    async (reason) => {
      const before = await platformLog();
      const { data, errors } = await look('tenants { nodes { slug } }', operator, reason);
      expect(data).toBeNull();
      expect(errors[0]?.extensions?.['code']).toBe('BAD_USER_INPUT');
      expect(await platformLog()).toEqual(before);
    },
  );

  it('sees every tenant with what it has, and sees the list page by page', async () => {
    const { data, errors } = await look(
      `tenants { totalCount nodes { slug name status deviceCount onlineCount lastReadingAt deleteAfter
         today { stored } total { accepted stored duplicate quarantined deadLettered } } }`,
    );
    expect(errors).toEqual([]);
    expect(data.operator.tenants.totalCount).toBe(3);
    const none = { accepted: 0, stored: 0, duplicate: 0, quarantined: 0, deadLettered: 0 };
    const still = { status: 'ACTIVE', deleteAfter: null };
    expect(data.operator.tenants.nodes).toEqual([
      {
        ...{ ...still, slug: 'acme', name: 'acme', deviceCount: 1, onlineCount: 1 },
        lastReadingAt: '2026-01-02T03:04:05.000Z',
        today: { stored: 5 },
        total: { accepted: 109, stored: 105, duplicate: 2, quarantined: 1, deadLettered: 1 },
      },
      {
        ...{ ...still, slug: 'bravo', name: 'bravo', deviceCount: 2, onlineCount: 0, lastReadingAt: null },
        today: { stored: 0 },
        total: { accepted: 70, stored: 60, duplicate: 10, quarantined: 0, deadLettered: 0 },
      },
      {
        ...{ ...still, slug: 'platform', name: 'platform', deviceCount: 0, onlineCount: 0 },
        ...{ lastReadingAt: null, today: { stored: 0 }, total: none },
      },
    ]);
    const first = await look('tenants(first: 2) { nodes { slug } pageInfo { hasNextPage endCursor } }');
    expect(first.data.operator.tenants.pageInfo.hasNextPage).toBe(true);
    const { endCursor } = first.data.operator.tenants.pageInfo;
    const second = await look(`tenants(first: 2, after: "${endCursor}") { nodes { slug } }`);
    expect(second.data.operator.tenants.nodes).toEqual([{ slug: 'platform' }]);
    const found = await look(
      'a: tenants(where: { search: "RAV" }) { nodes { slug } } b: tenants(where: { statuses: [SUSPENDED] }) { nodes { slug } }',
    );
    expect(found.data.operator).toEqual({ a: { nodes: [{ slug: 'bravo' }] }, b: { nodes: [] } });
  });

  it('stands in the platform’s log with who, why, what and from where before anything is read', async () => {
    const { headers } = await api.ask(
      operator,
      `query ($reason: String!, $slug: String!) { operator(reason: $reason) { one: tenant(slug: $slug) { ...Parts } streams { name } } }
       fragment Parts on OperatedTenant { slug total { stored } }`,
      { reason: `  ${REASON} `, slug: 'acme' },
    );
    const [entry] = await platformLog();
    expect(entry).toMatchObject({
      actor_id: 'user:root',
      actor_name: 'root',
      action: 'operatorAccess',
      reason: REASON,
      tenants: ['acme'],
      fields: ['tenant', 'tenant.slug', 'tenant.total', 'tenant.total.stored', 'streams', 'streams.name'],
      arguments: { one: { slug: 'acme' } },
      ip: '127.0.0.1',
      request_id: headers.get('x-request-id'),
    });
    await api.database.admin.query('revoke insert on platform_audit_entries from fleetgraph_operator');
    try {
      const { data, errors } = await look('tenants { nodes { slug } }');
      expect(data).toBeNull();
      expect(errors[0]?.extensions?.['code']).toBe('INTERNAL');
    } finally {
      await api.database.admin.query('grant insert on platform_audit_entries to fleetgraph_operator');
    }
  });

  it('is seen by a tenant that it looks at by name, by no other, and by none that it sees in a list', async () => {
    const before = { acme: await logOf(acme), bravo: await logOf(bravo) };
    await look(
      'tenants { nodes { slug } } devices(search: "pump") { nodes { key } } deadLetters { nodes { id } }',
    );
    expect({ acme: await logOf(acme), bravo: await logOf(bravo) }).toEqual(before);
    await look(
      'tenant(slug: "acme") { deviceCount } devices(search: "pump", tenant: "acme") { nodes { key } } deadLetters(tenant: "acme") { nodes { id } }',
    );
    expect(await logOf(bravo)).toEqual(before.bravo);
    expect((await logOf(acme)).length).toBe(before.acme.length + 1);
    const { data } = await api.ask(
      await api.apiKey(acme),
      '{ auditEntries(first: 1, where: { actions: ["operatorAccess"] }) { nodes { action actor { id kind name } target { type label } before after ip } } }',
    );
    expect(data.auditEntries.nodes[0]).toMatchObject({
      action: 'operatorAccess',
      actor: { id: 'user:root', kind: 'OPERATOR', name: 'root' },
      target: { type: 'Tenant', label: 'acme' },
      before: null,
      after: {
        reason: REASON,
        fields: expect.arrayContaining(['tenant.deviceCount', 'deadLetters.nodes.id']),
      },
      ip: '127.0.0.1',
    });
    await api.database.admin.query('revoke insert on audit_entries from fleetgraph_operator');
    try {
      const hidden = await look('tenant(slug: "acme") { deviceCount }');
      expect(hidden.data.operator.tenant).toBeNull();
      expect(hidden.errors).toHaveLength(1);
    } finally {
      await api.database.admin.query('grant insert on audit_entries to fleetgraph_operator');
    }
    const gone = await look('tenant(slug: "nobody") { slug }');
    expect(gone.data.operator).toEqual({ tenant: null });
    expect((await platformLog())[0].tenants).toEqual(['nobody']);
  });

  it('finds devices of every tenant, or of one', async () => {
    const { data } = await look(
      `all: devices(search: "PUMP") { nodes { key tenant { slug } status connection lastSeenAt } }
       one: devices(search: "pump", tenant: "bravo") { nodes { key } }`,
    );
    expect(data.operator).toEqual({
      all: {
        nodes: [
          {
            ...{ key: 'pump-1', tenant: { slug: 'acme' }, status: 'ACTIVE', connection: 'ONLINE' },
            lastSeenAt: '2026-01-02T03:04:06.000Z',
          },
          {
            ...{ key: 'pump-2', tenant: { slug: 'bravo' }, status: 'ACTIVE', connection: 'UNKNOWN' },
            lastSeenAt: null,
          },
        ],
      },
      one: { nodes: [{ key: 'pump-2' }] },
    });
    const codes = async (selection: string) => (await look(selection)).errors[0]?.extensions?.['code'];
    expect(await codes('devices(search: "p") { nodes { key } }')).toBe('BAD_USER_INPUT');
    expect(await codes(String.raw`devices(search: "\\u0000 as text") { nodes { key } }`)).toBeUndefined();
    expect(await codes('devices(search: "pump", tenant: "nobody") { nodes { key } }')).toBe('NOT_FOUND');
  });

  it('sees streams, who reads them, gateways, leases, durability and dead letters', async () => {
    await api.bus.js.publish('telemetry.0', 'x');
    await api.bus.jsm.consumers.add('TELEMETRY', { durable_name: 'slow', ack_policy: 'explicit' });
    await api.database.admin.query(
      `insert into gateways (id, lease_expires_at) values ('gateway-a', now()) on conflict do nothing`,
    );
    await api.database.admin.query(
      `insert into leases (name, holder, expires_at) values ('relay/0', 'relay-x', now()), ('relay/1', 'relay-x', now())`,
    );
    const { data, errors } = await look(
      `streams { name messages bytes oldestAt replicas storage consumers { name durable pending unacknowledged redelivered } }
       gateways { name sessions leaseExpiresAt } leases { holder names } durability { fsync synchronousCommit synchronousStandbys }
       deadLetters { nodes { tenant { slug } stream sequence itemIndex reason payloadBytes } }`,
    );
    expect(errors).toEqual([]);
    const { streams, gateways, leases, durability, deadLetters } = data.operator;
    expect(streams.find((stream: { name: string }) => stream.name === 'TELEMETRY')).toMatchObject({
      messages: 1,
      oldestAt: expect.any(String),
      replicas: 1,
      storage: 'file',
      consumers: [{ name: 'slow', durable: true, pending: 1, unacknowledged: 0, redelivered: 0 }],
    });
    expect(gateways).toMatchObject([{ name: 'gateway-a', sessions: 0 }]);
    expect(leases).toEqual([{ holder: 'relay-x', names: ['relay/0', 'relay/1'] }]);
    expect(durability).toEqual({
      fsync: false,
      synchronousCommit: expect.any(String),
      synchronousStandbys: 0,
    });
    expect(deadLetters.nodes).toEqual([
      { tenant: null, stream: 'EVENTS', sequence: 8, itemIndex: -1, reason: 'no frame', payloadBytes: 1 },
      {
        ...{ tenant: { slug: 'acme' }, stream: 'TELEMETRY', sequence: 7, itemIndex: 2 },
        ...{ reason: 'STORE_REJECTED', payloadBytes: 3 },
      },
    ]);
    const some = await look('deadLetters(stream: "EVENTS") { nodes { sequence } }');
    expect(some.data.operator.deadLetters.nodes).toEqual([{ sequence: 8 }]);
  });

  it('sees what each process accepted lately, and what became of it', async () => {
    await api.database.admin.query(
      "select ensure_partition('ingest_frames', (now() at time zone 'utc')::date)",
    );
    const counts = { accepted: 5, stored: 2, duplicate: 1, quarantined: 1, deadLettered: 1 };
    for (const [origin, age] of [
      ['gateway-a', '1 minute'],
      ['gateway-a', '2 minutes'],
      ['gateway-b', '50 minutes'],
    ]) {
      await api.database.admin.query(
        `insert into ingest_frames (framed_at, batch_id, shard, stream_sequence, items, counts, fresh, origin, stored_at)
         values (now(), gen_random_uuid(), 0, 1, 5, $1, '', $2, now() - $3::interval)`,
        [{ [acme.id]: counts }, origin, age],
      );
    }
    const ofThem = 'process accepted stored duplicate quarantined deadLettered';
    const { data } = await look(
      `now: processes { ${ofThem} } hour: processes(minutes: 60) { process accepted }`,
    );
    expect(data.operator.now).toEqual([
      { process: 'gateway-a', accepted: 10, stored: 4, duplicate: 2, quarantined: 2, deadLettered: 2 },
    ]);
    expect(data.operator.hour).toEqual([
      { process: 'gateway-a', accepted: 10 },
      { process: 'gateway-b', accepted: 5 },
    ]);
    const { errors } = await look('processes(minutes: 61) { process }');
    expect(errors[0]?.extensions?.['code']).toBe('BAD_USER_INPUT');
  });

  it('reads its own log, filtered', async () => {
    const { data } = await look(
      `acme: audit(where: { tenant: "acme", actions: ["operatorAccess"] }, first: 1) { nodes { action reason tenants fields } }
       nobody: audit(where: { actor: "somebody else" }) { nodes { id } }
       later: audit(where: { from: "2100-01-01T00:00:00Z" }) { nodes { id } }`,
    );
    expect(data.operator.acme.nodes).toMatchObject([{ action: 'operatorAccess', reason: REASON }]);
    expect(data.operator.acme.nodes[0].tenants).toContain('acme');
    expect(data.operator).toMatchObject({ nobody: { nodes: [] }, later: { nodes: [] } });
  });

  it('may read everything and write next to nothing, whatever the API lets slip', async () => {
    const client = new pg.Client({ connectionString: api.database.operatorUrl });
    await client.connect();
    try {
      for (const text of [
        'update platform_audit_entries set reason = $$x$$',
        'delete from platform_audit_entries',
        'truncate platform_audit_entries',
        'update audit_entries set action = $$x$$',
        'delete from audit_entries',
        'delete from tenants',
        'update tenants set slug = $$x$$',
        'update devices set name = $$x$$',
        'insert into api_keys (tenant_id) values (1)',
        'select private_key from certificate_authorities',
        'select private_key from platform_authorities',
        `select begin_purge(${acme.id})`,
      ])
        await expect(client.query(text), text).rejects.toThrow('permission denied');
    } finally {
      await client.end();
    }
  });

  it('is nobody where the deployment has no connection for operators', async () => {
    await using bare = await openTestApi({ operators: false });
    const tenant = await seedTenant(bare.database.admin, 'alone');
    const { data, errors } = await bare.ask(
      await bare.operator(tenant),
      `{ operator(reason: "${REASON}") { tenants { nodes { slug } } } }`,
    );
    expect(data).toBeNull();
    expect(errors[0]?.extensions?.['code']).toBe('FORBIDDEN');
  });
});
