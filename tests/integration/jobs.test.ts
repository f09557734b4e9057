import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deviceUpdateMessages } from '#core/bus/device-changes.ts';
import { bulkHandlers } from '#core/db/bulk.ts';
import { type JobHandlers, stepJob } from '#core/db/jobs.ts';
import { openPool, type Pool } from '#core/db/pool.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { quiet } from '../kit/nats.ts';
import { startProcesses } from '../kit/processes.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';
import { until } from '../kit/wait.ts';

const JOB = `id kind input status total done changed failed requestedBy startedAt finishedAt
  errors { device { key } code message }`;

describe('jobs', () => {
  let api: TestApi;
  let pool: Pool;

  beforeAll(async () => {
    api = await openTestApi();
    pool = openPool({ url: api.database.workerUrl, name: 'test', max: 6, log: quiet });
  });
  afterAll(async () => {
    await pool.end();
    await api[Symbol.asyncDispose]();
  });

  const HANDLERS: JobHandlers = bulkHandlers(deviceUpdateMessages);
  const step = (handlers = HANDLERS, batch = 50) =>
    stepJob({ pool, handlers, shards: 16, log: quiet, batch });
  const drain = async (handlers = HANDLERS, batch = 50) => {
    for (let step_ = await step(handlers, batch); step_; step_ = await step(handlers, batch));
  };

  /** A tenant with devices, and a client of its engineer. */
  const openFleet = async (slug: string, devices: number) => {
    const tenant: TenantSeed = await seedTenant(api.database.admin, slug);
    await tenant.devices(devices);
    const key = await api.apiKey(tenant, 'ENGINEER');
    const ask = async (document: string, variables: Record<string, unknown> = {}, credential = key) => {
      const { data, errors } = await api.ask(credential, document, variables);
      expect(errors).toEqual([]);
      return data;
    };
    const tag = async (tags: string[], where: Record<string, unknown> = {}) => {
      const { devicesTag } = await ask(
        `mutation ($input: DevicesTagInput!) { devicesTag(input: $input) { __typename
          ... on DevicesTagSuccess { matched changed failed job { ${JOB} } } ... on UserError { message } } }`,
        { input: { target: { where }, tags } },
      );
      return devicesTag;
    };
    const job = async (id: string) => (await ask(`query ($id: ID!) { job(id: $id) { ${JOB} } }`, { id })).job;
    const cancel = async (id: string, credential = key) => {
      const { jobCancel } = await ask(
        `mutation ($id: ID!) { jobCancel(input: { id: $id }) { __typename
          ... on JobCancelSuccess { job { status } } ... on UserError { code } } }`,
        { id },
        credential,
      );
      return jobCancel;
    };
    const tagged = async (label: string) => {
      const { rows } = await api.database.admin.query<{ devices: number; changes: number; told: number }>(
        `select count(*) filter (where $2 = any(tags))::int as devices, coalesce(sum(version - 1), 0)::int as changes,
           (select count(*) from outbox where tenant_id = $1 and subject = 'control.device')::int as told
         from devices where tenant_id = $1`,
        [tenant.id, label],
      );
      return rows[0];
    };
    return { tenant, key, ask, tag, job, cancel, tagged };
  };

  it('work on more than a hundred devices a batch at a time, and say how far they are', async () => {
    const fleet = await openFleet('batches', 120);
    await api.database.admin.query(
      `update devices set status = 'DECOMMISSIONED' where tenant_id = $1 and key = 'device-7'`,
      [fleet.tenant.id],
    );
    const asked = await fleet.tag(['x'], { statuses: ['ACTIVE', 'DECOMMISSIONED'] });
    expect(asked).toMatchObject({
      ...{ __typename: 'DevicesTagSuccess', matched: 120, changed: 0 },
      job: {
        kind: 'devicesTag',
        input: { tags: ['x'] },
        status: 'QUEUED',
        total: 120,
        done: 0,
        requestedBy: 'test',
      },
    });
    await step();
    expect(await fleet.job(asked.job.id)).toMatchObject({
      status: 'RUNNING',
      done: 49,
      failed: 1,
      finishedAt: null,
    });
    await drain();
    const ended = await fleet.job(asked.job.id);
    expect(ended).toMatchObject({
      ...{ status: 'SUCCEEDED', total: 120, done: 119, changed: 119, failed: 1 },
      ...{ startedAt: expect.any(String), finishedAt: expect.any(String) },
      errors: [{ device: { key: 'device-7' }, code: 'CONFLICT', message: 'the device is decommissioned' }],
    });
    expect(await fleet.tagged('x')).toEqual({ devices: 119, changes: 119, told: 119 });
    const { rows: left } = await api.database.admin.query(
      'select from fleet_job_devices where tenant_id = $1',
      [fleet.tenant.id],
    );
    expect(left).toHaveLength(1);
    const { rows: log } = await api.database.admin.query(
      `select actor_kind, actor_name, actor_id, target_id, target_label, after, request_id from audit_entries
       where tenant_id = $1 and action in ('devicesTag', 'job.finish') order by id`,
      [fleet.tenant.id],
    );
    expect(log).toEqual([
      expect.objectContaining({ target_label: '120 devices', after: { tags: ['x'], matched: 120 } }),
      expect.objectContaining({
        ...{
          actor_kind: 'API_KEY',
          actor_name: 'test',
          actor_id: log[0].actor_id,
          request_id: log[0].request_id,
        },
        ...{ target_id: log[0].target_id, target_label: 'devicesTag' },
        after: { status: 'SUCCEEDED', total: 120, changed: 119, failed: 1 },
      }),
    ]);
  });

  it('are stopped by whoever may ask for them, keep what is done, and cannot be stopped twice', async () => {
    const fleet = await openFleet('stopped', 150);
    const { job } = await fleet.tag(['x']);
    await step();
    const operator = await api.apiKey(fleet.tenant, 'OPERATOR');
    expect(await fleet.cancel(job.id, operator)).toMatchObject({ __typename: 'ForbiddenError' });
    expect(await fleet.cancel(job.id)).toMatchObject({ job: { status: 'CANCELLED' } });
    expect(await fleet.cancel(job.id)).toMatchObject({ __typename: 'ConflictError' });
    await drain();
    expect(await fleet.job(job.id)).toMatchObject({ status: 'CANCELLED', done: 50 });
    expect(await fleet.tagged('x')).toMatchObject({ devices: 50 });
  });

  it('change the site and the groups of devices, too', async () => {
    const fleet = await openFleet('moving', 101);
    await fleet.tenant.site('north');
    await fleet.ask('mutation { groupCreate(input: { key: "all" }) { __typename } }');
    await fleet.ask(
      `mutation { devicesSetSite(input: { target: { where: {} }, siteKey: "north" }) { __typename }
        devicesAddToGroup(input: { target: { where: {} }, groupKey: "all" }) { __typename } }`,
    );
    await drain();
    expect(
      await fleet.ask(
        `{ devices(where: { siteKeys: ["north"], groupKeys: ["all"] }) { totalCount } jobs { nodes { status failed } } }`,
      ),
    ).toEqual({
      devices: { totalCount: 101 },
      jobs: { nodes: [1, 2].map(() => ({ status: 'SUCCEEDED', failed: 0 })) },
    });
  });

  it('end as failed when they could be done for nobody', async () => {
    const fleet = await openFleet('hopeless', 101);
    await fleet.ask('mutation { groupCreate(input: { key: "doomed" }) { __typename } }');
    const { devicesAddToGroup } = await fleet.ask(
      `mutation { devicesAddToGroup(input: { target: { where: {} }, groupKey: "doomed" }) {
        ... on DevicesAddToGroupSuccess { job { id } } } }`,
    );
    await api.database.admin.query('delete from device_groups where tenant_id = $1', [fleet.tenant.id]);
    await drain();
    const { errors, ...ended } = await fleet.job(devicesAddToGroup.job.id);
    expect(ended).toMatchObject({ status: 'FAILED', done: 0, failed: 101 });
    expect(errors).toHaveLength(100);
    expect(errors[0]).toMatchObject({ code: 'NOT_FOUND', message: 'the group is gone' });
  });

  it('find the one device that a handler cannot bear, and do the others', async () => {
    const fleet = await openFleet('poison', 130);
    const { rows } = await api.database.admin.query<{ id: number }>(
      `select id from devices where tenant_id = $1 and key = 'device-66'`,
      [fleet.tenant.id],
    );
    const poison = rows[0]?.id ?? 0;
    const { job } = await fleet.tag(['x']);
    const tag = HANDLERS['devicesTag'];
    if (!tag) throw new Error('no such kind');
    await drain({
      async devicesTag(scope, input, ids) {
        const outcome = await tag(scope, input, ids);
        if (ids.includes(poison)) throw new Error('cannot bear it');
        return outcome;
      },
    });
    expect(await fleet.job(job.id)).toMatchObject({
      ...{ status: 'SUCCEEDED', done: 129, changed: 129, failed: 1 },
      errors: [
        { device: { key: 'device-66' }, code: 'INTERNAL', message: expect.not.stringContaining('bear') },
      ],
    });
    expect(await fleet.tagged('x')).toEqual({ devices: 129, changes: 129, told: 129 });
  });

  it('are shared batch by batch by all who work, each device by one of them', async () => {
    const fleet = await openFleet('shared', 300);
    const { job } = await fleet.tag(['x']);
    const tag = HANDLERS['devicesTag'];
    if (!tag) throw new Error('no such kind');
    let working = 0;
    let together = 0;
    const handlers: JobHandlers = {
      async devicesTag(scope, input, ids) {
        working += 1;
        together = Math.max(together, working);
        const outcome = await tag(scope, input, ids);
        await until('two at work', () => together > 1);
        working -= 1;
        return outcome;
      },
    };
    await Promise.all([1, 2, 3].map(() => drain(handlers, 30)));
    await drain();
    expect(together).toBeGreaterThan(1);
    expect(await fleet.job(job.id)).toMatchObject({
      status: 'SUCCEEDED',
      done: 300,
      changed: 300,
      failed: 0,
    });
    expect(await fleet.tagged('x')).toEqual({ devices: 300, changes: 300, told: 300 });
  });

  it('of a suspended tenant wait until it is let in again', async () => {
    const fleet = await openFleet('waiting', 101);
    const { job } = await fleet.tag(['x']);
    const setStatus = (status: string) =>
      api.database.admin.query('update tenants set status = $2::tenant_status where id = $1', [
        fleet.tenant.id,
        status,
      ]);
    await setStatus('SUSPENDED');
    expect(await step()).toBeUndefined();
    await setStatus('ACTIVE');
    await drain();
    expect(await fleet.job(job.id)).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('are at most twenty at once, listed newest first and by state', async () => {
    const fleet = await openFleet('queue', 101);
    for (let n = 0; n < 20; n += 1)
      expect(await fleet.tag([`t${n}`])).toMatchObject({ __typename: 'DevicesTagSuccess' });
    expect(await fleet.tag(['more'])).toMatchObject({ __typename: 'ConflictError' });
    const list = async (where: Record<string, unknown>) => {
      const { jobs } = await fleet.ask(
        'query ($where: JobFilter) { jobs(where: $where, first: 2) { totalCount nodes { input } } }',
        { where },
      );
      return jobs;
    };
    expect(await list({})).toEqual({
      totalCount: 20,
      nodes: [{ input: { tags: ['t19'] } }, { input: { tags: ['t18'] } }],
    });
    expect(await list({ statuses: ['SUCCEEDED'] })).toMatchObject({ totalCount: 0 });
    expect(await list({ kinds: ['devicesTag', 'x'], statuses: ['QUEUED'] })).toMatchObject({
      totalCount: 20,
    });
    await drain();
    expect(await list({ statuses: ['SUCCEEDED'] })).toMatchObject({ totalCount: 20 });
  });

  it('lose nothing and do nothing twice when the janitor is killed in their midst, again and again', async () => {
    const fleet = await openFleet('killed', 4_000);
    await using processes = await startProcesses({
      database: api.database,
      natsUrl: api.nats.url,
      start: ['janitor'],
      env: { JANITOR_JOBS_POLL_MS: '50' },
    });
    const { job } = await fleet.tag(['x']);
    let kills = 0;
    let seen = 0;
    await until(
      'the job',
      async () => {
        const { done, finishedAt } = await fleet.job(job.id);
        if (done > seen && !finishedAt && kills < 4) {
          seen = done;
          kills += 1;
          processes.get('janitor').kill('SIGKILL');
        }
        return finishedAt !== null;
      },
      120_000,
    );
    expect(kills).toBeGreaterThan(1);
    expect(await fleet.job(job.id)).toMatchObject({
      status: 'SUCCEEDED',
      done: 4_000,
      changed: 4_000,
      failed: 0,
    });
    expect(await fleet.tagged('x')).toEqual({ devices: 4_000, changes: 4_000, told: 4_000 });
    const { rows } = await api.database.admin.query(
      "select from audit_entries where tenant_id = $1 and action = 'job.finish'",
      [fleet.tenant.id],
    );
    expect(rows).toHaveLength(1);
  });
});
