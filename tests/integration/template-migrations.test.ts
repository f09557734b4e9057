import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deviceUpdateMessages } from '#core/bus/device-changes.ts';
import { type JobHandlers, type JobScope, stepJob } from '#core/db/jobs.ts';
import { openPool } from '#core/db/pool.ts';
import { toStatement } from '#core/db/sql.ts';
import { templateMigrationHandler } from '#core/db/template-migrations.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { quiet } from '../kit/nats.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';
import { metricOf, seedTemplate } from '../kit/templates.ts';

const FAULTS = `... on UserError { code message path } ... on ConflictError { currentVersion }`;
const SENSORS =
  'sensors(includeInactive: true) { metric name source active type unit max templateMetric isModelled }';
const PREVIEW = `query ($input: TemplateMigrationPreviewInput!) { templateMigrationPreview(input: $input) {
  template { key } toVersion deviceCount
  steps { fromVersion deviceCount devices(first: 10) { totalCount nodes { key } } diff { breaking metrics { key kind breaking } }
    sensorsAppear sensorsVanish commandsAppear commandsVanish slotsAppear slotsVanish intervalBefore intervalAfter
    obstacles { device { key } faults { code message } } } } }`;
const MIGRATE = `mutation ($input: TemplateMigrateInput!) { templateMigrate(input: $input) { __typename
  ... on TemplateMigrateSuccess { matched changed failed errors { device { key } code message }
    job { id kind total done changed failed errors { device { key } } } } ${FAULTS} } }`;

const slot = (key: string, over: object = {}) => ({
  ...{ key, name: key, type: 'SENSOR_PORT', interface: 'DIGITAL', maxDevices: 1, compatibleTemplates: [] },
  ...over,
});
const FIRST = {
  metrics: [
    metricOf('pressure', { required: true, unit: 'bar', name: 'Pressure' }),
    metricOf('flow', { required: true }),
    metricOf('wear'),
  ],
  commands: [
    { key: 'start', name: 'Start' },
    { key: 'stop', name: 'Stop' },
  ],
  slots: [slot('left'), slot('right')],
  expectedIntervalSeconds: 30,
};
const SECOND = {
  metrics: [
    metricOf('pressure', { required: true, unit: 'kPa', name: 'Pressure', max: 1_000 }),
    metricOf('heat', { required: true, name: 'Heat' }),
    metricOf('noise', { name: 'Noise', unit: 'dB' }),
  ],
  commands: [
    { key: 'start', name: 'Start' },
    { key: 'reset', name: 'Reset' },
  ],
  slots: [slot('left')],
  expectedIntervalSeconds: 10,
};

describe('devices of an older version of their template', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let key: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    key = await api.apiKey(acme);
    await seedTemplate(api.database.admin, acme, 'probe', { metrics: [metricOf('depth')] }, 'SENSOR');
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const ask = async (document: string, variables: Record<string, unknown> = {}, credential = key) => {
    const { data, errors } = await api.ask(credential, document, variables);
    expect(errors).toEqual([]);
    return data;
  };
  const preview = async (input: object, credential = key) =>
    (await ask(PREVIEW, { input }, credential)).templateMigrationPreview;
  const migrate = async (input: Readonly<Record<string, unknown>>, credential = key) => {
    const target = { where: { templateKeys: [input['templateKey']] } };
    return (await ask(MIGRATE, { input: { target, ...input } }, credential)).templateMigrate;
  };
  const make = async (device: string, templateKey: string, more: object = {}): Promise<string> => {
    const { deviceCreate } = await ask(
      'mutation ($input: DeviceCreateInput!) { deviceCreate(input: $input) { ... on DeviceCreateSuccess { device { id } } } }',
      { input: { key: device, templateKey, withToken: false, ...more } },
    );
    return deviceCreate.device.id;
  };
  const install = (deviceId: string, slotKey: string) =>
    ask(
      `mutation ($input: ModuleInstallInput!) { moduleInstall(input: $input) { ... on ModuleInstallSuccess { module { id } } ${FAULTS} } }`,
      { input: { deviceId, slot: slotKey, templateKey: 'probe', name: `in ${slotKey}` } },
    );
  const template = (name: string, definition: Readonly<Record<string, unknown>>) =>
    seedTemplate(api.database.admin, acme, name, definition, 'EDGE_DEVICE');
  const found = (device: string, metric: string) =>
    api.database.admin.query(
      `insert into device_sensors (tenant_id, device_id, metric, name, type, source)
       select tenant_id, id, $2, $2, 'FLOAT', 'DISCOVERED' from devices where key = $1`,
      [device, metric],
    );
  const sensorsOf = async (device: string) => {
    const { device: at } = await ask(
      `{ device(by: { key: "${device}" }) { expectedIntervalSeconds template { key version } templateVersion ${SENSORS} } }`,
    );
    return at;
  };

  it('are looked at before they move: which ones, and what changes', async () => {
    await template('pump', FIRST);
    for (const name of ['p-2', 'p-1', 'p-3']) await make(name, 'pump');
    await install(await make('p-4', 'pump'), 'right');
    const gone = await make('p-5', 'pump');
    await ask('mutation ($id: ID!) { deviceDecommission(input: { id: $id }) { __typename } }', { id: gone });
    expect(await preview({ templateKey: 'pump' })).toMatchObject({ toVersion: 1, deviceCount: 0, steps: [] });
    await template('pump', SECOND);
    await make('p-6', 'pump');
    expect(await preview({ templateKey: 'pump' })).toEqual({
      ...{ template: { key: 'pump' }, toVersion: 2, deviceCount: 4 },
      steps: [
        {
          ...{ fromVersion: 1, deviceCount: 4 },
          devices: { totalCount: 4, nodes: ['p-1', 'p-2', 'p-3', 'p-4'].map((name) => ({ key: name })) },
          diff: {
            breaking: true,
            metrics: [
              { key: 'pressure', kind: 'CHANGED', breaking: ['its unit is another one'] },
              { key: 'heat', kind: 'ADDED', breaking: ['devices are not well without it any more'] },
              { key: 'noise', kind: 'ADDED', breaking: [] },
              { key: 'flow', kind: 'REMOVED', breaking: ['it is gone'] },
              { key: 'wear', kind: 'REMOVED', breaking: ['it is gone'] },
            ],
          },
          ...{ sensorsAppear: ['heat'], sensorsVanish: ['flow', 'wear'] },
          ...{ commandsAppear: ['reset'], commandsVanish: ['stop'], slotsAppear: [], slotsVanish: ['right'] },
          ...{ intervalBefore: 30, intervalAfter: 10 },
          obstacles: [
            {
              device: { key: 'p-4' },
              faults: [{ code: 'NO_SUCH_SLOT', message: 'module in right: the device has no slot right' }],
            },
          ],
        },
      ],
    });
    expect((await preview({ templateKey: 'pump', toVersion: 1 })).steps).toMatchObject([
      { fromVersion: 2, deviceCount: 1, obstacles: [], sensorsVanish: ['heat', 'noise'] },
    ]);
    for (const nothing of [{ templateKey: 'pump', toVersion: 3 }, { templateKey: 'none' }])
      expect(await preview(nothing)).toBeNull();
  });

  it('move as the preview said, each whole or not at all, and are told', async () => {
    await found('p-1', 'noise');
    await found('p-1', 'odd');
    await ask(
      'mutation ($id: ID!) { deviceUpdate(input: { id: $id, expectedIntervalSeconds: 7 }) { __typename } }',
      {
        id: (await ask('{ device(by: { key: "p-2" }) { id } }')).device.id,
      },
    );
    const { rows: last } = await api.database.admin.query('select max(id) as id from outbox');
    const outcome = {
      ...{ __typename: 'TemplateMigrateSuccess', matched: 5, changed: 3, failed: 1, job: null },
      errors: [
        {
          ...{ device: { key: 'p-4' }, code: 'CONFLICT' },
          message: 'module in right: the device has no slot right',
        },
      ],
    };
    expect(await migrate({ templateKey: 'pump', dryRun: true })).toEqual(outcome);
    expect(await migrate({ templateKey: 'pump' })).toEqual(outcome);
    expect(await migrate({ templateKey: 'pump' })).toMatchObject({ matched: 5, changed: 0, failed: 1 });
    const { rows } = await api.database.admin.query<{ subject: string }>(
      'select subject from outbox where id > $1 order by id',
      [last[0].id],
    );
    expect(rows.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/^events\.\d+\.device$/),
      ...Array(3).fill('control.device'),
    ]);
    const first = await sensorsOf('p-1');
    expect(first).toMatchObject({
      ...{ expectedIntervalSeconds: 10, templateVersion: 2, template: { key: 'pump', version: 2 } },
      sensors: [
        { metric: 'flow', active: false, source: 'TEMPLATE' },
        { metric: 'heat', active: true, source: 'TEMPLATE', name: 'Heat' },
        { metric: 'noise', source: 'TEMPLATE', templateMetric: 'noise', name: 'Noise', unit: 'dB', max: 100 },
        { metric: 'odd', source: 'DISCOVERED', isModelled: false, active: true },
        { metric: 'pressure', active: true, unit: 'kPa', max: 1_000 },
      ],
    });
    expect((await sensorsOf('p-2')).expectedIntervalSeconds).toBe(7);
    expect(await sensorsOf('p-4')).toMatchObject({ templateVersion: 1, expectedIntervalSeconds: 30 });
    expect((await preview({ templateKey: 'pump' })).deviceCount).toBe(1);
  });

  it('move back, and what vanished comes back where it is required', async () => {
    const { device } = await ask('{ device(by: { key: "p-3" }) { id } }');
    const back = { templateKey: 'pump', toVersion: 1, target: { ids: [device.id, device.id] } };
    expect(await migrate(back)).toMatchObject({ matched: 1, changed: 1, failed: 0, errors: [] });
    expect(await migrate(back)).toMatchObject({ matched: 1, changed: 0, failed: 0 });
    const { sensors } = await sensorsOf('p-3');
    const active = sensors.filter((sensor: { active: boolean }) => sensor.active);
    expect(active.map(({ metric, unit }: { metric: string; unit: string | null }) => [metric, unit])).toEqual(
      [
        ['flow', null],
        ['pressure', 'bar'],
      ],
    );
  });

  it('move as those of a group, of a filter, or by their ids', async () => {
    await template('fan', {});
    const ids = [];
    for (const name of ['f-1', 'f-2', 'f-3']) ids.push(await make(name, 'fan', { tags: [name] }));
    await template('fan', { expectedIntervalSeconds: 5 });
    await ask(
      'mutation { groupCreate(input: { key: "some", filter: { tagsAny: ["f-1", "p"] } }) { __typename } }',
    );
    const moved = async (target: object) => {
      const { matched, changed, errors } = await migrate({ templateKey: 'fan', target });
      return { matched, changed, errors };
    };
    expect(await moved({ groupKey: 'some' })).toEqual({ matched: 1, changed: 1, errors: [] });
    expect(await moved({ where: { tagsAny: ['f-1', 'f-2'] } })).toEqual({
      matched: 2,
      changed: 1,
      errors: [],
    });
    const other = (await ask('{ device(by: { key: "p-1" }) { id } }')).device.id;
    const message = 'the device is not made of the template fan';
    for (const dryRun of [true, false])
      expect(await migrate({ templateKey: 'fan', dryRun, target: { ids: [ids[2], other] } })).toMatchObject({
        ...{ matched: 2, changed: 1, failed: 1 },
        errors: [{ device: { key: 'p-1' }, code: 'CONFLICT', message }],
      });
    const { devices } = await ask(
      '{ devices(where: { templateKeys: ["fan"], templateVersions: [2] }) { nodes { key templateVersion template { version } } } }',
    );
    expect(devices.nodes).toEqual(
      ['f-1', 'f-2', 'f-3'].map((name) => ({ key: name, templateVersion: 2, template: { version: 2 } })),
    );
  });

  it('are not moved to what is not there, by nobody who may not, and not those of somebody else', async () => {
    const other = await seedTenant(api.database.admin, 'other');
    const theirs = await api.apiKey(other);
    expect(await migrate({ templateKey: 'pump', toVersion: 9 })).toMatchObject({
      ...{ __typename: 'NotFoundError', path: ['input', 'toVersion'] },
    });
    expect(await migrate({ templateKey: 'pump' }, theirs)).toMatchObject({
      ...{ __typename: 'NotFoundError', path: ['input', 'templateKey'] },
    });
    expect(await migrate({ templateKey: 'pump', toVersion: 0 })).toMatchObject({
      __typename: 'ValidationError',
    });
    expect(await migrate({ templateKey: 'pump', target: { groupKey: 'none' } })).toMatchObject({
      ...{ __typename: 'NotFoundError', path: ['input', 'target', 'groupKey'] },
    });
    const { device } = await ask('{ device(by: { key: "p-1" }) { id } }');
    expect(await migrate({ templateKey: 'gateway', target: { ids: ['nonsense'] } }, theirs)).toMatchObject({
      ...{ __typename: 'NotFoundError', path: ['input', 'target', 'ids'] },
    });
    expect(await migrate({ templateKey: 'gateway', target: { ids: [device.id] } }, theirs)).toMatchObject({
      ...{ matched: 0, changed: 0, failed: 1, errors: [{ device: null, code: 'NOT_FOUND' }] },
    });
    expect(await migrate({ templateKey: 'pump' }, await api.apiKey(acme, 'OPERATOR'))).toMatchObject({
      __typename: 'ForbiddenError',
    });
    expect(await preview({ templateKey: 'pump' }, theirs)).toBeNull();
  });

  it('move by a job where they are many, with as many statements for fifty as for two', async () => {
    const { version } = await template('many', {
      metrics: [metricOf('a', { required: true })],
      slots: [slot('port')],
    });
    await api.database.admin.query(
      `insert into devices (tenant_id, key, name, template_id, template_version)
       select $1, 'many-' || lpad(n::text, 3, '0'), 'Many', t.id, $2 from device_templates t, generate_series(1, 150) n where t.key = 'many'`,
      [acme.id, version],
    );
    const { device } = await ask('{ device(by: { key: "many-150" }) { id } }');
    await install(device.id, 'port');
    await template('many', { metrics: [metricOf('b', { required: true })] });
    expect(await migrate({ templateKey: 'many', dryRun: true })).toMatchObject({
      ...{ matched: 150, changed: 149, failed: 1, job: null, errors: [{ device: { key: 'many-150' } }] },
    });
    const asked = await migrate({ templateKey: 'many' });
    expect(asked).toMatchObject({ matched: 150, changed: 0, job: { kind: 'templateMigrate', total: 150 } });
    const pool = openPool({ url: api.database.workerUrl, name: 'test', max: 2, log: quiet });
    const handlers = { templateMigrate: templateMigrationHandler(deviceUpdateMessages) };
    const statements: number[] = [];
    const counted: JobHandlers = {
      templateMigrate(scope, input, ids) {
        let count = 0;
        const rows: typeof scope.rows = (statement) => {
          count += 1;
          statements[ids.length] = count;
          return scope.rows(statement);
        };
        return handlers.templateMigrate({ ...scope, rows }, input, ids);
      },
    };
    const step = (batch: number) => stepJob({ pool, handlers: counted, shards: 16, log: quiet, batch });
    try {
      for (const batch of [2, 50]) await step(batch);
      expect(statements[50]).toBe(statements[2]);
      while (await step(50));
    } finally {
      await pool.end();
    }
    const { job } = await ask(
      'query ($id: ID!) { job(id: $id) { status total changed failed errors { device { key } message } } }',
      { id: asked.job.id },
    );
    expect(job).toEqual({
      ...{ status: 'SUCCEEDED', total: 150, changed: 149, failed: 1 },
      errors: [
        {
          device: { key: 'many-150' },
          message: 'module in port: the device has no slot port',
        },
      ],
    });
    const { rows } = await api.database.admin.query(
      `select metric, active, count(*)::int as count from device_sensors s join devices d on d.id = s.device_id
       where d.key like 'many-%' and s.source = 'TEMPLATE' group by 1, 2`,
    );
    expect(rows).toEqual([{ metric: 'b', active: true, count: 149 }]);
  });

  it('stay where they are when the version that they are to have is gone', async () => {
    const { id: templateId } = await template('fleeting', {});
    await make('fleeting-1', 'fleeting');
    const { rows } = await api.database.admin.query<{ id: number }>(
      "select id from devices where key = 'fleeting-1'",
    );
    const pool = openPool({ url: api.database.workerUrl, name: 'test', max: 1, log: quiet });
    try {
      const scope: JobScope = {
        ...{ tenantId: acme.id, tenantSlug: 'acme', shard: 0, actor: 'key:1', jobId: 1 },
        rows: async (statement) => (await pool.query(toStatement(statement))).rows,
        publish: () => Promise.reject(new Error('there is nothing to tell')),
      };
      const input = { templateId, templateKey: 'fleeting', toVersion: 7 };
      const outcome = await templateMigrationHandler(deviceUpdateMessages)(scope, input, [rows[0]?.id ?? 0]);
      expect(outcome).toMatchObject({
        changed: 0,
        faults: [{ code: 'NOT_FOUND', message: 'there is no version 7 of the template fleeting any more' }],
      });
    } finally {
      await pool.end();
    }
  });

  it('of whose slot another takes the module meanwhile, move or stay, but never both', async () => {
    await template('race', { slots: [slot('port')] });
    const ids: string[] = [];
    for (let index = 0; index < 6; index++) ids.push(await make(`race-${index}`, 'race'));
    await template('race', {});
    const [moves, ...installs] = await Promise.all([
      migrate({ templateKey: 'race' }),
      ...ids.map((id) => install(id, 'port')),
    ]);
    const installed = installs.filter(({ moduleInstall }) => moduleInstall.module).length;
    expect(moves.changed + installed).toBe(6);
    expect(moves.errors).toHaveLength(installed);
  });
});
