import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';
import { metricOf, seedTemplate } from '../kit/templates.ts';

const FAULTS = `... on UserError { code message path } ... on ValidationError { issues { path message } }
  ... on ConflictError { currentVersion }`;
const DEVICE = `device { id key version expectedIntervalSeconds parent { key } metricMap { raw metric scale offset }
  sensors(includeInactive: true) { id metric templateMetric name type unit min max source active isModelled latest { value } }
  transports { id protocol link isPrimary settings } }`;
const document = (name: string, more = '') => {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}`;
  return `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Success { ${DEVICE} ${more} } ${FAULTS} } }`;
};

describe('devices of templates', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let key: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    key = await api.apiKey(acme);
    await seedTemplate(
      api.database.admin,
      acme,
      'pump',
      {
        metrics: [
          metricOf('pressure', { required: true, unit: 'bar', name: 'Pressure' }),
          metricOf('flow', { required: true }),
          metricOf('wear'),
        ],
        transports: [
          { protocol: 'MQTT', link: 'ETHERNET', settings: { qos: 1 } },
          { protocol: 'HTTP', link: null, settings: {} },
        ],
        expectedIntervalSeconds: 15,
      },
      'EDGE_DEVICE',
    );
    await seedTemplate(api.database.admin, acme, 'probe', { metrics: [metricOf('depth')] }, 'SENSOR');
    await seedTemplate(api.database.admin, acme, 'card', {}, 'EXPANSION_MODULE');
    const other = await seedTenant(api.database.admin, 'other');
    await seedTemplate(api.database.admin, other, 'theirs', {}, 'GATEWAY');
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const mutate = async (name: string, input: Record<string, unknown>, more = '') => {
    const { data, errors } = await api.ask(key, document(name, more), { input });
    expect(errors).toEqual([]);
    return data[name];
  };
  const outbox = async (after: string) => {
    const { rows } = await api.database.admin.query<{ id: string; subject: string }>(
      'select id, subject from outbox where id > $1 order by id',
      [after],
    );
    return rows;
  };
  const device = async (name: string) => {
    const { data } = await api.ask(key, `{ device(by: { key: "${name}" }) { id version } }`);
    return data.device;
  };

  it('come with the required sensors, the transports and the interval of the newest version', async () => {
    await seedTemplate(
      api.database.admin,
      acme,
      'pump',
      {
        metrics: [
          metricOf('pressure', { required: true, unit: 'bar', name: 'Pressure' }),
          metricOf('flow', { required: true }),
          metricOf('wear'),
        ],
        transports: [
          { protocol: 'MQTT', link: 'ETHERNET', settings: { qos: 1 } },
          { protocol: 'HTTP', link: null, settings: {} },
        ],
        expectedIntervalSeconds: 20,
      },
      'EDGE_DEVICE',
    );
    const made = await mutate('deviceCreate', { key: 'p-1', templateKey: 'pump' });
    expect(made.device).toMatchObject({
      expectedIntervalSeconds: 20,
      sensors: [
        { metric: 'flow', source: 'TEMPLATE', active: true, isModelled: true, latest: null },
        {
          ...{ metric: 'pressure', templateMetric: 'pressure', name: 'Pressure' },
          ...{ unit: 'bar', max: 100 },
        },
      ],
      transports: [
        { protocol: 'MQTT', link: 'ETHERNET', isPrimary: true, settings: { qos: 1 } },
        { protocol: 'HTTP', link: null, isPrimary: false },
      ],
    });
    const { rows } = await api.database.admin.query("select template_version from devices where key = 'p-1'");
    expect(rows).toEqual([{ template_version: 2 }]);
    const own = await mutate('deviceCreate', { key: 'p-2', templateKey: 'pump', expectedIntervalSeconds: 7 });
    expect(own.device.expectedIntervalSeconds).toBe(7);
    const system = await mutate('deviceCreate', { key: 'g-0', templateKey: 'gateway' });
    expect(system.device.sensors.map(({ metric }: { metric: string }) => metric)).toEqual(['uptime']);
    const plain = await mutate('deviceCreate', { key: 'none' });
    expect(plain.device).toMatchObject({ sensors: [], transports: [], expectedIntervalSeconds: 60 });
  });

  it('are not made of what is no template of a device, or somebody else’s', async () => {
    const path = ['input', 'templateKey'];
    for (const templateKey of ['theirs', 'nothing'])
      expect(await mutate('deviceCreate', { key: 'x', templateKey })).toMatchObject({
        ...{ __typename: 'NotFoundError', path },
      });
    expect(await mutate('deviceCreate', { key: 'x', templateKey: 'card' })).toMatchObject({
      ...{ __typename: 'ValidationError', path },
    });
  });

  it('take a template later, once, and adopt what was found in the data', async () => {
    const { id: rowId } = await acme.device('late');
    await api.database.admin.query(
      `insert into device_sensors (tenant_id, device_id, metric, name, type, source)
       values ($1, $2, 'flow', 'flow', 'STRING', 'DISCOVERED'), ($1, $2, 'odd', 'odd', 'FLOAT', 'DISCOVERED'),
         ($1, $2, 'wear', 'Wear of mine', 'FLOAT', 'MANUAL')`,
      [acme.id, rowId],
    );
    const { id } = await device('late');
    const changed = await mutate('deviceUpdate', { id, templateKey: 'pump' });
    expect(changed.device).toMatchObject({
      ...{ version: 2, expectedIntervalSeconds: 20 },
      sensors: [
        { metric: 'flow', source: 'TEMPLATE', type: 'FLOAT' },
        { metric: 'odd', source: 'DISCOVERED', isModelled: false },
        { metric: 'pressure', source: 'TEMPLATE' },
        { metric: 'wear', source: 'TEMPLATE', name: 'Wear of mine', max: 100 },
      ],
      transports: [{ isPrimary: true }, { isPrimary: false }],
    });
    expect(await mutate('deviceUpdate', { id, templateKey: 'probe' })).toMatchObject({
      ...{ __typename: 'ConflictError', path: ['input', 'templateKey'], currentVersion: 2 },
    });
  });

  it('rename metrics by a map that is checked whole', async () => {
    await acme.device('mapped');
    const { id } = await device('mapped');
    const wrong = await mutate('deviceUpdate', {
      id,
      metricMap: [
        { raw: 'a', metric: 'x', scale: 0 },
        { raw: 'a', metric: 'x' },
        { raw: '1st', metric: '__proto__' },
      ],
    });
    expect(wrong.issues.map(({ path }: { path: string[] }) => path.slice(2).join('.')).sort()).toEqual([
      ...['0.scale', '1.metric', '1.raw', '2.metric', '2.raw'],
    ]);
    const map = [
      { raw: 'a', metric: 'b', scale: 0.1, offset: -5 },
      { raw: 'b', metric: 'a', scale: 1, offset: 0 },
    ];
    const right = await mutate('deviceUpdate', { id, metricMap: [map[0], { raw: 'b', metric: 'a' }] });
    expect(right.device.metricMap).toEqual(map);
    expect((await mutate('deviceUpdate', { id, name: 'Other' })).device.metricMap).toEqual(map);
    expect((await mutate('deviceUpdate', { id, metricMap: [] })).device.metricMap).toEqual([]);
  });

  describe('behind gateways', () => {
    it('have one that can be one', async () => {
      await mutate('deviceCreate', { key: 'gw', templateKey: 'gateway' });
      await mutate('deviceCreate', { key: 'sensor', templateKey: 'probe' });
      const made = await mutate('deviceCreate', { key: 'below', parentKey: 'gw' });
      expect(made.device.parent).toEqual({ key: 'gw' });
      const path = ['input', 'parentKey'];
      const { id } = made.device;
      for (const [parentKey, fault] of [
        ['nobody', 'NotFoundError'],
        ['below', 'ValidationError'],
        ['sensor', 'ConflictError'],
      ])
        expect(await mutate('deviceUpdate', { id, parentKey })).toMatchObject({ __typename: fault, path });
      await mutate('deviceDecommission', { id: (await device('sensor')).id });
      expect((await mutate('deviceUpdate', { id, parentKey: 'sensor' })).message).toBe(
        'sensor is decommissioned',
      );
      const { data } = await api.ask(
        key,
        '{ device(by: { key: "gw" }) { childCount children(first: 10) { totalCount nodes { key } } } }',
      );
      expect(data.device).toEqual({ childCount: 1, children: { totalCount: 1, nodes: [{ key: 'below' }] } });
      expect((await mutate('deviceUpdate', { id, parentKey: null })).device.parent).toBeNull();
      // Who speaks for others becomes nothing that does not.
      await mutate('deviceCreate', { key: 'hub' });
      await mutate('deviceUpdate', { id, parentKey: 'hub' });
      expect(
        await mutate('deviceUpdate', { id: (await device('hub')).id, templateKey: 'probe' }),
      ).toMatchObject({
        ...{ __typename: 'ConflictError', path: ['input', 'templateKey'] },
      });
    });

    it('never speak for each other in a circle, however long, also when all are changed at once', async () => {
      const keys = Array.from({ length: 6 }, (_, index) => `ring-${index}`);
      const ids = new Map<string, string>();
      for (const name of keys)
        ids.set(name, (await mutate('deviceCreate', { key: name, withToken: false })).device.id);
      const set = (child: string, parentKey: string | null) =>
        mutate('deviceUpdate', { id: ids.get(child), parentKey });
      for (let index = 1; index < keys.length; index += 1)
        expect((await set(keys[index] ?? '', keys[index - 1] ?? '')).__typename).toBe('DeviceUpdateSuccess');
      expect(await set('ring-0', 'ring-5')).toMatchObject({
        ...{ __typename: 'ConflictError', path: ['input', 'parentKey'] },
      });
      for (const name of keys) await set(name, null);
      for (let round = 0; round < 3; round += 1) {
        const outcomes = await Promise.all(
          keys.map((name, index) => set(name, keys[(index + 1) % keys.length] ?? '')),
        );
        const made = outcomes.filter(({ __typename }) => __typename === 'DeviceUpdateSuccess');
        expect(made).toHaveLength(keys.length - 1);
        for (const name of keys) await set(name, null);
      }
    });
  });

  describe('sensors', () => {
    it('are made by hand, described when they were found, and end where nobody requires them', async () => {
      const { device: made } = await mutate('deviceCreate', { key: 's-1', templateKey: 'pump' });
      await api.database.admin.query(
        `insert into device_sensors (tenant_id, device_id, metric, name, type, source)
         select tenant_id, id, 'found', 'found', 'FLOAT', 'DISCOVERED' from devices where key = 's-1'`,
      );
      await api.database.admin.query(
        `insert into device_latest (device_id, tenant_id, newest_ts, metrics)
         select id, tenant_id, now(), '{"found": [3, 1, "1", 1]}' from devices where key = 's-1'`,
      );
      const create = (input: object) =>
        mutate('sensorCreate', { deviceId: made.id, ...input }, 'sensor { id }');
      const update = (input: object) => mutate('sensorUpdate', { ...input });
      const sensorsIn = (answer: { device: { sensors: { metric: string; id: string }[] } }) =>
        new Map(answer.device.sensors.map((sensor) => [sensor.metric, sensor]));
      expect(await create({ metric: 'own', type: 'STRING', min: 1 })).toMatchObject({
        ...{ __typename: 'ValidationError', path: ['input', 'min'] },
      });
      expect(await create({ metric: 'own', min: 2, max: 1 })).toMatchObject({ path: ['input', 'max'] });
      expect(await create({ metric: 'found' })).toMatchObject({ __typename: 'ConflictError' });
      expect(await create({ metric: 'wear', unit: 'm' })).toMatchObject({ path: ['input', 'unit'] });
      const before = (await outbox('0')).at(-1)?.id ?? '0';
      const own = await create({ metric: 'own', name: 'Own', unit: 'V', min: -1, max: 1 });
      expect((await outbox(before)).map(({ subject }) => subject)).toEqual([
        ...[expect.stringMatching(/^events\.\d+\.device$/), 'control.device'],
      ]);
      expect(sensorsIn(own).get('own')).toMatchObject({ source: 'MANUAL', name: 'Own', unit: 'V', min: -1 });
      const worn = await create({ metric: 'wear' });
      const all = sensorsIn(worn);
      expect(all.get('wear')).toMatchObject({ source: 'TEMPLATE', templateMetric: 'wear', max: 100 });
      expect(all.get('found')).toMatchObject({ isModelled: false, latest: { value: 3 } });

      const found = all.get('found')?.id;
      expect(sensorsIn(await update({ id: found, active: false })).get('found')).toMatchObject({
        ...{ active: false, isModelled: false },
      });
      const modelled = await update({ id: found, name: 'Found', unit: 'm', max: 5, active: true });
      expect(sensorsIn(modelled).get('found')).toMatchObject({
        ...{ source: 'DISCOVERED', isModelled: true, name: 'Found', unit: 'm', max: 5, active: true },
      });
      expect(await update({ id: all.get('wear')?.id, unit: 'm' })).toMatchObject({ path: ['input', 'unit'] });
      expect(
        sensorsIn(await update({ id: all.get('wear')?.id, name: 'Wear', active: false })).get('wear'),
      ).toMatchObject({
        ...{ active: false, name: 'Wear' },
      });
      expect(await update({ id: all.get('flow')?.id, active: false })).toMatchObject({
        ...{
          __typename: 'ConflictError',
          path: ['input', 'active'],
          message: 'flow is required by the template',
        },
      });
      expect(await update({ id: all.get('own')?.id, expectedVersion: 1, name: 'x' })).toMatchObject({
        ...{ __typename: 'ConflictError', path: ['input', 'expectedVersion'] },
      });
      expect(await mutate('sensorDelete', { id: all.get('flow')?.id })).toMatchObject({
        __typename: 'ConflictError',
      });
      for (const metric of ['own', 'found'])
        expect(sensorsIn(await mutate('sensorDelete', { id: all.get(metric)?.id })).has(metric)).toBe(false);
      expect(await mutate('sensorDelete', { id: found })).toMatchObject({ __typename: 'NotFoundError' });
    });

    it('are made once when twins race', async () => {
      const { device: made } = await mutate('deviceCreate', { key: 's-2' });
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => mutate('sensorCreate', { deviceId: made.id, metric: 'm' })),
      );
      expect(answers.filter(({ __typename }) => __typename === 'SensorCreateSuccess')).toHaveLength(1);
      expect(answers.filter(({ __typename }) => __typename === 'ConflictError')).toHaveLength(4);
    });
  });

  it('have transports, of which one is the primary one', async () => {
    const { device: made } = await mutate('deviceCreate', { key: 't-1' });
    const create = (input: object) => mutate('transportCreate', { deviceId: made.id, ...input });
    const ways = (answer: { device: { transports: { protocol: string; isPrimary: boolean }[] } }) =>
      answer.device.transports.map(({ protocol, isPrimary }) => `${protocol}${isPrimary ? '!' : ''}`);
    expect(ways(await create({ protocol: 'MQTT', settings: { topic: 'x' } }))).toEqual(['MQTT!']);
    expect(ways(await create({ protocol: 'HTTP', link: 'WIFI' }))).toEqual(['MQTT!', 'HTTP']);
    const three = await create({ protocol: 'LORAWAN', link: 'LORA', isPrimary: true });
    expect(ways(three)).toEqual(['LORAWAN!', 'MQTT', 'HTTP']);
    const [lora, mqtt, http] = three.device.transports;
    expect(await mutate('transportUpdate', { id: lora.id, isPrimary: false })).toMatchObject({
      ...{ __typename: 'ValidationError', path: ['input', 'isPrimary'] },
    });
    const changed = await mutate('transportUpdate', { id: http.id, isPrimary: true, link: null });
    expect(changed.device.transports[0]).toMatchObject({ protocol: 'HTTP', link: null });
    expect(ways(await mutate('transportDelete', { id: http.id }))).toEqual(['MQTT!', 'LORAWAN']);
    expect(ways(await mutate('transportDelete', { id: mqtt.id }))).toEqual(['LORAWAN!']);
    expect(await mutate('transportDelete', { id: mqtt.id })).toMatchObject({ __typename: 'NotFoundError' });
    for (let index = 0; index < 7; index += 1) await create({ protocol: 'MODBUS' });
    expect(await create({ protocol: 'MODBUS' })).toMatchObject({ __typename: 'ConflictError' });
  });

  it('cost as many statements for a hundred as for one', async () => {
    const beta = await seedTenant(api.database.admin, 'beta');
    const betaKey = await api.apiKey(beta);
    await beta.site('hall');
    const make = async (name: string, input: object) => {
      const { data } = await api.ask(betaKey, document('deviceCreate'), { input: { key: name, ...input } });
      expect(data.deviceCreate.__typename).toBe('DeviceCreateSuccess');
      return data.deviceCreate.device.id;
    };
    await make('a-gateway', { templateKey: 'gateway' });
    for (let index = 0; index < 99; index += 1) {
      const id = await make(`d-${index}`, {
        templateKey: 'gateway',
        parentKey: 'a-gateway',
        siteKey: 'hall',
        withToken: false,
      });
      if (index % 9 === 0)
        await api.ask(
          betaKey,
          'mutation ($input: ModuleInstallInput!) { moduleInstall(input: $input) { __typename } }',
          {
            input: {
              deviceId: id,
              slot: 'expansion-1',
              templateKey: 'humidity-sensor',
              metricMap: [{ raw: 't2', metric: 'air_temperature', templateMetric: 'temperature' }],
            },
          },
        );
    }
    const list = (first: number) => async () => {
      const { data, errors } = await api.ask(
        betaKey,
        `query ($first: Int!) { devices(first: $first) { nodes { key site { key } parent { key } childCount
          modules { slot sensors { metric } } sensors { metric latest { value } module { name } } transports { protocol } metricMap { raw } } } }`,
        { first },
      );
      expect(errors).toEqual([]);
      expect(data.devices.nodes).toHaveLength(first);
    };
    await list(1)();
    const few = await api.statementsOf(list(2));
    const many = await api.statementsOf(list(100));
    const kept = (statements: string[]) => statements.filter((text) => !text.includes('api_key'));
    expect(kept(many).length, kept(many).join('\n\n')).toBeLessThanOrEqual(kept(few).length + 1);
    expect(kept(many).length).toBeLessThanOrEqual(9);
  });
});
