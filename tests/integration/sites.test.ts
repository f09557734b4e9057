import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';

const FAULTS = `... on UserError { code message path } ... on ValidationError { issues { path message } }
  ... on ConflictError { currentVersion } ... on ForbiddenError { permission }`;
const SITE = 'site { id key name address timezone version location { latitude longitude } }';
const CREATE = `mutation ($input: SiteCreateInput!) { siteCreate(input: $input) { __typename ... on SiteCreateSuccess { ${SITE} } ${FAULTS} } }`;
const UPDATE = `mutation ($input: SiteUpdateInput!) { siteUpdate(input: $input) { __typename ... on SiteUpdateSuccess { ${SITE} } ${FAULTS} } }`;
const DELETE = `mutation ($input: SiteDeleteInput!) { siteDelete(input: $input) { __typename ... on SiteDeleteSuccess { id } ${FAULTS} } }`;
const ROLLUP = `rollup { devices online offline unknown fresh stale silent
  credentialActive credentialExpiring credentialRevoked credentialNone }`;

describe('sites', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let key: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    key = await api.apiKey(acme);
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const mutate = async (query: string, input: Record<string, unknown>, credential = key) => {
    const { data, errors } = await api.ask(credential, query, { input });
    expect(errors).toEqual([]);
    // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its document asks for
    return Object.values<any>(data)[0];
  };

  it('are made once, found by key and id, and changed where nobody was faster', async () => {
    const made = await Promise.all(
      Array.from({ length: 4 }, () =>
        mutate(CREATE, { key: 'harbour', address: ' Quay 1 ', location: { latitude: 53.5, longitude: 10 } }),
      ),
    );
    expect(made.map(({ __typename }) => __typename).sort()).toEqual([
      ...Array<string>(3).fill('ConflictError'),
      'SiteCreateSuccess',
    ]);
    const { site } = made.find(({ __typename }) => __typename === 'SiteCreateSuccess');
    expect(site).toMatchObject({ name: 'harbour', address: 'Quay 1', timezone: 'UTC', version: 1 });
    const changed = await mutate(UPDATE, {
      ...{ id: site.id, expectedVersion: 1, name: 'Harbour', timezone: 'Europe/Berlin', location: null },
    });
    expect(changed.site).toEqual({
      ...{ ...site, name: 'Harbour', timezone: 'Europe/Berlin', version: 2, location: null },
    });
    expect(await mutate(UPDATE, { id: site.id, expectedVersion: 1, name: 'Late' })).toMatchObject({
      ...{ __typename: 'ConflictError', currentVersion: 2, path: ['input', 'expectedVersion'] },
    });
    const { data } = await api.ask(
      key,
      `query ($id: ID!) { a: site(by: { id: $id }) { version } b: site(by: { key: "harbour" }) { version } c: site(by: { key: "none" }) { id } }`,
      { id: site.id },
    );
    expect(data).toEqual({ a: { version: 2 }, b: { version: 2 }, c: null });
  });

  it('say what is wrong with an input, and who may change them', async () => {
    const wrong = await mutate(CREATE, {
      ...{ key: 'no key', name: ' ', timezone: 'Mars/Olympus', location: { latitude: 0, longitude: 181 } },
    });
    expect(wrong.issues.map(({ path }: { path: string[] }) => path.join('.'))).toEqual([
      ...['input.key', 'input.name', 'input.timezone', 'input.location.longitude'],
    ]);
    expect(await mutate(UPDATE, { id: 'nonsense', name: 'x' })).toMatchObject({
      __typename: 'NotFoundError',
    });
    const operator = await api.apiKey(acme, 'OPERATOR');
    expect(await mutate(CREATE, { key: 'mine' }, operator)).toMatchObject({ permission: 'sites.write' });
  });

  it('stay while devices are there or tokens make some, and go with nothing but decommissioned ones', async () => {
    const { site } = await mutate(CREATE, { key: 'closing' });
    const devices = await Promise.all(['c-1', 'c-2'].map((name) => acme.device(name, { site: 'closing' })));
    expect(await mutate(DELETE, { id: site.id })).toMatchObject({
      ...{ __typename: 'ConflictError', path: ['input', 'id'], message: '2 devices are there' },
    });
    await api.database.admin.query("update devices set status = 'DECOMMISSIONED' where id = any($1)", [
      devices.map(({ id }) => id),
    ]);
    await api.ask(
      key,
      'mutation { provisioningTokenCreate(input: { name: "p", siteKey: "closing" }) { __typename } }',
    );
    expect((await mutate(DELETE, { id: site.id })).message).toBe('1 provisioning token makes devices there');
    await api.database.admin.query('update provisioning_tokens set revoked_at = now()');
    expect(await mutate(DELETE, { id: site.id, expectedVersion: 9 })).toMatchObject({ currentVersion: 1 });
    expect(await mutate(DELETE, { id: site.id })).toMatchObject({
      ...{ __typename: 'SiteDeleteSuccess', id: site.id },
    });
    const { data } = await api.ask(
      key,
      '{ site(by: { key: "closing" }) { id } device(by: { key: "c-1" }) { status site { id } } }',
    );
    expect(data).toEqual({ site: null, device: { status: 'DECOMMISSIONED', site: null } });
  });

  it('leave no device at a site that goes at the same moment', async () => {
    const create = `mutation ($input: DeviceCreateInput!) { deviceCreate(input: $input) { __typename } }`;
    for (let round = 0; round < 5; round += 1) {
      const { site } = await mutate(CREATE, { key: `brief-${round}` });
      const [gone, made] = await Promise.all([
        mutate(DELETE, { id: site.id }),
        mutate(create, { key: `late-${round}`, siteKey: site.key }),
      ]);
      expect(
        [gone.__typename, made.__typename].filter((name) => name.endsWith('Success')),
        `${gone.__typename}, ${made.__typename}`,
      ).toHaveLength(1);
    }
  });

  it('are listed by search and page, with rollups that cost one statement however many sites there are', async () => {
    const beta = await seedTenant(api.database.admin, 'beta');
    const betaKey = await api.apiKey(beta);
    for (let index = 0; index < 40; index += 1) await beta.site(`s-${String(index).padStart(2, '0')}`);
    await api.database.admin.query("update sites set address = 'Hidden 50%' where key = 's-07'");
    for (const [index, state] of ['ONLINE/FRESH/ACTIVE', 'OFFLINE/STALE/REVOKED', ''].entries()) {
      const device = await beta.device(`r-${index}`, { site: 's-00' });
      const [connection, freshness, credential] = state.split('/');
      if (state !== '')
        await api.database.admin.query(
          `insert into device_presence (device_id, tenant_id, connection, freshness, credential)
           values ($1, $2, $3::connectivity, $4::freshness, $5)`,
          [device.id, beta.id, connection, freshness, credential],
        );
    }
    const out = await beta.device('r-out', { site: 's-00' });
    await api.database.admin.query("update devices set status = 'DECOMMISSIONED' where id = $1", [out.id]);
    const list = async (first: number, where = {}) => {
      const { data, errors } = await api.ask(
        betaKey,
        `query ($first: Int, $where: SiteFilter) { sites(first: $first, where: $where) { totalCount nodes { key ${ROLLUP} } pageInfo { hasNextPage } } }`,
        { first, where },
      );
      expect(errors).toEqual([]);
      return data.sites;
    };
    const all = await list(40);
    expect(all.totalCount).toBe(40);
    expect(all.nodes[0].rollup).toEqual({
      ...{ devices: 3, online: 1, offline: 1, unknown: 1, fresh: 1, stale: 1, silent: 1 },
      ...{ credentialActive: 1, credentialExpiring: 0, credentialRevoked: 1, credentialNone: 1 },
    });
    expect(all.nodes[1].rollup).toMatchObject({ devices: 0, online: 0, silent: 0 });
    const found = await list(40, { search: 'hidden 50%' });
    expect(found).toMatchObject({ totalCount: 1, nodes: [{ key: 's-07' }] });
    expect((await list(2, { search: 'S-1' })).pageInfo.hasNextPage).toBe(true);
    const few = await api.statementsOf(() => list(1));
    const many = await api.statementsOf(() => list(40));
    expect(many.length, many.join('\n\n')).toBe(few.length);
    expect(many.filter((text) => text.includes('tenant_presence'))).toHaveLength(1);
  });
});
