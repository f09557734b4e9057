import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTemplateDefinition, slotProblems } from '#core/fleet/template-definition.ts';
import type { TemplateCategory, TemplateDefinition } from '#core/fleet/templates.ts';
import { until } from '../kit/wait.ts';
import { DEFINITION, openTemplates, type Templates } from './templates-setup.ts';

const SYSTEM_KEYS = [
  ...['ac-power-meter', 'dc-power-meter', 'gateway', 'generic', 'gps-tracker', 'humidity-sensor'],
  'temperature-probe',
];

describe('templates', () => {
  let templates: Templates;

  beforeAll(async () => {
    templates = await openTemplates();
  });
  afterAll(() => templates[Symbol.asyncDispose]());

  it('come with the platform, whole and valid', async () => {
    const { api } = templates;
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
    const { key, otherKey, ask, mutate, remove } = templates;
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
    const { key, otherKey, ask, create, api } = templates;
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
    const { create } = templates;
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
    const { acme, mutate, api } = templates;
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
    const { ask, mutate, create, deviceOf, controls } = templates;
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
    const { mutate, create } = templates;
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
    const { mutate, create, mutateDevice, api } = templates;
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
    const { acme, otherKey, ask, create, remove, deviceOf, controls, api } = templates;
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

  it('are listed with the same few queries, however many there are', async () => {
    const { acme, ask, mutate, create, deviceOf, api } = templates;
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
