import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';
import { until } from '../kit/wait.ts';

describe('lists of devices', () => {
  let api: TestApi;
  let beta: TenantSeed;
  let betaKey: string;

  beforeAll(async () => {
    api = await openTestApi();
    beta = await seedTenant(api.database.admin, 'beta');
    await beta.site('hall');
    betaKey = await api.apiKey(beta);
    for (const [index, name] of ['delta', 'alpha', 'charlie', 'bravo', 'alpha'].entries()) {
      const device = await beta.device(`d-${index}`, { site: 'hall' });
      await api.database.admin.query(
        'update devices set name = $2, tags = $3, serial_number = $4 where id = $1',
        [device.id, name, index % 2 === 0 ? ['even', 'all'] : ['all'], `S%N_${index}`],
      );
      if (index < 3) {
        await api.database.admin.query(
          `insert into device_presence (device_id, tenant_id, connection, freshness, last_seen_at)
           values ($1, $2, 'ONLINE', 'FRESH', now() - $3 * interval '1 minute')`,
          [device.id, beta.id, index === 2 ? 1 : index],
        );
      }
    }
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const LIST = `query ($first: Int, $after: String, $last: Int, $before: String, $where: DeviceFilter, $orderBy: DeviceOrder) {
    devices(first: $first, after: $after, last: $last, before: $before, where: $where, orderBy: $orderBy) {
      totalCount nodes { key } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
  const list = async (variables: Record<string, unknown>) => {
    const { data, errors } = await api.ask(betaKey, LIST, variables);
    expect(errors).toEqual([]);
    return { ...data.devices, keys: data.devices.nodes.map((node: { key: string }) => node.key) };
  };

  it.each([
    ['KEY', 'ASC', ['d-0', 'd-1', 'd-2', 'd-3', 'd-4']],
    ['KEY', 'DESC', ['d-4', 'd-3', 'd-2', 'd-1', 'd-0']],
    ['NAME', 'ASC', ['d-1', 'd-4', 'd-3', 'd-2', 'd-0']],
    ['CREATED_AT', 'DESC', ['d-4', 'd-3', 'd-2', 'd-1', 'd-0']],
    ['LAST_SEEN_AT', 'DESC', ['d-0', 'd-2', 'd-1', 'd-4', 'd-3']],
    ['LAST_SEEN_AT', 'ASC', ['d-3', 'd-4', 'd-1', 'd-2', 'd-0']],
  ])(
    'walks by %s %s, forward and backward, without a hole or a repeat',
    async (field, direction, expected) => {
      const orderBy = { field, direction };
      const forward: string[] = [];
      let after: string | null = null;
      do {
        const page = await list({ first: 2, after, orderBy });
        expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
        expect(page.totalCount).toBe(5);
        forward.push(...page.keys);
        after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
      } while (after !== null);
      expect(forward).toEqual(expected);
      const backward: string[] = [];
      let before: string | null = null;
      do {
        const page = await list({ last: 2, before, orderBy });
        backward.unshift(...page.keys);
        before = page.pageInfo.hasPreviousPage ? page.pageInfo.startCursor : null;
      } while (before !== null);
      expect(backward).toEqual(expected);
    },
  );

  it.each([
    [{ search: 'ALPH' }, ['d-1', 'd-4']],
    [{ search: 's%n_3' }, ['d-3']],
    [{ search: '%' }, ['d-0', 'd-1', 'd-2', 'd-3', 'd-4']],
    [{ search: "'; drop table devices; --" }, []],
    [{ keys: ['d-0', 'd-3', 'x'] }, ['d-0', 'd-3']],
    [{ siteKeys: ['hall'], tagsAll: ['even', 'all'] }, ['d-0', 'd-2', 'd-4']],
    [{ siteKeys: ['nowhere'] }, []],
    [{ connections: ['UNKNOWN'] }, ['d-3', 'd-4']],
    [{ freshness: ['FRESH'], statuses: ['ACTIVE'] }, ['d-0', 'd-1', 'd-2']],
    [{ statuses: ['DECOMMISSIONED'] }, []],
    [{ keys: [] }, []],
  ])('filters by %j', async (where, expected) => {
    const page = await list({ where });
    expect(page.keys).toEqual(expected);
    expect(page.totalCount).toBe(expected.length);
  });

  it('refuses page arguments and cursors that break the rules', async () => {
    const { edges } = await list({ first: 1 });
    for (const variables of [
      { first: 0 },
      { first: 101 },
      { last: -1 },
      { first: 1, last: 1 },
      { after: 'nonsense' },
      { after: edges[0].cursor, orderBy: { field: 'NAME' } },
      { after: Buffer.from('["devices/KEY","x","99999999999"]').toString('base64url') },
      { where: { search: 'x'.repeat(201) } },
      { where: { search: 'a\u0000' } },
      { where: { keys: Array(201).fill('k') } },
    ]) {
      const { errors } = await api.ask(betaKey, LIST, variables);
      expect(errors[0]?.extensions?.['code'], JSON.stringify(variables).slice(0, 80)).toBe('BAD_USER_INPUT');
    }
  });

  it('answers the device list of the console with as many statements for fifty devices as for one', async () => {
    const gamma = await seedTenant(api.database.admin, 'gamma');
    await gamma.site('a');
    const gammaKey = await api.apiKey(gamma);
    const devices = await gamma.devices(50);
    await api.database.admin.query(
      'update devices set site_id = (select id from sites where tenant_id = $1) where tenant_id = $1',
      [gamma.id],
    );
    await api.database.admin.query(
      `insert into device_latest (device_id, tenant_id, newest_ts, metrics) select id, tenant_id, now(), $2 from devices where tenant_id = $1`,
      [gamma.id, { t: [1, 1, '1', 1] }],
    );
    const LIST_OF_CONSOLE = `query ($first: Int!) { devices(first: $first) { totalCount nodes { id key name status tags model firmware
      site { id key name } presence { connection freshness credential lastSeenAt connectionChangedAt }
      latest { metric value at receivedAt } } pageInfo { hasNextPage endCursor } } }`;
    // What is noted of a key's first use is no part of the list.
    await api.ask(gammaKey, '{ viewer { id } }');
    await until('the use of the key to be noted', async () => {
      const noted = await api.database.admin.query('select from api_key_networks where tenant_id = $1', [
        gamma.id,
      ]);
      return noted.rowCount === 1;
    });
    const statements = await api.statementsOf(async () => {
      const { data, errors } = await api.ask(gammaKey, LIST_OF_CONSOLE, { first: 50 });
      expect(errors).toEqual([]);
      expect(data.devices.nodes).toHaveLength(devices.length);
      expect(data.devices.nodes[49]).toMatchObject({
        site: { key: 'a' },
        presence: { credential: 'ACTIVE' },
        latest: [{ value: 1 }],
      });
    });
    const asked = statements.filter((text) => !text.includes('update api_keys'));
    const tables = asked.map(
      (text) => /from (\w+)/.exec(text.replace(/\s+/g, ' ').replace(/from \(select [^)]*?from/, 'from'))?.[1],
    );
    expect(tables.sort(), statements.join('\n\n')).toEqual([
      'device_credentials',
      'device_latest',
      'sites',
      'tenant_devices',
      'tenant_devices',
    ]);
  });
});
