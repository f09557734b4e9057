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
  }, 120_000);
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

  it('count groups as their lists do, all of a page with one statement', async () => {
    const { groups } = await ask(
      '{ groups(first: 100) { nodes { key deviceCount devices(first: 1) { totalCount } } } }',
    );
    expect(groups.nodes).toHaveLength(40);
    for (const { key: group, deviceCount, devices } of groups.nodes)
      expect({ group, deviceCount }).toEqual({ group, deviceCount: devices.totalCount });
    expect(groups.nodes.every(({ deviceCount }: { deviceCount: number }) => deviceCount > 0)).toBe(true);
  });

  it('are answered by indexes: a rare tag or attribute is found without looking at every device', async () => {
    await api.database.admin.query('analyze devices; analyze device_presence');
    const plans = async (document: string, variables: Record<string, unknown>) => {
      const client = await api.database.admin.connect();
      try {
        await client.query(`begin; set local role fleetgraph_app; set local app.tenant_id = '${fleet.tenantId}';
          set local enable_seqscan = off; set local enable_indexscan = off`);
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(
          `explain ${document}`,
          Object.values(variables),
        );
        return rows.map((row) => row['QUERY PLAN']).join('\n');
      } finally {
        await client.query('rollback');
        client.release();
      }
    };
    const from = 'select d.id from tenant_devices d where d.tenant_id = $1 and';
    const tenant = { tenant: fleet.tenantId };
    for (const [condition, value, index] of [
      ['d.tags @> $2::text[]', ['recall'], 'devices_tags'],
      ['d.attributes @> $2::jsonb', '{"contract": 77}', 'devices_attributes'],
    ] as const)
      expect(await plans(`${from} ${condition}`, { ...tenant, value }), condition).toContain(index);
  });
});
