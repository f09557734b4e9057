import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedEveryTable } from '../kit/every-table.ts';
import { bearer, doorOf, post } from '../kit/http-device.ts';
import { startProcesses, type TestProcesses } from '../kit/processes.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '../kit/seed.ts';
import { promptly, until } from '../kit/wait.ts';
import { connectPacket, openDevice, openRaw, type RawClient, topicOf } from './gateway-setup.ts';

const REASON = 'ticket 4711: the contract has ended';
/** No relay has it. */
const NO_SHARD = 999;
/** Between the deletion of a tenant and the removal of what it has. */
const DELAY_MS = 5_000;
const FAULTS = '... on UserError { code message path }';

describe('a tenant', () => {
  let api: TestApi;
  let processes: TestProcesses;
  let home: TenantSeed;
  let operator: string;
  let mqttUrl: string;
  let objects: string;

  beforeAll(async () => {
    objects = mkdtempSync(join(tmpdir(), 'fleetgraph-objects-'));
    // Some seconds of delay: what is deleted here is deleted while we watch.
    api = await openTestApi({ env: { TENANT_DELETE_DAYS: String(DELAY_MS / 86_400_000) } });
    processes = await startProcesses({
      database: api.database,
      natsUrl: api.nats.url,
      start: ['gateway', 'relay', 'ingest', 'janitor'],
      env: { JANITOR_INTERVAL_MS: '1000', JANITOR_PURGE_ROWS: '7', OBJECTS_DIR: objects },
    });
    mqttUrl = `mqtt://127.0.0.1:${processes.mqttPort}`;
    home = await seedTenant(api.database.admin, 'platform');
    operator = await api.operator(home);
  });
  afterAll(async () => {
    await processes[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
    rmSync(objects, { recursive: true, force: true });
  });

  const mutate = async (name: string, input: Record<string, unknown>, selection = 'status') => {
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}`;
    const { data, errors } = await api.ask(
      operator,
      `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Success { tenant { ${selection} } } ${FAULTS} } }`,
      { input: { reason: REASON, ...input } },
    );
    expect(errors).toEqual([]);
    return data[name];
  };
  const returnCode = async (device: SeededDevice) => {
    await using client = await openRaw(mqttUrl);
    client.send(connectPacket(device));
    return (await client.packet('connack')).returnCode;
  };
  const publish = async (client: RawClient, device: SeededDevice, payload: string) => {
    const topic = topicOf(device, 'telemetry');
    client.send({ ...{ cmd: 'publish', topic, payload, messageId: 1 }, qos: 1, dup: false, retain: false });
    await client.packet('puback');
  };
  const statusOf = async (slug: string) => {
    const { rows } = await api.database.admin.query('select status from tenants where slug = $1', [slug]);
    return rows[0]?.status;
  };

  it('is made under a slug that nobody has, once, and its people come in at once', async () => {
    const input = { slug: 'fresh', name: 'Fresh Ltd', retentionDays: 30, clientMutationId: 'make-fresh' };
    const selection = 'slug name status retentionDays deviceCount';
    const made = {
      __typename: 'TenantCreateSuccess',
      tenant: { slug: 'fresh', name: 'Fresh Ltd', status: 'ACTIVE', retentionDays: 30, deviceCount: 0 },
    };
    expect(await mutate('tenantCreate', input, selection)).toEqual(made);
    expect(await mutate('tenantCreate', input, selection)).toEqual(made);
    const { data } = await api.ask(
      await api.issuer.token({ tenant: 'fresh' }),
      '{ viewer { role tenant { name } } }',
    );
    expect(data.viewer).toEqual({ role: 'ADMIN', tenant: { name: 'Fresh Ltd' } });
    expect(await mutate('tenantCreate', { slug: 'fresh', name: 'Other' })).toMatchObject({
      __typename: 'ConflictError',
      path: ['input', 'slug'],
    });
    for (const [bad, path] of [
      [{ slug: 'Not a slug', name: 'x' }, 'slug'],
      [{ slug: 'ok', name: ' ' }, 'name'],
      [{ slug: 'ok', name: 'x', retentionDays: 0 }, 'retentionDays'],
      [{ slug: 'ok', name: 'x', reason: 'because' }, 'reason'],
    ] as const) {
      expect(await mutate('tenantCreate', bad)).toMatchObject({
        __typename: 'ValidationError',
        path: ['input', path],
      });
    }
  });

  it('is shut out within a second when it is suspended, keeps its data, and comes back', async () => {
    const acme = await seedTenant(api.database.admin, 'acme');
    const other = await seedTenant(api.database.admin, 'other');
    const [device, bystander] = [await acme.device('pump'), await other.device('pump')];
    const key = await acme.apiKey();
    const reading = JSON.stringify({ metrics: { t: 1 } });
    await using session = await openDevice(mqttUrl, device);
    await using still = await openDevice(mqttUrl, bystander);
    await publish(session, device, reading);
    const stored = async () => {
      const { rows } = await api.database.admin.query<{ count: number }>(
        'select count(*)::int from readings where tenant_id = $1',
        [acme.id],
      );
      return rows[0]?.count ?? 0;
    };
    await until('the reading', async () => (await stored()) === 1);
    expect((await post(`${api.url}${doorOf(device)}`, reading, bearer(device))).status).toBe(202);
    await until('the other reading', async () => (await stored()) === 2);
    const socket = api.socket(key);
    let closed: unknown;
    socket.on('closed', (event) => {
      closed = event;
    });
    const live = socket.iterate({ query: 'subscription { presence { __typename } }' });
    await live.next();
    const ended = live.next().catch(() => undefined);

    expect((await mutate('tenantSuspend', { slug: 'acme' })).tenant).toEqual({ status: 'SUSPENDED' });
    await promptly('the end of both sessions', () => session.closed() && closed);
    expect(closed).toMatchObject({ code: 4403, reason: 'the tenant acme is suspended' });
    await ended;
    expect(await returnCode(device)).toBe(5);
    const http = await post(`${api.url}${doorOf(device)}`, reading, bearer(device));
    expect(http.status).toBe(403);
    const { status, errors } = await api.ask(key, '{ viewer { name } }');
    expect(status).toBe(403);
    expect(errors[0]?.extensions?.['code']).toBe('TENANT_SUSPENDED');
    expect(await stored()).toBe(2);
    expect(still.closed()).toBe(false);
    expect(await mutate('tenantSuspend', { slug: 'acme' })).toMatchObject({ __typename: 'ConflictError' });

    expect((await mutate('tenantResume', { slug: 'acme' })).tenant).toEqual({ status: 'ACTIVE' });
    expect(await until('to be let in', async () => (await returnCode(device)) === 0)).toBe(true);
    expect((await api.ask(key, '{ viewer { name } }')).status).toBe(200);
    expect(await mutate('tenantResume', { slug: 'acme' })).toMatchObject({ __typename: 'ConflictError' });
  });

  it('has what was on its way when it was suspended put into quarantine', async () => {
    const slow = await seedTenant(api.database.admin, 'slow');
    const device = await slow.device('pump');
    await using session = await openDevice(mqttUrl, device);
    await processes.get('ingest').stop();
    await publish(session, device, '{"t":1}');
    await mutate('tenantSuspend', { slug: 'slow' });
    await using ingest = await startProcesses({
      ...{ database: api.database, natsUrl: api.nats.url, start: ['ingest'] },
    });
    const rows = await until('quarantine', async () => {
      const found = await api.database.admin.query('select reason from quarantine where tenant_id = $1', [
        slow.id,
      ]);
      return found.rows.length > 0 && found.rows;
    });
    expect(rows).toEqual([{ reason: 'TENANT_SUSPENDED' }]);
    expect(ingest).toBeDefined();
  });

  it('cannot be the operator’s own, nor one that is not there', async () => {
    for (const name of ['tenantSuspend', 'tenantDelete'])
      expect(await mutate(name, { slug: 'platform' })).toMatchObject({ __typename: 'ValidationError' });
    for (const name of ['tenantSuspend', 'tenantResume', 'tenantDelete', 'tenantDeleteCancel'])
      expect(await mutate(name, { slug: 'nobody' })).toMatchObject({ __typename: 'NotFoundError' });
  });

  it('stays when its deletion is called off in time, as it was before', async () => {
    for (const before of ['ACTIVE', 'SUSPENDED']) {
      const slug = `spared-${before.toLowerCase()}`;
      await seedTenant(api.database.admin, slug);
      if (before === 'SUSPENDED') await mutate('tenantSuspend', { slug });
      const { tenant } = await mutate('tenantDelete', { slug }, 'status deleteAfter');
      expect(tenant).toEqual({ status: 'DELETING', deleteAfter: expect.any(String) });
      expect(await mutate('tenantResume', { slug })).toMatchObject({ __typename: 'ConflictError' });
      expect((await mutate('tenantDeleteCancel', { slug }, 'status deleteAfter')).tenant).toEqual({
        status: before,
        deleteAfter: null,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, DELAY_MS + 1_500));
    expect([await statusOf('spared-active'), await statusOf('spared-suspended')]).toEqual([
      'ACTIVE',
      'SUSPENDED',
    ]);
  });

  it('leaves nothing in any table or folder when its delay is over, whatever interrupts it', async () => {
    const { admin } = api.database;
    const [doomed, other] = [await seedTenant(admin, 'doomed'), await seedTenant(admin, 'doomed-neighbour')];
    for (const tenant of [doomed, other]) await fill(tenant);
    await until('the relay', async () => {
      const { rows } = await admin.query('select from outbox where shard <> $1', [NO_SHARD]);
      return rows.length === 0;
    });
    const filled = await tablesOf(doomed.id);
    expect(Object.keys(filled).filter((name) => filled[name] === 0)).toEqual([]);
    const neighbour = await tablesOf(other.id);
    await processes.get('janitor').stop();
    expect((await mutate('tenantDelete', { slug: 'doomed' })).tenant).toEqual({ status: 'DELETING' });
    await new Promise((resolve) => setTimeout(resolve, DELAY_MS + 100));
    // One that is killed half-way, then one that finds what it left.
    const start = () =>
      startProcesses({
        ...{ database: api.database, natsUrl: api.nats.url, start: ['janitor'] },
        env: { JANITOR_INTERVAL_MS: '1000', JANITOR_PURGE_ROWS: '2', OBJECTS_DIR: objects },
      });
    {
      await using first = await start();
      await until('the purge to begin', async () => {
        const { rows } = await admin.query(
          'select from tenants where id = $1 and purge_started_at is not null',
          [doomed.id],
        );
        return rows.length > 0;
      });
      await first.get('janitor').kill('SIGKILL');
    }
    // The statement that was under way when it was killed may still end the tenant.
    const { __typename: refusal } = await mutate('tenantDeleteCancel', { slug: 'doomed' });
    expect(['ConflictError', 'NotFoundError']).toContain(refusal);
    await admin.query("update leases set expires_at = now() where name like 'janitor%'");
    await using second = await start();
    await until('the end of the tenant', async () => (await statusOf('doomed')) === undefined);
    expect(second).toBeDefined();
    expect(await tablesOf(doomed.id)).toEqual(
      Object.fromEntries(Object.keys(filled).map((name) => [name, 0])),
    );
    expect(await tablesOf(other.id)).toEqual(neighbour);
    expect(await readdir(join(objects, 'tenants'))).toEqual(['doomed-neighbour']);
    const { rows: log } = await admin.query(
      "select action, reason, tenants from platform_audit_entries where 'doomed' = any (tenants) order by id",
    );
    expect(log.map(({ action }) => action)).toEqual(['tenantDelete', 'tenantPurge']);
    expect(await mutate('tenantCreate', { slug: 'doomed', name: 'Again' })).toMatchObject({
      __typename: 'ConflictError',
      message: expect.stringContaining('never given out twice'),
    });
  });

  it('can be purged by nobody before its time, and by none but the clock', async () => {
    const safe = await seedTenant(api.database.admin, 'safe');
    await safe.device('pump');
    const { worker } = api.database;
    await expect(worker.query('select purge_tenant_rows($1, $2, 10)', [safe.id, 'devices'])).rejects.toThrow(
      'has not begun',
    );
    expect((await worker.query('select begin_purge($1) as begun', [safe.id])).rows).toEqual([
      { begun: false },
    ]);
    expect((await worker.query('select finish_purge($1) as ended', [safe.id])).rows).toEqual([
      { ended: false },
    ]);
  });

  /** Rows of a tenant in every table and partition that has a column for it. */
  async function tablesOf(tenantId: number): Promise<Record<string, number>> {
    const { admin } = api.database;
    const { rows: names } = await admin.query<{ name: string }>(
      `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
    );
    const counted: Record<string, number> = {};
    for (const { name } of names) {
      const { rows } = await admin.query<{ count: number }>(
        `select count(*)::int as count from ${name} where tenant_id = $1`,
        [tenantId],
      );
      counted[name] = rows[0]?.count ?? 0;
    }
    return counted;
  }

  /** Something in every table there is, readings in several batches, and a file. */
  async function fill(tenant: TenantSeed): Promise<void> {
    const { admin } = api.database;
    await seedEveryTable(admin, tenant, NO_SHARD);
    const insert = (text: string, ...values: unknown[]) => admin.query(text, [tenant.id, ...values]);
    const devices = await tenant.devices(10);
    await insert(
      'insert into ingest_keys (tenant_id, device_id, key_hash, body_hash, received_at) values ($1, $2, sha256($3::bytea), sha256($3::bytea), now())',
      devices[0]?.id,
      Buffer.from(tenant.slug),
    );
    for (const { id } of devices) {
      for (const day of ['2026-01-05', '2026-01-06']) {
        await admin.query("select ensure_partition('readings', $1::date)", [day]);
        await insert(
          `insert into readings (tenant_id, device_id, ts, msg_id, received_at, metrics)
           select $1, $2, $3::date + n * interval '1 second', n, now(), '{}' from generate_series(1, 3) n`,
          id,
          day,
        );
      }
    }
    // What has ended is let go of by the same clock, whosever it is.
    await insert("update sign_ins set good_until = now() + interval '1 hour' where tenant_id = $1");
    const folder = join(objects, 'tenants', tenant.slug, 'exports');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'a.csv'), 'x');
  }
});
