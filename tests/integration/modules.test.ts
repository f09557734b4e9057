import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';
import { metricOf, seedTemplate } from '../kit/templates.ts';

const FAULTS = `... on UserError { code message path } ... on ValidationError { issues { path message } }
  ... on ConflictError { currentVersion }`;
const MODULE = `module { id slot name templateVersion serialNumber busAddress removedAt metricMap { raw metric scale offset }
  sensors { metric active } }
  device { id version modules { id name slot } removedModules { name } sensors(includeInactive: true) { metric templateMetric source active name max module { name } } }`;
const document = (name: string) => {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}`;
  return `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Success { ${MODULE} } ${FAULTS} } }`;
};
const slot = (key: string, over: object = {}) => ({
  ...{ key, name: key, type: 'BUS', interface: 'I2C', maxDevices: 1, compatibleTemplates: [] },
  ...over,
});

describe('modules', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let key: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    key = await api.apiKey(acme);
    const { admin } = api.database;
    await seedTemplate(
      admin,
      acme,
      'probe',
      {
        metrics: [metricOf('temperature', { required: true, name: 'Temperature' }), metricOf('battery')],
      },
      'SENSOR',
    );
    await seedTemplate(admin, acme, 'relay', { metrics: [metricOf('state')] }, 'EXPANSION_MODULE');
    await seedTemplate(
      admin,
      acme,
      'box',
      {
        metrics: [metricOf('load'), metricOf('battery')],
        slots: [
          slot('single'),
          slot('bus', { maxDevices: 3, interface: 'MODBUS_RTU' }),
          slot('ports', { maxDevices: 2, interface: 'DIGITAL' }),
          slot('probes', { compatibleTemplates: ['probe'], maxDevices: 2 }),
          slot('needed', { required: true }),
        ],
      },
      'GATEWAY',
    );
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const mutate = async (name: string, input: Record<string, unknown>) => {
    const { data, errors } = await api.ask(key, document(name), { input });
    expect(errors).toEqual([]);
    return data[name];
  };
  const box = async (name: string, templateKey: string | null = 'box') => {
    const { data } = await api.ask(
      key,
      'mutation ($input: DeviceCreateInput!) { deviceCreate(input: $input) { ... on DeviceCreateSuccess { device { id } } } }',
      { input: { key: name, templateKey, withToken: false } },
    );
    return data.deviceCreate.device.id;
  };
  const temperatureAs = (metric: string, raw = metric) => ({
    metricMap: [{ raw, metric, templateMetric: 'temperature' }],
  });
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its document asks for
  const metricsOf = (answer: any) =>
    Object.fromEntries(
      answer.device.sensors.map((sensor: { metric: string; active: boolean }) => [
        sensor.metric,
        sensor.active,
      ]),
    );

  it('bring sensors under the names that their map gives them, and leave them as history', async () => {
    const deviceId = await box('b-1');
    const { id: rowId } = (
      await api.database.admin.query<{ id: number }>("select id from devices where key = 'b-1'")
    ).rows[0] ?? { id: 0 };
    await api.database.admin.query(
      `insert into device_sensors (tenant_id, device_id, metric, name, type, source) values ($1, $2, 'inlet', 'inlet', 'FLOAT', 'DISCOVERED')`,
      [acme.id, rowId],
    );
    const outboxEnd = (await api.database.admin.query('select max(id) as id from outbox')).rows[0]?.id;
    const made = await mutate('moduleInstall', {
      ...{ deviceId, slot: 'bus', templateKey: 'probe', busAddress: ' 7 ', serialNumber: 'S' },
      metricMap: [{ raw: 't1', metric: 'inlet', scale: 0.1, templateMetric: 'temperature' }],
    });
    expect(made.module).toMatchObject({
      ...{
        slot: 'bus',
        name: 'probe',
        templateVersion: 1,
        busAddress: '7',
        serialNumber: 'S',
        removedAt: null,
      },
      metricMap: [{ raw: 't1', metric: 'inlet', scale: 0.1, offset: 0 }],
      // The box has a battery of its own: nobody could tell the two apart.
      sensors: [{ metric: 'inlet', active: true }],
    });
    expect(made.device).toMatchObject({ version: 2, modules: [{ slot: 'bus' }] });
    expect(made.device.sensors).toEqual([
      {
        ...{ metric: 'inlet', templateMetric: 'temperature', source: 'MODULE', active: true },
        ...{ name: 'Temperature', max: 100, module: { name: 'probe' } },
      },
    ]);
    const { rows } = await api.database.admin.query('select subject from outbox where id > $1 order by id', [
      outboxEnd,
    ]);
    expect(rows).toEqual([{ subject: expect.stringMatching(/\.device$/) }, { subject: 'control.device' }]);
    const { id } = made.module;
    const renamed = await mutate('moduleUpdate', {
      ...{ id, name: 'Probe', busAddress: '8', ...temperatureAs('outlet', 't1') },
    });
    expect(renamed.module).toMatchObject({ name: 'Probe', busAddress: '8', serialNumber: 'S' });
    expect(metricsOf(renamed)).toEqual({ inlet: false, outlet: true });
    const removed = await mutate('moduleRemove', { id, expectedVersion: 3 });
    expect(removed.device).toMatchObject({ version: 4, modules: [], removedModules: [{ name: 'Probe' }] });
    expect(removed.module).toMatchObject({
      removedAt: expect.any(String),
      sensors: [{ active: false }, { active: false }],
    });
    expect(metricsOf(removed)).toEqual({ inlet: false, outlet: false });
    for (const name of ['moduleRemove', 'moduleUpdate'])
      expect(await mutate(name, { id })).toMatchObject({
        __typename: 'ConflictError',
        path: ['input', 'id'],
      });
    const again = await mutate('moduleInstall', {
      ...{ deviceId, slot: 'bus', templateKey: 'probe', busAddress: '8', ...temperatureAs('outlet') },
    });
    expect(metricsOf(again)).toEqual({ inlet: false, outlet: true });
  });

  it('go only where they fit, and say why not', async () => {
    const deviceId = await box('b-2');
    const install = (input: object) => mutate('moduleInstall', { deviceId, templateKey: 'probe', ...input });
    const refused = async (input: object) => {
      const { __typename, path } = await install(input);
      return `${__typename} ${path?.slice(1).join('.')}`;
    };
    expect(await refused({ slot: 'none' })).toBe('NotFoundError slot');
    expect(await refused({ slot: 'single', templateKey: 'nothing' })).toBe('NotFoundError templateKey');
    expect(await refused({ slot: 'single', templateKey: 'box' })).toBe('ValidationError templateKey');
    expect(await refused({ slot: 'probes', templateKey: 'relay' })).toBe('ValidationError templateKey');
    expect(await refused({ slot: 'bus' })).toBe('ValidationError busAddress');
    expect(await refused({ slot: 'single', expectedVersion: 5 })).toBe('ConflictError expectedVersion');
    expect((await install({ slot: 'single' })).__typename).toBe('ModuleInstallSuccess');
    expect(await refused({ slot: 'single', ...temperatureAs('a') })).toBe('ConflictError slot');
    expect((await install({ slot: 'bus', busAddress: '1', ...temperatureAs('b') })).__typename).toBe(
      'ModuleInstallSuccess',
    );
    expect(await refused({ slot: 'bus', busAddress: '1', ...temperatureAs('c') })).toBe(
      'ConflictError busAddress',
    );
    // What is no bus needs no address for two.
    for (const metric of ['d', 'e'])
      expect((await install({ slot: 'ports', ...temperatureAs(metric) })).__typename).toBe(
        'ModuleInstallSuccess',
      );
    const { module } = await install({ slot: 'bus', busAddress: '2', ...temperatureAs('f') });
    expect(await mutate('moduleUpdate', { id: module.id, busAddress: '1' })).toMatchObject({
      ...{ __typename: 'ConflictError', path: ['input', 'busAddress'] },
    });
    expect(await mutate('moduleUpdate', { id: module.id, busAddress: null })).toMatchObject({
      ...{ __typename: 'ValidationError', path: ['input', 'busAddress'] },
    });
    const bare = await box('bare', null);
    expect(await refused({ deviceId: bare, slot: 'single' })).toBe('ConflictError deviceId');
    expect(await refused({ deviceId: 'nonsense', slot: 'single' })).toBe('NotFoundError deviceId');
  });

  it('never take a name that something else of the device has', async () => {
    const deviceId = await box('b-3');
    const issues = async (metricMap: object[], templateKey = 'probe') => {
      const answer = await mutate('moduleInstall', {
        deviceId,
        slot: 'bus',
        busAddress: '9',
        templateKey,
        metricMap,
      });
      return answer.issues?.map(({ path }: { path: string[] }) => path.slice(1).join('.')) ?? answer;
    };
    await mutate('moduleInstall', {
      deviceId,
      slot: 'single',
      templateKey: 'probe',
      ...temperatureAs('air', 't1'),
    });
    await api.ask(
      key,
      `mutation ($id: ID!) { deviceUpdate(input: { id: $id, metricMap: [{ raw: "v", metric: "volt" }] }) { __typename }
        sensorCreate(input: { deviceId: $id, metric: "hand" }) { __typename } }`,
      { id: deviceId },
    );
    const about = { templateMetric: 'temperature' };
    expect(await issues([{ raw: 't2', metric: 'air', ...about }])).toEqual(['metricMap.0.metric']);
    expect(await issues([{ raw: 't1', metric: 'x', ...about }])).toEqual(['metricMap.0.raw']);
    expect(await issues([{ raw: 'v', metric: 'volt', ...about }])).toEqual([
      ...['metricMap.0.raw', 'metricMap.0.metric'],
    ]);
    expect(await issues([{ raw: 't2', metric: 'hand', ...about }])).toEqual(['metricMap.0.metric']);
    expect(await issues([{ raw: 't2', metric: 'load', ...about }])).toEqual(['metricMap.0.metric']);
    expect(await issues([{ raw: 't2', metric: 'x' }])).toEqual(['metricMap.0.templateMetric']);
    expect(await issues([{ raw: 't2', metric: 'x', templateMetric: 'none' }])).toEqual([
      'metricMap.0.templateMetric',
    ]);
    expect(
      await issues([
        { raw: 'a', metric: 'x', ...about },
        { raw: 'b', metric: 'y', ...about },
      ]),
    ).toEqual(['metricMap.1.templateMetric']);
    expect(await issues([{ raw: 'temperature', metric: 'x', scale: 0 }])).toEqual(['metricMap.0.scale']);
    await mutate('moduleInstall', { deviceId, slot: 'ports', templateKey: 'probe' });
    expect(await issues([])).toEqual(['metricMap', 'metricMap']);
    const { data } = await api.ask(
      key,
      `mutation ($id: ID!) { deviceUpdate(input: { id: $id, metricMap: [{ raw: "t1", metric: "temperature" }] }) {
        ... on ValidationError { issues { path message } } } }`,
      { id: deviceId },
    );
    expect(data.deviceUpdate.issues).toEqual([
      { path: ['input', 'metricMap', '0', 'raw'], message: 'the module probe uses t1' },
      { path: ['input', 'metricMap', '0', 'metric'], message: 'the module probe uses temperature' },
    ]);
  });

  it('of which many come at once for the last places, only as many go in', async () => {
    const deviceId = await box('b-4');
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        mutate('moduleInstall', {
          ...{ deviceId, slot: 'ports', templateKey: 'probe', ...temperatureAs(`t${index}`) },
        }),
      ),
    );
    const outcomes = answers.map(({ __typename }) => __typename).sort();
    expect(outcomes).toEqual([
      ...Array<string>(4).fill('ConflictError'),
      ...Array<string>(2).fill('ModuleInstallSuccess'),
    ]);
    const { rows } = await api.database.admin.query(
      "select count(*)::int as count from device_modules m join devices d on d.id = m.device_id where d.key = 'b-4'",
    );
    expect(rows).toEqual([{ count: 2 }]);
  });

  it('are missed where a slot must not be empty', async () => {
    const deviceId = await box('b-8');
    const empty = async () => {
      const { data } = await api.ask(
        key,
        '{ devices(where: { keys: ["b-8", "bare"] }) { nodes { key emptyRequiredSlots } } }',
      );
      return data.devices.nodes;
    };
    const bare = { key: 'bare', emptyRequiredSlots: [] };
    expect(await empty()).toEqual([{ key: 'b-8', emptyRequiredSlots: ['needed'] }, bare]);
    const { module } = await mutate('moduleInstall', { deviceId, slot: 'needed', templateKey: 'probe' });
    expect(await empty()).toEqual([{ key: 'b-8', emptyRequiredSlots: [] }, bare]);
    await mutate('moduleRemove', { id: module.id });
    expect(await empty()).toEqual([{ key: 'b-8', emptyRequiredSlots: ['needed'] }, bare]);
  });

  it('end with their device, whose sensors stay', async () => {
    const deviceId = await box('b-5');
    const { module } = await mutate('moduleInstall', { deviceId, slot: 'single', templateKey: 'probe' });
    await api.ask(key, 'mutation ($id: ID!) { deviceDecommission(input: { id: $id }) { __typename } }', {
      id: deviceId,
    });
    const { data } = await api.ask(
      key,
      `query ($id: ID!) { node(id: $id) { ... on DeviceModule { removedAt device { status modules { id } sensors { metric } } } } }`,
      { id: module.id },
    );
    expect(data.node).toEqual({
      removedAt: expect.any(String),
      device: { status: 'DECOMMISSIONED', modules: [], sensors: [] },
    });
    expect(await mutate('moduleInstall', { deviceId, slot: 'bus', templateKey: 'probe' })).toMatchObject({
      ...{ __typename: 'ConflictError', path: ['input', 'deviceId'] },
    });
  });

  it('find the slots, and people the commands, of the version that a device has', async () => {
    const { admin } = api.database;
    const command = { key: 'reboot', name: 'Reboot', description: '', params: null, response: null };
    await seedTemplate(admin, acme, 'versioned', { slots: [slot('old')], commands: [command] });
    const deviceId = await box('b-6', 'versioned');
    await seedTemplate(admin, acme, 'versioned', { slots: [slot('new')], commands: [] });
    const document = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Device { slots { key interface maxDevices } commandTypes { key } } } }`;
    const { data } = await api.ask(key, document, { ids: [deviceId, await box('b-7', null)] });
    expect(data.nodes).toEqual([
      { slots: [{ key: 'old', interface: 'I2C', maxDevices: 1 }], commandTypes: [{ key: 'reboot' }] },
      { slots: [], commandTypes: [] },
    ]);
  });
});
