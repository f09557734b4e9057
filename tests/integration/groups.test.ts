import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';

const FAULTS = '... on UserError { code message path } ... on ConflictError { currentVersion }';
const GROUP = 'group { id key name description kind filter version deviceCount }';
const CREATE = `mutation ($input: GroupCreateInput!) { groupCreate(input: $input) { __typename
  ... on GroupCreateSuccess { ${GROUP} } ${FAULTS} } }`;
const UPDATE = `mutation ($input: GroupUpdateInput!) { groupUpdate(input: $input) { __typename
  ... on GroupUpdateSuccess { ${GROUP} } ${FAULTS} } }`;
const DELETE = `mutation ($input: GroupDeleteInput!) { groupDelete(input: $input) { __typename
  ... on GroupDeleteSuccess { key } ${FAULTS} } }`;
const LIST = `query ($where: DeviceFilter) { devices(where: $where) { totalCount nodes { key } } }`;

interface Made {
  readonly site?: string;
  readonly columns?: Readonly<Record<string, unknown>>;
}

describe('groups and filters', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let key: string;

  const make = async (deviceKey: string, { site, columns = {} }: Made = {}) => {
    const { id } = await acme.device(deviceKey, site ? { site } : {});
    for (const [name, value] of Object.entries(columns))
      await api.database.admin.query(`update devices set ${name} = $2 where id = $1`, [id, value]);
    return id;
  };
  const ids: Record<string, number> = {};

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    key = await api.apiKey(acme, 'ENGINEER');
    await acme.site('north');
    const { rows } = await api.database.admin.query<{ id: number }>(
      `insert into device_templates (tenant_id, key, name, category, version) values ($1, 'probe', 'Probe', 'SENSOR', 2) returning id`,
      [acme.id],
    );
    const template = rows[0]?.id;
    await api.database.admin.query(
      `insert into template_versions (template_id, version, tenant_id, definition, created_by)
       select $1, v, $2, '{}', 'test' from generate_series(1, 2) v`,
      [template, acme.id],
    );
    ids['gateway'] = await make('gateway', { site: 'north', columns: { tags: ['edge', 'Cold-Store'] } });
    ids['probe-1'] = await make('probe-1', {
      site: 'north',
      columns: {
        ...{ name: 'Probe of the hall', tags: ['cold', 'edge'], model: 'P-9', firmware: '1.2.0' },
        ...{ latitude: 48.2082, longitude: 16.3738, parent_id: ids['gateway'] },
        attributes: { floor: 3, zone: { of: 'x' }, note: null },
      },
    });
    await api.database.admin.query(
      'update devices set template_id = $2, template_version = 1 where id = $1',
      [ids['probe-1'], template],
    );
    ids['probe-2'] = await make('probe-2', {
      columns: {
        ...{ tags: ['cold'], firmware: '1.3.0', attributes: { floor: '3' } },
        ...{ latitude: -17.7, longitude: 178.8, serial_number: 'SN-Äpfel' },
      },
    });
    await api.database.admin.query(
      'update devices set template_id = $2, template_version = 2 where id = $1',
      [ids['probe-2'], template],
    );
    ids['retired'] = await make('retired', { columns: { tags: ['cold'], status: 'DECOMMISSIONED' } });
    await api.database.admin.query(
      `insert into device_presence (device_id, tenant_id, connection, freshness, last_seen_at)
       values ($1, $3, 'ONLINE', 'FRESH', '2026-01-02T00:00:00Z'), ($2, $3, 'OFFLINE', 'STALE', '2026-01-01T00:00:00Z')`,
      [ids['probe-1'], ids['probe-2'], acme.id],
    );
    const other = await seedTenant(api.database.admin, 'other');
    await other.device('probe-1');
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const mutate = async (document: string, input: Record<string, unknown>, credential = key) => {
    const { data, errors } = await api.ask(credential, document, { input });
    expect(errors).toEqual([]);
    return data[Object.keys(data)[0] ?? ''];
  };
  const put = (groupKey: string, ...deviceKeys: string[]) =>
    api.database.admin.query(
      `insert into device_group_members (tenant_id, group_id, device_id)
       select g.tenant_id, g.id, d.id from device_groups g join devices d on d.tenant_id = g.tenant_id
       where g.tenant_id = $1 and g.key = $2 and d.key = any($3)`,
      [acme.id, groupKey, deviceKeys],
    );
  const find = async (where: Record<string, unknown>) => {
    const { data, errors } = await api.ask(key, LIST, { where });
    expect(errors).toEqual([]);
    const keys = data.devices.nodes.map((node: { key: string }) => node.key);
    expect(data.devices.totalCount).toBe(keys.length);
    return keys;
  };

  it.each([
    [{ search: 'prob' }, ['probe-1', 'probe-2']],
    [{ search: 'HALL probe' }, ['probe-1']],
    [{ search: 'old-sto' }, ['gateway']],
    [{ search: 'äPFEL' }, ['probe-2']],
    [{ search: '  ' }, ['gateway', 'probe-1', 'probe-2', 'retired']],
    [{ search: 'a b c d e f g h i j' }, []],
    [{ tagsAny: ['edge', 'nothing'] }, ['gateway', 'probe-1']],
    [{ tagsAny: [] }, []],
    [{ tagsAll: ['edge', 'cold'] }, ['probe-1']],
    [{ templateKeys: ['probe'] }, ['probe-1', 'probe-2']],
    [{ templateKeys: ['probe'], templateVersions: [2] }, ['probe-2']],
    [{ templateKeys: ['gateway'] }, []],
    [{ parentKeys: ['gateway'] }, ['probe-1']],
    [{ hasParent: true }, ['probe-1']],
    [{ hasParent: false, statuses: ['ACTIVE'] }, ['gateway', 'probe-2']],
    [{ models: ['P-9'] }, ['probe-1']],
    [{ firmwares: ['1.2.0', '1.3.0'] }, ['probe-1', 'probe-2']],
    [{ attributes: { floor: 3 } }, ['probe-1']],
    [{ attributes: { floor: '3' } }, ['probe-2']],
    [{ attributes: { note: null, floor: 3 } }, ['probe-1']],
    [{ lastSeenAfter: '2026-01-01T12:00:00Z' }, ['probe-1']],
    [{ lastSeenAfter: '2026-01-02T00:00:00Z' }, ['probe-1']],
    [{ lastSeenBefore: '2026-01-02T00:00:00Z' }, ['gateway', 'probe-2', 'retired']],
    [{ within: { box: { south: 48, west: 16, north: 49, east: 17 } } }, ['probe-1']],
    [{ within: { box: { south: -20, west: 170, north: 0, east: -170 } } }, ['probe-2']],
    // About 10 km from the probe, which stands on the far side of the date line.
    [{ within: { circle: { latitude: 48.2082, longitude: 16.5, meters: 10_000 } } }, ['probe-1']],
    [{ within: { circle: { latitude: 48.2082, longitude: 16.5, meters: 9_000 } } }, []],
    [{ within: { circle: { latitude: -17.7, longitude: -179, meters: 300_000 } } }, ['probe-2']],
  ])('find devices by %j', async (where, expected) => {
    expect(await find(where)).toEqual(expected);
  });

  it.each([
    [{ attributes: [1] }, 'where.attributes: must be an object'],
    [{ attributes: { zone: { of: 'x' } } }, 'where.attributes.zone: must be a text'],
    [{ within: { box: { south: 2, west: 0, north: 1, east: 0 } } }, 'where.within.box: south'],
    [{ within: { circle: { latitude: 0, longitude: 0, meters: 0 } } }, 'where.within.circle.meters'],
    [{ tagsAny: Array(201).fill('k') }, 'where.tagsAny: a filter takes at most 200 values'],
    [{ keys: ['x'.repeat(201)] }, 'where.keys.0: a filter takes at most 200 characters'],
    [{ templateVersions: [0] }, 'where.templateVersions.0: must be at least 1'],
  ])('refuse %j and say why', async (where, message) => {
    const { errors } = await api.ask(key, LIST, { where });
    expect(errors[0]?.extensions?.['code']).toBe('BAD_USER_INPUT');
    expect(errors[0]?.message).toContain(message);
  });

  it('are made, changed with the version seen, and forgotten, in the name of engineers only', async () => {
    const made = await mutate(CREATE, { key: 'made', description: 'For a while' });
    expect(made).toMatchObject({
      __typename: 'GroupCreateSuccess',
      group: { key: 'made', name: 'made', kind: 'STATIC', filter: null, version: 1, deviceCount: 0 },
    });
    const { id } = made.group;
    expect(await mutate(CREATE, { key: 'made' })).toMatchObject({ __typename: 'ConflictError' });
    expect(await mutate(CREATE, { key: 'Made' })).toMatchObject({ path: ['input', 'key'] });
    const changed = await mutate(UPDATE, { id, expectedVersion: 1, name: 'New name' });
    expect(changed.group).toMatchObject({ name: 'New name', description: 'For a while', version: 2 });
    expect(await mutate(UPDATE, { id, expectedVersion: 1, name: 'Late' })).toMatchObject({
      __typename: 'ConflictError',
      currentVersion: 2,
    });
    expect(await mutate(UPDATE, { id, filter: { tagsAny: ['x'] } })).toMatchObject({
      __typename: 'ValidationError',
      path: ['input', 'filter'],
    });
    const operator = await api.apiKey(acme, 'OPERATOR');
    expect((await mutate(DELETE, { id }, operator)).__typename).toBe('ForbiddenError');
    expect(await mutate(DELETE, { id, expectedVersion: 2 })).toMatchObject({ key: 'made' });
    expect((await mutate(DELETE, { id })).__typename).toBe('NotFoundError');
  });

  it('that are dynamic hold what meets their filter now, kept as it was asked for', async () => {
    const filter = { tagsAny: ['cold'], lastSeenAfter: '2026-01-01T06:00:00.000Z' };
    const { group } = await mutate(CREATE, { key: 'cold-and-alive', filter });
    expect(group).toMatchObject({ kind: 'DYNAMIC', filter, deviceCount: 1 });
    const wider = await mutate(UPDATE, { id: group.id, filter: { tagsAny: ['cold'] } });
    expect(wider.group).toMatchObject({ filter: { tagsAny: ['cold'] }, deviceCount: 2 });
    expect(await find({ groupKeys: ['cold-and-alive'] })).toEqual(['probe-1', 'probe-2']);
    await api.database.admin.query("update devices set tags = '{}' where id = $1", [ids['probe-1']]);
    expect(await find({ groupKeys: ['cold-and-alive'] })).toEqual(['probe-2']);
    await api.database.admin.query("update devices set tags = '{cold,edge}' where id = $1", [ids['probe-1']]);
    const gone = await mutate(UPDATE, {
      id: group.id,
      filter: { tagsAny: ['cold'], statuses: ['DECOMMISSIONED'] },
    });
    expect(gone.group.deviceCount).toBe(1);
    expect(await find({ groupKeys: ['cold-and-alive'] })).toEqual(['retired']);
  });

  it('never go round in a circle: a filter names no groups', async () => {
    await mutate(CREATE, { key: 'first', filter: { hasParent: true } });
    for (const groupKeys of [['first'], ['second'], []])
      expect(await mutate(CREATE, { key: 'second', filter: { groupKeys } })).toMatchObject({
        __typename: 'ValidationError',
        path: ['input', 'filter', 'groupKeys'],
      });
  });

  it('that are static hold whom they were given, but nobody decommissioned', async () => {
    await mutate(CREATE, { key: 'chosen' });
    await put('chosen', 'gateway', 'probe-2', 'retired');
    const { data } = await api.ask(
      key,
      `{ group(by: { key: "chosen" }) { deviceCount devices(first: 1, orderBy: { field: KEY, direction: DESC }) {
        totalCount nodes { key } pageInfo { hasNextPage } } } }`,
    );
    expect(data.group).toEqual({
      deviceCount: 2,
      devices: { totalCount: 2, nodes: [{ key: 'probe-2' }], pageInfo: { hasNextPage: true } },
    });
    expect(await find({ groupKeys: ['chosen'], hasParent: false })).toEqual(['gateway', 'probe-2']);
    expect(await find({ groupKeys: ['chosen', 'first', 'nowhere'] })).toEqual([
      'gateway',
      'probe-1',
      'probe-2',
    ]);
    expect(await find({ groupKeys: ['nowhere'] })).toEqual([]);
  });

  it('take devices in and let them go, counting first when asked to', async () => {
    const change = (verb: 'Add' | 'Remove', input: Record<string, unknown>) =>
      mutate(
        `mutation ($input: Group${verb}DevicesInput!) { group${verb}Devices(input: $input) { __typename
          ... on Group${verb}DevicesSuccess { matched changed group { deviceCount } } ${FAULTS} } }`,
        input,
      );
    const { group } = await mutate(CREATE, { key: 'filled' });
    const { id } = group;
    const where = { tagsAny: ['cold', 'edge'] };
    expect(await change('Add', { id, target: { where }, dryRun: true })).toMatchObject({
      ...{ matched: 3, changed: 3, group: { deviceCount: 0 } },
    });
    expect(await change('Add', { id, target: { where } })).toMatchObject({
      ...{ matched: 3, changed: 3, group: { deviceCount: 3 } },
    });
    expect(await change('Add', { id, target: { groupKey: 'filled' } })).toMatchObject({
      matched: 3,
      changed: 0,
    });
    const removed = await change('Remove', { id, target: { groupKey: 'cold-and-alive' } });
    expect(removed).toMatchObject({ matched: 1, changed: 0 });
    const { data } = await api.ask(key, '{ device(by: { key: "gateway" }) { id } }');
    const ids = [data.device.id, data.device.id];
    expect(await change('Remove', { id, target: { ids } })).toMatchObject({
      ...{ matched: 1, changed: 1, group: { deviceCount: 2 } },
    });
    for (const [target, fault] of [
      [{ groupKey: 'nowhere' }, 'NotFoundError'],
      [{ ids: ['nonsense'] }, 'NotFoundError'],
      [{ ids: [] }, 'ValidationError'],
      [{ where: { keys: Array(201).fill('k') } }, 'ValidationError'],
    ] as const)
      expect((await change('Add', { id, target })).__typename).toBe(fault);
    const dynamic = await api.ask(key, '{ group(by: { key: "first" }) { id } }');
    expect(await change('Add', { id: dynamic.data.group.id, target: { where } })).toMatchObject({
      __typename: 'ConflictError',
    });
    await mutate(DELETE, { id });
  });

  it('stand on each device that is in them, and cost as many statements for many as for one', async () => {
    await mutate(CREATE, { key: 'warm', filter: { tagsAny: ['warm'] } });
    const groupsOf = async (first: number) => {
      const { data } = await api.ask(
        key,
        `{ devices(first: ${first}) { nodes { key groups { key deviceCount } } } groups { nodes { key deviceCount } } }`,
      );
      return data;
    };
    const data = await groupsOf(4);
    expect(
      data.devices.nodes.map((node: { groups: { key: string }[] }) => node.groups.map((group) => group.key)),
    ).toEqual([['chosen'], ['first'], ['chosen'], ['cold-and-alive']]);
    expect(data.groups.nodes).toEqual([
      { key: 'chosen', deviceCount: 2 },
      { key: 'cold-and-alive', deviceCount: 1 },
      { key: 'first', deviceCount: 1 },
      { key: 'warm', deviceCount: 0 },
    ]);
    const one = await api.statementsOf(() => groupsOf(1));
    const four = await api.statementsOf(() => groupsOf(4));
    expect(four).toHaveLength(one.length);
  });

  it('are listed by key, and found by text and kind', async () => {
    const keysOf = async (where: Record<string, unknown>) => {
      const { data } = await api.ask(
        key,
        'query ($where: DeviceGroupFilter) { groups(where: $where) { totalCount nodes { key } } }',
        { where },
      );
      const keys = data.groups.nodes.map((node: { key: string }) => node.key);
      expect(data.groups.totalCount).toBe(keys.length);
      return keys;
    };
    expect(await keysOf({ kinds: ['STATIC'] })).toEqual(['chosen']);
    expect(await keysOf({ search: 'AR' })).toEqual(['warm']);
    expect(await keysOf({ search: '%' })).toEqual([]);
  });
});
