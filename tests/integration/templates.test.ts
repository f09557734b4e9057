import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTemplateDefinition, slotProblems } from '#core/fleet/template-definition.ts';
import type { TemplateCategory, TemplateDefinition } from '#core/fleet/templates.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';
import { until } from '../kit/wait.ts';

const SYSTEM_KEYS = [
  ...['ac-power-meter', 'dc-power-meter', 'gateway', 'generic', 'gps-tracker', 'humidity-sensor'],
  'temperature-probe',
];
const FAULTS = `... on UserError { code message path } ... on ValidationError { issues { path message } }
  ... on ConflictError { currentVersion } ... on ForbiddenError { permission }`;
const TEMPLATE = `id key name description category source version unknownMetrics invalidValues discoverSensors
  expectedIntervalSeconds deviceCount moduleCount json
  metrics { key name type unit min max precision required values }
  commands { key name description params response }
  slots { key name type interface maxDevices compatibleTemplates required }
  transports { protocol link settings } versions { version createdBy deviceCount }`;
const mutation = (name: string, success = `template { ${TEMPLATE} }`) => {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}`;
  return `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename ... on ${type}Success { ${success} } ${FAULTS} } }`;
};

const DEFINITION = {
  metrics: [
    { key: 'load', name: 'Load', type: 'FLOAT', unit: '%', min: 0, max: 100, precision: 1, required: true },
    { key: 'mode', name: 'Mode', type: 'ENUM', values: ['slow', 'fast'] },
  ],
  commands: [
    {
      ...{ key: 'go', name: 'Go', description: 'Moves it.' },
      params: {
        type: 'object',
        properties: { speed: { type: 'integer', minimum: 0 }, a: { const: null } },
        required: ['speed'],
      },
      response: { type: 'object' },
    },
  ],
  slots: [
    {
      ...{ key: 'probes', name: 'Probes', type: 'BUS', interface: 'ONE_WIRE', maxDevices: 4 },
      compatibleTemplates: ['temperature-probe'],
    },
  ],
  transports: [{ protocol: 'MQTT', link: 'CELLULAR', settings: { apn: 'iot', nothing: null } }],
  unknownMetrics: 'QUARANTINE',
  invalidValues: 'FLAG',
  discoverSensors: false,
  expectedIntervalSeconds: 30,
};

describe('templates', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let other: TenantSeed;
  let key: string;
  let otherKey: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    other = await seedTenant(api.database.admin, 'other');
    key = await api.apiKey(acme);
    otherKey = await api.apiKey(other);
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const ask = async (document: string, variables: Record<string, unknown> = {}, credential = key) => {
    const { data, errors } = await api.ask(credential, document, variables);
    expect(errors).toEqual([]);
    return data;
  };
  const mutate = async (name: string, input: Record<string, unknown>, credential = key) =>
    (await ask(mutation(name), { input }, credential))[name];
  const create = async (input: Record<string, unknown>, credential = key) => {
    const result = await mutate(
      'templateCreate',
      { name: 'Ours', category: 'EDGE_DEVICE', definition: DEFINITION, ...input },
      credential,
    );
    expect(result).toMatchObject({ __typename: 'TemplateCreateSuccess' });
    return result.template;
  };
  const mutateDevice = async (input: Record<string, unknown>) =>
    (await ask(mutation('deviceCreate', 'device { key }'), { input })).deviceCreate;
  const remove = async (id: string, credential = key) =>
    (await ask(mutation('templateDelete', 'deletedId'), { input: { id } }, credential)).templateDelete;
  /** Makes a device of the newest version of a template. */
  const deviceOf = async (template: string, device: string): Promise<number> => {
    const { id } = await acme.device(device);
    await api.database.admin.query(
      `update devices d set template_id = t.id, template_version = t.version from device_templates t
       where d.id = $1 and t.key = $2`,
      [id, template],
    );
    return id;
  };
  const controls = async () => {
    const { rows } = await api.database.admin.query<{ payload: Buffer }>(
      `select payload from outbox where subject = 'control.template' order by id`,
    );
    return rows.map(({ payload }) => JSON.parse(payload.toString()));
  };

  it('come with the platform, whole and valid', async () => {
    const { rows } = await api.database.admin.query<{
      key: string;
      category: TemplateCategory;
      definition: TemplateDefinition;
    }>(
      `select t.key, t.category, v.definition from device_templates t
       join template_versions v on v.template_id = t.id and v.version = t.version
       where t.tenant_id is null and v.tenant_id is null order by t.key`,
    );
    expect(rows.map((row) => row.key)).toEqual(SYSTEM_KEYS);
    const categories = new Map(rows.map((row) => [row.key, row.category]));
    for (const { key: name, definition } of rows) {
      expect(parseTemplateDefinition(definition), name).toEqual(definition);
      expect({ name, problems: slotProblems(definition, (slot) => categories.get(slot)) }).toEqual({
        name,
        problems: [],
      });
    }
    const gateway = rows.find((row) => row.key === 'gateway')?.definition;
    expect([gateway?.metrics.length, gateway?.commands.length, gateway?.slots.length]).toEqual([6, 3, 4]);
    const rangesOf = (name: string) =>
      rows
        .find((row) => row.key === name)
        ?.definition.metrics.map((metric) => [metric.key, metric.unit, metric.min, metric.max]);
    const common = [
      ['energy', 'kW.h', 0, null],
      ['energy_returned', 'kW.h', 0, null],
      ['temperature', 'Cel', -40, 105],
      ['battery', '%', 0, 100],
    ];
    expect(rangesOf('dc-power-meter')).toEqual([
      ['voltage_dc', 'V', 0, 3_900],
      ['current_dc', 'A', -10_000, 10_000],
      ['power', 'kW', -39_000, 39_000],
      ...common,
    ]);
    expect(rangesOf('ac-power-meter')).toEqual([
      ['voltage_ac', 'V', 0, 29_000],
      ['current_ac', 'A', 0, 2_500],
      ['frequency', 'Hz', 15, 65],
      ['pf', null, -1, 1],
      ['thd', '%', 0, 100],
      ['power', 'kW', -72_500, 72_500],
      ...common,
    ]);
    expect(rangesOf('temperature-probe')?.[0]).toEqual(['temperature', 'Cel', -200, 850]);
    expect(rangesOf('humidity-sensor')?.[0]).toEqual(['humidity', '%', 0, 100]);
    expect(rangesOf('gps-tracker')?.map(([metric]) => metric)).toContain('speed');
    expect(rangesOf('generic')).toEqual([]);
  });

  it('of the platform are seen by every tenant, and changed by none', async () => {
    for (const credential of [key, otherKey]) {
      const { templates } = await ask(
        '{ templates(where: { source: SYSTEM }) { totalCount nodes { key source version } } }',
        {},
        credential,
      );
      expect(templates.nodes.map((node: { key: string }) => node.key)).toEqual(SYSTEM_KEYS);
      expect(templates.totalCount).toBe(7);
    }
    const { template } = await ask(
      '{ template(by: { key: "dc-power-meter" }) { id source metrics { key unit max } } }',
    );
    expect(template.metrics).toContainEqual({ key: 'voltage_dc', unit: 'V', max: 3900 });
    const { id } = template;
    const conflict = {
      __typename: 'ConflictError',
      message: expect.stringContaining('comes with the platform'),
    };
    expect(await mutate('templateUpdate', { id, expectedVersion: 1, name: 'x' })).toMatchObject(conflict);
    expect(await remove(id)).toMatchObject(conflict);
  });

  it('are made whole, found, listed and searched', async () => {
    const made = await create({
      key: 'pump',
      name: 'Pump of ours',
      description: 'Pumps.',
      category: 'SENSOR',
    });
    expect(made).toMatchObject({
      ...{ key: 'pump', name: 'Pump of ours', description: 'Pumps.', category: 'SENSOR', source: 'TENANT' },
      ...{ version: 1, deviceCount: 0, moduleCount: 0, unknownMetrics: 'QUARANTINE', discoverSensors: false },
      metrics: [DEFINITION.metrics[0], { ...DEFINITION.metrics[1], min: null, required: false }],
      commands: DEFINITION.commands,
      slots: [{ ...DEFINITION.slots[0], required: false }],
      transports: DEFINITION.transports,
      versions: [{ version: 1, createdBy: expect.stringMatching(/^key:\d+$/), deviceCount: 0 }],
    });
    const { template, node } = await ask(
      'query ($id: ID!) { template(by: { id: $id }) { key } node(id: $id) { ... on DeviceTemplate { key } } }',
      { id: made.id },
    );
    expect([template, node]).toEqual([{ key: 'pump' }, { key: 'pump' }]);
    const list = async (where: Record<string, unknown>, credential = key) => {
      const { templates } = await ask(
        'query ($where: DeviceTemplateFilter) { templates(where: $where) { nodes { key } } }',
        { where },
        credential,
      );
      return templates.nodes.map((each: { key: string }) => each.key);
    };
    expect(await list({ search: 'PUMP of' })).toEqual(['pump']);
    expect(await list({ categories: ['SENSOR'] })).toEqual(['humidity-sensor', 'pump', 'temperature-probe']);
    expect(await list({ source: 'OWN' })).toEqual(['pump']);
    expect(await list({ source: 'OWN' }, otherKey)).toEqual([]);
    expect(await list({ search: 'a%' })).toEqual([]);
    const { errors } = await api.ask(key, '{ templates(where: { search: "\\u0000" }) { nodes { key } } }');
    expect(errors[0]?.extensions?.['code']).toBe('BAD_USER_INPUT');
  });

  it('with defaults say little', async () => {
    const made = await create({ key: 'bare', definition: { metrics: null, commands: [] } });
    expect(made.json.definition).toEqual({
      ...{ metrics: [], commands: [], slots: [], transports: [] },
      ...{
        unknownMetrics: 'ACCEPT',
        invalidValues: 'FLAG',
        discoverSensors: true,
        expectedIntervalSeconds: null,
      },
    });
  });

  it('that are not valid are refused with every problem and its path', async () => {
    const result = await mutate('templateCreate', {
      ...{ key: 'Bad Key', name: ' ', category: 'SENSOR' },
      definition: {
        metrics: [{ key: 'a', name: 'A', type: 'FLOAT', min: 2, max: 1 }],
        commands: [
          { key: 'go', name: 'Go', params: { type: 'object', properties: { x: { $ref: 'http://e' } } } },
        ],
      },
    });
    expect(result).toMatchObject({ __typename: 'ValidationError' });
    expect(result.issues.map(({ path }: { path: string[] }) => path.join('.'))).toEqual([
      'input.key',
      'input.name',
      'input.definition.metrics.0.max',
      'input.definition.commands.0.params.properties.x.$ref',
    ]);
    const slot = {
      key: 's',
      name: 'S',
      type: 'BUS',
      interface: 'I2C',
      compatibleTemplates: ['gone', 'gateway'],
    };
    expect(
      await mutate('templateCreate', {
        key: 'slots',
        name: 'S',
        category: 'GATEWAY',
        definition: { slots: [slot] },
      }),
    ).toMatchObject({
      issues: [
        {
          path: ['input', 'definition', 'slots', '0', 'compatibleTemplates', '0'],
          message: 'there is no template gone',
        },
        { path: ['input', 'definition', 'slots', '0', 'compatibleTemplates', '1'] },
      ],
    });
    for (const taken of ['gateway', 'pump'])
      expect(
        await mutate('templateCreate', { key: taken, name: 'x', category: 'SENSOR', definition: {} }),
      ).toMatchObject({ __typename: 'ConflictError', path: ['input', 'key'] });
    const viewer = await api.apiKey(acme, 'OPERATOR');
    expect(
      await mutate('templateCreate', { key: 'no', name: 'x', category: 'SENSOR', definition: {} }, viewer),
    ).toMatchObject({ __typename: 'ForbiddenError', permission: 'templates.write' });
  });

  it('are changed in place until something is made of them, and by a version beside from then on', async () => {
    const made = await create({ key: 'meter' });
    const update = (expectedVersion: number, change: Record<string, unknown>) =>
      mutate('templateUpdate', { id: made.id, expectedVersion, ...change });
    const before = (await controls()).length;
    const named = await update(1, { name: 'Meter', description: 'Meters.' });
    expect(named.template).toMatchObject({ name: 'Meter', description: 'Meters.', version: 1 });
    expect((await update(1, { definition: DEFINITION })).template.version).toBe(1);
    const second = { ...DEFINITION, metrics: DEFINITION.metrics.slice(0, 1) };
    const replaced = await update(1, { definition: second });
    expect(replaced.template).toMatchObject({ version: 2, versions: [{ version: 2 }] });
    expect((await controls()).slice(before)).toMatchObject([
      { tenant: 'acme', id: 'meter', version: 1 },
      { tenant: 'acme', id: 'meter', version: 1 },
      { tenant: 'acme', id: 'meter', version: 2 },
    ]);

    await deviceOf('meter', 'meter-1');
    const third = { ...second, metrics: [{ ...DEFINITION.metrics[0], max: 50 }] };
    const beside = await update(2, { definition: third });
    expect(beside.template).toMatchObject({
      version: 3,
      deviceCount: 1,
      versions: [
        { version: 3, deviceCount: 0 },
        { version: 2, deviceCount: 1 },
      ],
    });
    expect(await update(2, { name: 'late' })).toMatchObject({
      __typename: 'ConflictError',
      currentVersion: 3,
    });

    const diff = async (from: number, to?: number) => {
      const { template } = await ask(
        `query ($id: ID!, $from: Int!, $to: Int) { template(by: { id: $id }) { diff(from: $from, to: $to) { from to breaking
          metrics { key kind fields breaking before { max } after { max } } commands { key } slots { key } settings { setting before after } } } }`,
        { id: made.id, from, to },
      );
      return template.diff;
    };
    expect(await diff(2)).toEqual({
      ...{ from: 2, to: 3, breaking: true, commands: [], slots: [], settings: [] },
      metrics: [
        {
          ...{ key: 'load', kind: 'CHANGED', fields: ['max'], before: { max: 100 }, after: { max: 50 } },
          breaking: ['values above 50 are no longer valid'],
        },
      ],
    });
    expect(await diff(3, 2)).toMatchObject({ breaking: false });
    expect([await diff(1), await diff(2, 9), await diff(-1), await diff(2_147_483_647)]).toEqual(
      Array(4).fill(null),
    );
    const { template } = await ask(
      'query ($id: ID!) { template(by: { id: $id }) { versions(first: 1, before: 3) { version metrics { key max } } } }',
      { id: made.id },
    );
    expect(template.versions).toEqual([{ version: 2, metrics: [{ key: 'load', max: 100 }] }]);
  });

  it('are changed by one of two who saw the same version', async () => {
    const { id } = await create({ key: 'raced' });
    const results = await Promise.all(
      [1, 2, 3, 4].map((seconds) =>
        mutate('templateUpdate', {
          id,
          expectedVersion: 1,
          definition: { expectedIntervalSeconds: seconds },
        }),
      ),
    );
    const outcomes = results.map(({ __typename: name }) => name).sort();
    expect(outcomes).toEqual([...Array(3).fill('ConflictError'), 'TemplateUpdateSuccess']);
  });

  it('are changed while devices are made of them, each of a version that is there', async () => {
    const { id } = await create({ key: 'moving' });
    const make = (index: number) =>
      mutateDevice({ key: `moving-${index}`, name: 'Moving', templateKey: 'moving' });
    const change = (version: number) =>
      mutate('templateUpdate', {
        ...{ id, expectedVersion: version },
        definition: { expectedIntervalSeconds: version },
      });
    for (let round = 0; round < 5; round++) {
      const made = await Promise.all(
        [0, 1, 2].map((index) => make(3 * round + index)).concat(change(round + 1)),
      );
      expect(made.map(({ __typename: name }) => name)).toEqual([
        ...Array(3).fill('DeviceCreateSuccess'),
        'TemplateUpdateSuccess',
      ]);
    }
    const { rows } = await api.database.admin.query(
      `select count(*)::int as count from devices d join template_versions v on v.template_id = d.template_id and v.version = d.template_version where d.key like 'moving-%'`,
    );
    expect(rows).toEqual([{ count: 15 }]);
  });

  it('are deleted only while nothing refers to them', async () => {
    const used = await create({ key: 'used', category: 'SENSOR' });
    const host = await create({
      key: 'host',
      definition: {
        slots: [{ key: 's', name: 'S', type: 'BUS', interface: 'I2C', compatibleTemplates: ['used'] }],
      },
    });
    const device = await deviceOf('used', 'used-1');
    await deviceOf('used', 'used-2');
    await api.database.admin.query("update devices set status = 'DECOMMISSIONED' where key = 'used-2'");
    await api.database.admin.query(
      `insert into device_modules (tenant_id, device_id, slot, name, template_id, template_version, removed_at)
       select $1, $2, 's', 'm', id, version, case n when 1 then now() end from device_templates, generate_series(1, 3) n where key = 'used'`,
      [acme.id, device],
    );
    const { template } = await ask('{ template(by: { key: "used" }) { deviceCount moduleCount } }');
    expect(template).toEqual({ deviceCount: 1, moduleCount: 2 });
    expect(await remove(used.id)).toMatchObject({
      __typename: 'ConflictError',
      message:
        'the template is in use by 2 devices (1 of them decommissioned), 3 modules (1 of them removed), the slots of 1 other templates',
      currentVersion: 1,
    });
    expect(await remove(used.id, otherKey)).toMatchObject({ __typename: 'NotFoundError' });
    expect(await remove(host.id)).toEqual({ __typename: 'TemplateDeleteSuccess', deletedId: host.id });
    expect((await controls()).at(-1)).toMatchObject({ id: 'host' });
    expect(await remove(host.id)).toMatchObject({ __typename: 'NotFoundError' });
    expect((await ask('{ template(by: { key: "host" }) { id } }')).template).toBeNull();
    await create({ key: 'host' });
  });

  it('are copied whole, from the platform or the tenant, in any version', async () => {
    const { template: gateway } = await ask(`{ template(by: { key: "gateway" }) { ${TEMPLATE} } }`);
    const { template: copy } = await mutate('templateClone', { id: gateway.id, key: 'our-gateway' });
    const { key: _key, ...rest } = gateway.json;
    expect(copy).toMatchObject({ key: 'our-gateway', source: 'TENANT', version: 1, name: gateway.name });
    expect(copy.json).toEqual({ ...rest, key: 'our-gateway' });
    const own = await create({ key: 'versioned' });
    await deviceOf('versioned', 'versioned-1');
    await mutate('templateUpdate', { id: own.id, expectedVersion: 1, definition: {} });
    const { template: first } = await mutate('templateClone', {
      ...{ id: own.id, version: 1, key: 'versioned-1', name: 'First' },
    });
    expect(first).toMatchObject({ name: 'First', metrics: [{ key: 'load' }, { key: 'mode' }] });
    const { template: newest } = await mutate('templateClone', { id: own.id, key: 'versioned-2' });
    expect(newest.metrics).toEqual([]);
    expect(await mutate('templateClone', { id: own.id, version: 9, key: 'versioned-9' })).toMatchObject({
      __typename: 'NotFoundError',
      path: ['input', 'version'],
    });
    expect(await mutate('templateClone', { id: own.id, key: 'versioned-1' })).toMatchObject({
      __typename: 'ConflictError',
    });
    expect(await mutate('templateClone', { id: own.id, key: 'stolen' }, otherKey)).toMatchObject({
      __typename: 'NotFoundError',
    });
  });

  it('leave one tenant and come into another as they were', async () => {
    const made = await create({ key: 'travels', description: 'Far.' });
    const system = await ask('{ templates(where: { source: SYSTEM }) { nodes { json } } }');
    const documents = [made.json, ...system.templates.nodes.map(({ json }: { json: unknown }) => json)];
    for (const [index, document] of documents.entries()) {
      const text = JSON.stringify(document);
      expect(text).not.toContain('acme');
      const fresh = { document: JSON.parse(text), ...(index > 0 && { key: `imported-${index}` }) };
      const { template } = await mutate('templateImport', fresh, otherKey);
      const expected = index > 0 ? { ...document, key: `imported-${index}` } : document;
      expect(JSON.stringify(template.json)).toBe(JSON.stringify(expected));
    }
  });

  it('are imported only from a document that is right in everything', async () => {
    const importOf = (document: unknown, rest = {}) => mutate('templateImport', { document, ...rest });
    const { json } = (await ask('{ template(by: { key: "pump" }) { json } }')).template;
    expect(await importOf(json)).toMatchObject({
      __typename: 'ConflictError',
      path: ['input', 'document', 'key'],
    });
    expect(await importOf(json, { key: 'gateway' })).toMatchObject({ path: ['input', 'key'] });
    const wrong = await importOf({
      ...json,
      formatVersion: 2,
      owner: 'acme',
      category: 'THING',
      definition: { ...json.definition, metrics: [{ key: 'a b', name: '', type: 'NUMBER' }], extra: 1 },
    });
    expect(
      wrong.issues.map(({ path, message }: { path: string[]; message: string }) => [path.join('.'), message]),
    ).toEqual([
      ['input.document.formatVersion', 'must be 1, the only one there is'],
      ['input.document.category', expect.stringContaining('must be one of GATEWAY')],
      ['input.document.definition.metrics.0.key', expect.stringContaining('must be 1 to 128')],
      ['input.document.definition.metrics.0.name', 'must not be empty'],
      ['input.document.definition.metrics.0.type', expect.stringContaining('must be one of FLOAT')],
      ['input.document.definition', expect.stringContaining('extra')],
      ['input.document', expect.stringContaining('owner')],
    ]);
    const foreign = { ...json.definition.slots[0], compatibleTemplates: ['theirs'] };
    expect(
      await importOf({ ...json, key: 'new', definition: { ...json.definition, slots: [foreign] } }),
    ).toMatchObject({
      issues: [{ path: ['input', 'document', 'definition', 'slots', '0', 'compatibleTemplates', '0'] }],
    });
    for (const document of [null, 'x', [], 7, {}])
      expect(await importOf(document ?? {})).toMatchObject({ __typename: 'ValidationError' });
  });

  it('are listed with the same few queries, however many there are', async () => {
    const tables = async (first: number) => {
      const statements = await api.statementsOf(() =>
        ask(
          `query ($first: Int!) { templates(first: $first) { nodes { key deviceCount moduleCount metrics { key } commands { key }
            diff(from: 1) { breaking } versions(first: 2) { version deviceCount metrics { key } } } } }`,
          { first },
        ),
      );
      return statements.filter((text) => !/update api_keys|set_config/.test(text)).length;
    };
    // What is noted of a key's first use is no part of the list.
    await until('the use of the key to be noted', async () => {
      const noted = await api.database.admin.query('select from api_key_networks where tenant_id = $1', [
        acme.id,
      ]);
      return (noted.rowCount ?? 0) > 0;
    });
    const few = await tables(50);
    for (let index = 0; index < 12; index++) {
      const { id } = await create({ key: `many-${index}` });
      await deviceOf(`many-${index}`, `many-${index}`);
      await mutate('templateUpdate', { id, expectedVersion: 1, definition: {} });
    }
    expect(await tables(50)).toBe(few);
    expect(few).toBeLessThanOrEqual(6);
  });
});
