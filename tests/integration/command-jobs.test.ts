import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandMessages } from '#core/bus/commands.ts';
import { readAddressed } from '#core/bus/downlink.ts';
import { commandHandler } from '#core/db/command-jobs.ts';
import { stepJob } from '#core/db/jobs.ts';
import { openPool, type Pool } from '#core/db/pool.ts';
import { createSchemaChecks } from '#core/fleet/command-checks.ts';
import { COMMAND_LIMITS } from '#core/fleet/commands.ts';
import { openTestApi, type TestApi } from '#tests/kit/api.ts';
import { quiet } from '#tests/kit/nats.ts';
import { seedTenant, type TenantSeed } from '#tests/kit/seed.ts';

const SEND = `mutation ($input: CommandSendManyInput!) { commandSendMany(input: $input) { __typename
  ... on CommandSendManySuccess { matched changed failed errors { device { key } code message } job { id kind total status } }
  ... on UserError { code message path } ... on ValidationError { issues { path message } } } }`;
const JOB = `query ($id: ID!) { job(id: $id) { status total done changed failed errors { device { key } code message }
  commandCounts { status count } } }`;

describe('a command to many devices', () => {
  let api: TestApi;
  let pool: Pool;

  beforeAll(async () => {
    api = await openTestApi();
    pool = openPool({ url: api.database.workerUrl, name: 'test', max: 4, log: quiet });
  });
  afterAll(async () => {
    await pool.end();
    await api[Symbol.asyncDispose]();
  });

  const handlers = {
    commandSendMany: commandHandler(
      ({ shard }, sent, what) => commandMessages(sent, what, () => shard),
      createSchemaChecks(10),
    ),
  };
  const step = () => stepJob({ pool, handlers, shards: 16, log: quiet, batch: 50 });
  const drain = async () => {
    while (await step());
  };

  async function openFleet(slug: string, devices: number) {
    const tenant: TenantSeed = await seedTenant(api.database.admin, slug);
    await tenant.devices(devices);
    const key = await api.apiKey(tenant, 'OPERATOR');
    const ask = async (document: string, variables: Record<string, unknown>, credential = key) => {
      const { data, errors } = await api.ask(credential, document, variables);
      expect(errors).toEqual([]);
      return data;
    };
    const send = async (input: Record<string, unknown>, credential = key) =>
      (await ask(SEND, { input: { target: { where: {} }, type: 'blink', ...input } }, credential))
        .commandSendMany;
    const job = async (id: string) => (await ask(JOB, { id })).job;
    const run = (text: string, values: unknown[] = []) =>
      api.database.admin.query(text.replaceAll('TENANT', String(tenant.id)), values);
    const told = async () => {
      const { rows } = await api.database.admin.query<{ payload: Buffer }>(
        "select payload from outbox where tenant_id = $1 and subject ~ '^downlink' order by id",
        [tenant.id],
      );
      return rows.map(({ payload }) => readAddressed(payload)?.device);
    };
    return { tenant, send, job, run, told, ask };
  }

  it('is a job that tells each of them, and says how far they are', async () => {
    const fleet = await openFleet('all-told', 120);
    const sent = await fleet.send({ params: { times: 2 }, expiresInSeconds: 600 });
    expect(sent).toMatchObject({ matched: 120, changed: 0, failed: 0, errors: [] });
    expect(sent.job).toMatchObject({ kind: 'commandSendMany', total: 120, status: 'QUEUED' });
    expect(await fleet.told()).toEqual([]);
    await step();
    expect(await fleet.job(sent.job.id)).toMatchObject({
      ...{ status: 'RUNNING', done: 50, changed: 50, commandCounts: [{ status: 'QUEUED', count: 50 }] },
    });
    await drain();
    expect(await fleet.job(sent.job.id)).toMatchObject({
      status: 'SUCCEEDED',
      done: 120,
      changed: 120,
      failed: 0,
    });
    const told = await fleet.told();
    expect([told.length, new Set(told).size]).toEqual([120, 120]);
    await fleet.run(
      `update device_commands set status = 'SUCCEEDED' where tenant_id = TENANT and device_id % 2 = 0`,
    );
    const { commandCounts } = await fleet.job(sent.job.id);
    expect(commandCounts.map(({ status }: { status: string }) => status)).toEqual(['QUEUED', 'SUCCEEDED']);
    const { commands } = await fleet.ask(
      `query ($where: CommandFilter) { commands(where: $where) { totalCount nodes { params actor job { id } } } }`,
      { where: { jobId: sent.job.id } },
    );
    expect(commands.totalCount).toBe(120);
    expect(commands.nodes[0]).toMatchObject({ params: { times: 2 }, job: { id: sent.job.id } });
    expect(commands.nodes[0].actor).toMatch(/^key:/);
  });

  it('says for which it cannot be, the same in a dry run, and tells the others', async () => {
    const fleet = await openFleet('some-told', 6);
    const template = (key: string, commands: readonly object[]) =>
      fleet.run(
        `with made as (insert into device_templates (tenant_id, key, name, category) values (TENANT, $1, $1, 'SENSOR') returning id),
          version as (insert into template_versions (template_id, version, tenant_id, definition, created_by)
            select id, 1, TENANT, $2, 'test' from made returning template_id)
         update devices set template_id = version.template_id, template_version = 1 from version
         where tenant_id = TENANT and devices.key = $3`,
        [key, JSON.stringify({ commands }), `device-${key}`],
      );
    const params = { type: 'object', properties: { times: { type: 'integer' } }, required: ['times'] };
    await template('1', [{ key: 'blink', name: 'Blink', description: '', params, response: null }]);
    await template('2', []);
    await template('3', [
      {
        key: 'blink',
        name: 'Blink',
        description: '',
        params: { type: 'object', maxProperties: 0 },
        response: null,
      },
    ]);
    await fleet.run(`update devices set status = 'DISABLED' where tenant_id = TENANT and key = 'device-4'`);
    await fleet.run(
      `insert into device_commands (tenant_id, device_id, type, params, actor, expires_at)
       select TENANT, id, 'x', '{}', 'test', now() + interval '1 hour' from devices, generate_series(1, $1)
       where tenant_id = TENANT and key = 'device-5'`,
      [COMMAND_LIMITS.openPerDevice],
    );
    const refused = [
      {
        device: { key: 'device-2' },
        code: 'NOT_FOUND',
        message: 'the template 2, version 1, has no command blink',
      },
      {
        device: { key: 'device-3' },
        code: 'VALIDATION',
        message: expect.stringContaining('do not fit the template'),
      },
      { device: { key: 'device-4' }, code: 'CONFLICT', message: 'the device is disabled' },
      { device: { key: 'device-5' }, code: 'QUOTA', message: expect.stringContaining('at most 100') },
    ];
    expect(await fleet.send({ params: { times: 1 }, dryRun: true })).toEqual({
      ...{
        __typename: 'CommandSendManySuccess',
        matched: 6,
        changed: 2,
        failed: 4,
        errors: refused,
        job: null,
      },
    });
    expect((await fleet.run('select from fleet_jobs where tenant_id = TENANT')).rowCount).toBe(0);
    const sent = await fleet.send({ params: { times: 1 } });
    await drain();
    const job = await fleet.job(sent.job.id);
    expect(job).toMatchObject({
      status: 'SUCCEEDED',
      total: 6,
      done: 2,
      changed: 2,
      failed: 4,
      errors: refused,
    });
    expect((await fleet.told()).toSorted()).toEqual(['device-0', 'device-1']);
  });

  it('is refused as a whole where no device could be told, and by who may not', async () => {
    const fleet = await openFleet('none-told', 2);
    expect(await fleet.send({ type: 'Bad Type' })).toMatchObject({ issues: [{ path: ['input', 'type'] }] });
    expect(await fleet.send({ params: [] })).toMatchObject({ issues: [{ path: ['input', 'params'] }] });
    expect(await fleet.send({ target: { groupKey: 'nobody' } })).toMatchObject({ code: 'NOT_FOUND' });
    const viewer = await api.apiKey(fleet.tenant, 'VIEWER');
    expect(await fleet.send({}, viewer)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await fleet.send({ target: { where: { search: 'nothing-like-it' } } })).toMatchObject({
      ...{ matched: 0, job: null },
    });
  });

  it('is not sent any more once it has expired', async () => {
    const fleet = await openFleet('too-late', 2);
    const sent = await fleet.send({});
    await fleet.run(
      `update fleet_jobs set input = input || '{"expiresAt": "2020-01-01T00:00:00.000Z"}' where tenant_id = TENANT`,
    );
    await drain();
    expect(await fleet.job(sent.job.id)).toMatchObject({ status: 'FAILED', failed: 2, changed: 0 });
    expect(await fleet.told()).toEqual([]);
  });
});
