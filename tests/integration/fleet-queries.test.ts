import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queryCases } from '#bench/query-cases.ts';
import { type QueryFleet, seedQueryFleet } from '#bench/query-fleet.ts';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { until } from '../kit/wait.ts';

const COUNTS = [
  ...['devices', 'online', 'offline', 'unknown', 'fresh', 'stale', 'silent'],
  ...['credentialActive', 'credentialExpiring', 'credentialRevoked', 'credentialNone'],
].join(' ');

describe('questions about a fleet', () => {
  let api: TestApi;
  let fleet: QueryFleet;
  let key: string;

  beforeAll(async () => {
    api = await openTestApi();
    fleet = await seedQueryFleet(api.database.admin, 'fleet', 1_200);
    await seedQueryFleet(api.database.admin, 'beside', 600);
    key = await api.apiKey({ id: fleet.tenantId });
    // What is noted of a key's first use is no part of an answer.
    await api.ask(key, '{ viewer { id } }');
    await until('the use of the key to be noted', async () => {
      const noted = await api.database.admin.query('select from api_key_networks where tenant_id = $1', [
        fleet.tenantId,
      ]);
      return noted.rowCount === 1;
    });
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const ask = async (document: string, variables: Record<string, unknown> = {}) => {
    const { data, errors } = await api.ask(key, document, variables);
    expect(errors).toEqual([]);
    return data;
  };
  const statementsOf = async (document: string, variables: Record<string, unknown>) => {
    const statements = await api.statementsOf(() => ask(document, variables));
    return statements.filter((text) => !/api_keys|api_key_networks|find_api_key/.test(text));
  };
  const inDatabase = async (condition: string): Promise<number> => {
    const { rows } = await api.database.admin.query<{ count: number }>(
      `select count(*)::int as count from devices d left join device_presence p on p.device_id = d.id
       where d.tenant_id = $1 and ${condition}`,
      [fleet.tenantId],
    );
    return rows[0]?.count ?? 0;
  };

  it('send no more statements for a hundred rows than for ten', async () => {
    for (const { name, document, variables, paged } of queryCases(fleet)) {
      if (!paged) continue;
      const few = await statementsOf(document, { ...variables, first: 10 });
      const many = await statementsOf(document, { ...variables, first: 100 });
      // The never seen and the seen are two parts, whatever the page: a longer one may reach into the second.
      const parts = name.startsWith('list by last seen') ? 1 : 0;
      expect({ name, growing: many.length > few.length + parts }, many.join('\n\n')).toEqual({
        name,
        growing: false,
      });
      expect(many.length, name).toBeLessThanOrEqual(10);
    }
  });

  it('are answered with one statement where they only count', async () => {
    for (const { name, document, variables, paged } of queryCases(fleet)) {
      if (paged) continue;
      const statements = await statementsOf(document, { ...variables });
      expect(statements.length, name).toBeLessThanOrEqual(3);
    }
  });

  it('sum the fleet up by presence, decommissioned devices left out unless they are asked for', async () => {
    const SUMMARY = `query ($where: DeviceFilter) { fleetSummary(where: $where) { ${COUNTS} } }`;
    const { fleetSummary } = await ask(SUMMARY);
    const active = `d.status <> 'DECOMMISSIONED'`;
    expect(fleetSummary).toEqual({
      devices: await inDatabase(active),
      online: await inDatabase(`${active} and p.connection = 'ONLINE'`),
      offline: await inDatabase(`${active} and p.connection = 'OFFLINE'`),
      unknown: await inDatabase(`${active} and coalesce(p.connection, 'UNKNOWN') = 'UNKNOWN'`),
      fresh: await inDatabase(`${active} and p.freshness = 'FRESH'`),
      stale: await inDatabase(`${active} and p.freshness = 'STALE'`),
      silent: await inDatabase(`${active} and coalesce(p.freshness, 'SILENT') = 'SILENT'`),
      credentialActive: await inDatabase(`${active} and p.credential = 'ACTIVE'`),
      credentialExpiring: await inDatabase(`${active} and p.credential = 'EXPIRING'`),
      credentialRevoked: 0,
      credentialNone: await inDatabase(`${active} and p.device_id is null`),
    });
    expect(fleetSummary.devices).toBeLessThan(fleet.devices);
    for (const [where, condition] of [
      [{ statuses: ['DECOMMISSIONED'] }, `d.status = 'DECOMMISSIONED'`],
      [
        { siteKeys: ['site-0001'], connections: ['UNKNOWN'] },
        `${active} and d.key like '%-0001-%' and coalesce(p.connection, 'UNKNOWN') = 'UNKNOWN'`,
      ],
      [{ search: 'zeppelin' }, 'false'],
    ] as const) {
      const found = await ask(SUMMARY, { where });
      expect(found.fleetSummary.devices, JSON.stringify(where)).toBe(await inDatabase(condition));
    }
  });

  it('count by presence and status alike where devices were never heard of, and sum them up so', async () => {
    const connection = `coalesce(p.connection, 'UNKNOWN')`;
    const freshness = `coalesce(p.freshness, 'SILENT')`;
    await api.database.admin.query(
      `delete from device_presence p using devices d where d.id = p.device_id and d.status <> 'ACTIVE' and d.id % 2 = 0`,
    );
    expect(await inDatabase(`p.device_id is null and d.status = 'ACTIVE'`)).toBeGreaterThan(0);
    expect(await inDatabase(`p.device_id is null and d.status = 'DECOMMISSIONED'`)).toBeGreaterThan(0);
    for (const [where, condition] of [
      [{ freshness: ['STALE', 'SILENT'] }, `${freshness} in ('STALE', 'SILENT')`],
      [
        { freshness: ['SILENT'], connections: ['UNKNOWN'] },
        `${freshness} = 'SILENT' and ${connection} = 'UNKNOWN'`,
      ],
      [
        { freshness: ['SILENT'], connections: ['ONLINE', 'OFFLINE'] },
        `${freshness} = 'SILENT' and ${connection} <> 'UNKNOWN'`,
      ],
      [{ freshness: ['FRESH', 'STALE', 'SILENT'] }, 'true'],
      [{ freshness: [] }, 'false'],
      [{ connections: ['OFFLINE'] }, `${connection} = 'OFFLINE'`],
      [
        { connections: ['UNKNOWN'], statuses: ['ACTIVE'] },
        `${connection} = 'UNKNOWN' and d.status = 'ACTIVE'`,
      ],
      [
        { connections: ['ONLINE'], statuses: ['ACTIVE', 'DECOMMISSIONED'] },
        `${connection} = 'ONLINE' and d.status <> 'DISABLED'`,
      ],
      [
        { freshness: ['SILENT'], statuses: ['DECOMMISSIONED'] },
        `${freshness} = 'SILENT' and d.status = 'DECOMMISSIONED'`,
      ],
      [{ freshness: ['SILENT'], statuses: [] }, 'false'],
      [{ freshness: ['SILENT'], tagsAny: ['indoor'] }, `${freshness} = 'SILENT' and 'indoor' = any(d.tags)`],
    ] as const) {
      const { devices, fleetSummary } = await ask(
        `query ($where: DeviceFilter) { devices(first: 1, where: $where) { totalCount } fleetSummary(where: $where) { ${COUNTS} } }`,
        { where },
      );
      const name = JSON.stringify(where);
      const inService = 'statuses' in where ? condition : `${condition} and d.status <> 'DECOMMISSIONED'`;
      expect({ name, count: devices.totalCount }).toEqual({ name, count: await inDatabase(condition) });
      expect({ name, count: fleetSummary.devices }).toEqual({ name, count: await inDatabase(inService) });
      for (const [state, expression] of Object.entries({
        online: `${connection} = 'ONLINE'`,
        unknown: `${connection} = 'UNKNOWN'`,
        stale: `${freshness} = 'STALE'`,
        silent: `${freshness} = 'SILENT'`,
        credentialNone: 'p.device_id is null',
      }))
        expect({ name, [state]: fleetSummary[state] }).toEqual({
          name,
          [state]: await inDatabase(`${inService} and ${expression}`),
        });
    }
  });

  it('count groups as their lists do, all of a page with one statement', async () => {
    const { groups } = await ask(
      '{ groups(first: 100) { nodes { key deviceCount devices(first: 1) { totalCount } } } }',
    );
    expect(groups.nodes).toHaveLength(40);
    for (const { key: group, deviceCount, devices } of groups.nodes)
      expect({ group, deviceCount }).toEqual({ group, deviceCount: devices.totalCount });
    expect(groups.nodes.every(({ deviceCount }: { deviceCount: number }) => deviceCount > 0)).toBe(true);
  });

  /** What the planner makes of a statement of the tenant's. */
  const planOf = async (statement: string, values: readonly unknown[], settings = ''): Promise<string> => {
    const client = await api.database.admin.connect();
    try {
      await client.query(
        `begin; set local role fleetgraph_app; set local app.tenant_id = '${fleet.tenantId}'; ${settings}`,
      );
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${statement}`, [...values]);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    } finally {
      await client.query('rollback');
      client.release();
    }
  };
  const FROM = 'select d.id from tenant_devices d where d.tenant_id = $1 and';

  it('are answered by indexes: a rare tag or attribute is found without looking at every device', async () => {
    await api.database.admin.query('analyze devices; analyze device_presence');
    const settings = 'set local enable_seqscan = off; set local enable_indexscan = off';
    for (const [condition, value, index] of [
      ['d.tags @> $2::text[]', ['recall'], 'devices_tags'],
      ['d.attributes @> $2::jsonb', '{"contract": 77}', 'devices_attributes'],
    ] as const)
      expect(await planOf(`${FROM} ${condition}`, [fleet.tenantId, value], settings), condition).toContain(
        index,
      );
  });

  it('are planned by how frequent it is what they ask for', async () => {
    await api.database.admin.query('analyze devices; analyze device_presence');
    for (const [condition, value] of [
      ['d.tags && $2::text[]', ['outdoor']],
      ['d.tags && $2::text[]', ['recall']],
      ['d.status = any($2::device_status[])', ['DECOMMISSIONED']],
      ['d.status = any($2::device_status[])', ['ACTIVE', 'DISABLED']],
      ['d.search like $2', '%harbour%'],
    ] as const) {
      const plan = await planOf(`${FROM} ${condition}`, [fleet.tenantId, value]);
      const [, estimate] = /rows=(\d+)/.exec(plan) ?? [];
      const { rows } = await api.database.admin.query(
        `select from devices d where d.tenant_id = $1 and ${condition}`,
        [fleet.tenantId, value],
      );
      expect(Math.abs(Number(estimate) - rows.length), `${condition} ${value}\n${plan}`).toBeLessThan(
        0.1 * fleet.devices,
      );
    }
  });
});
