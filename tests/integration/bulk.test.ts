import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';

const BULK = `matched changed failed errors { deviceId device { key } code message } job { id kind status total }`;

describe('changes of many devices', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let key: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    key = await api.apiKey(acme, 'ENGINEER');
    await acme.site('north');
    await acme.devices(5);
    await api.database.admin.query(
      `update devices set tags = array(select 't' || n from generate_series(1, 31) n) where key = 'device-3'`,
    );
    await api.database.admin.query(`update devices set status = 'DECOMMISSIONED' where key = 'device-4'`);
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const change = async (name: string, input: Record<string, unknown>, credential = key) => {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    const { data, errors } = await api.ask(
      credential,
      `mutation ($input: ${type}Input!) { ${name}(input: $input) { __typename
        ... on ${type}Success { ${BULK} } ... on UserError { code message path } } }`,
      { input },
    );
    expect(errors).toEqual([]);
    return data[name];
  };
  const idsOf = async (...keys: string[]): Promise<string[]> => {
    const { data } = await api.ask(
      key,
      'query ($keys: [String!]) { devices(where: { keys: $keys }) { nodes { id } } }',
      {
        keys,
      },
    );
    return data.devices.nodes.map(({ id }: { id: string }) => id);
  };
  const rowOf = async (deviceKey: string) => {
    const { rows } = await api.database.admin.query(
      `select d.*, s.key as site from devices d left join sites s on s.id = d.site_id where d.tenant_id = $1 and d.key = $2`,
      [acme.id, deviceKey],
    );
    return rows[0];
  };
  const outboxOf = async (work: () => Promise<unknown>) => {
    const { rows: before } = await api.database.admin.query('select coalesce(max(id), 0) as id from outbox');
    await work();
    const { rows } = await api.database.admin.query<{ subject: string; payload: Buffer }>(
      'select subject, payload from outbox where id > $1 order by id',
      [before[0].id],
    );
    return rows.map(({ subject, payload }) => [subject.replace(/\d+/, 'n'), JSON.parse(payload.toString())]);
  };

  it('tag those that can be tagged, tell of them, and say of the others why not', async () => {
    const target = { ids: await idsOf('device-0', 'device-1', 'device-3', 'device-4') };
    const input = { target, tags: ['a', 't1', 'b'] };
    const expected = {
      ...{ __typename: 'DevicesTagSuccess', matched: 4, changed: 2, failed: 2, job: null },
      errors: [
        { device: { key: 'device-3' }, code: 'VALIDATION', message: 'a device carries at most 32 tags' },
        { device: { key: 'device-4' }, code: 'CONFLICT', message: 'the device is decommissioned' },
      ],
    };
    const before = await outboxOf(async () => {
      expect(await change('devicesTag', { ...input, dryRun: true })).toMatchObject(expected);
    });
    expect(before).toEqual([]);
    expect(await rowOf('device-0')).toMatchObject({ tags: [], version: 1 });
    const told = await outboxOf(async () => {
      expect(await change('devicesTag', input)).toMatchObject(expected);
    });
    expect(await rowOf('device-0')).toMatchObject({ tags: ['a', 't1', 'b'], version: 2 });
    expect(await rowOf('device-3')).toMatchObject({ version: 1 });
    expect(told).toEqual([
      [
        'events.n.device',
        expect.objectContaining({
          events: ['device-0', 'device-1'].map((device) =>
            expect.objectContaining({ device, change: 'UPDATED' }),
          ),
        }),
      ],
      ['control.device', expect.objectContaining({ id: 'device-0', version: 2 })],
      ['control.device', expect.objectContaining({ id: 'device-1', version: 2 })],
    ]);
  });

  it('leave alone what is as it should be', async () => {
    const target = { where: { keys: ['device-0', 'device-2'] } };
    expect(await change('devicesTag', { target, tags: ['b'] })).toMatchObject({ matched: 2, changed: 1 });
    expect(await rowOf('device-0')).toMatchObject({ version: 2 });
    const told = await outboxOf(() => change('devicesTag', { target, tags: ['b'] }));
    expect(told).toEqual([]);
    expect(await change('devicesUntag', { target, tags: ['t1', 'zzz'] })).toMatchObject({ changed: 1 });
    expect((await rowOf('device-0')).tags).toEqual(['a', 'b']);
  });

  it('say of ids that are nobody’s that there is no such device, and of those of strangers too', async () => {
    const other = await seedTenant(api.database.admin, 'other');
    const stranger = await other.device('stranger');
    const ids = [stranger.id, 999_999].map((id) => Buffer.from(`Device:${id}`).toString('base64url'));
    for (const dryRun of [true, false])
      expect(await change('devicesTag', { target: { ids }, tags: ['x'], dryRun })).toMatchObject({
        ...{ matched: 0, changed: 0, failed: 2 },
        errors: ids.map((deviceId) => ({ deviceId, device: null, code: 'NOT_FOUND' })),
      });
    const { rows } = await api.database.admin.query('select tags from devices where id = $1', [stranger.id]);
    expect(rows[0].tags).toEqual([]);
  });

  it('set the site, and take it away', async () => {
    const target = { where: { keys: ['device-0', 'device-1'] } };
    expect(await change('devicesSetSite', { target, siteKey: 'nowhere' })).toMatchObject({
      ...{ __typename: 'NotFoundError', path: ['input', 'siteKey'] },
    });
    expect(await change('devicesSetSite', { target, siteKey: 'north' })).toMatchObject({ changed: 2 });
    expect(await rowOf('device-1')).toMatchObject({ site: 'north' });
    const narrower = { where: { siteKeys: ['north'], keys: ['device-1'] } };
    expect(await change('devicesSetSite', { target: narrower, siteKey: null })).toMatchObject({ changed: 1 });
    expect(await rowOf('device-1')).toMatchObject({ site: null });
  });

  it('keep devices out, end their sessions, and let them in again', async () => {
    const target = { ids: await idsOf('device-2') };
    const out = await outboxOf(() => change('devicesSetStatus', { target, status: 'DISABLED' }));
    expect(out.map(([subject]) => subject)).toEqual([
      'events.n.device',
      'control.device',
      'control.credential',
      'control.session',
    ]);
    expect(await rowOf('device-2')).toMatchObject({ status: 'DISABLED' });
    const back = await outboxOf(() => change('devicesSetStatus', { target, status: 'ACTIVE' }));
    expect(back.map(([subject]) => subject)).toEqual([
      'events.n.device',
      'control.device',
      'control.credential',
    ]);
    expect(await change('devicesSetStatus', { target, status: 'DECOMMISSIONED' })).toMatchObject({
      __typename: 'ValidationError',
    });
  });

  it('put devices into a static group, which changes nothing of theirs', async () => {
    await api.ask(key, 'mutation { groupCreate(input: { key: "bulk" }) { __typename } }');
    await api.ask(key, 'mutation { groupCreate(input: { key: "moving", filter: {} }) { __typename } }');
    const target = { groupKey: 'moving' };
    const { version } = await rowOf('device-0');
    const told = await outboxOf(async () => {
      expect(await change('devicesAddToGroup', { target, groupKey: 'bulk' })).toMatchObject({
        matched: 4,
        changed: 4,
      });
    });
    expect(told).toHaveLength(5);
    expect(await rowOf('device-0')).toMatchObject({ version });
    expect(await change('devicesAddToGroup', { target, groupKey: 'bulk' })).toMatchObject({ changed: 0 });
    expect((await change('devicesAddToGroup', { target, groupKey: 'moving' })).__typename).toBe(
      'ConflictError',
    );
    expect((await change('devicesAddToGroup', { target, groupKey: 'none' })).__typename).toBe(
      'NotFoundError',
    );
  });

  it('are for engineers only, and answer a retry as they did before', async () => {
    const operator = await api.apiKey(acme, 'OPERATOR');
    const target = { where: {} };
    for (const dryRun of [true, false])
      expect((await change('devicesTag', { target, tags: ['x'], dryRun }, operator)).__typename).toBe(
        'ForbiddenError',
      );
    const input = { target, tags: ['once', 'only'], clientMutationId: 'bulk-1' };
    const first = await change('devicesTag', input);
    expect(first).toMatchObject({ matched: 4, changed: 3, failed: 1 });
    expect(await change('devicesTag', input)).toEqual(first);
    expect((await rowOf('device-0')).tags).toEqual(['a', 'b', 'once', 'only']);
  });

  it('send as many statements for a hundred devices as for one', async () => {
    await acme.devices(100, 'many');
    const count = async (search: string, tag: string) => {
      const statements = await api.statementsOf(async () => {
        const done = await change('devicesTag', { target: { where: { search } }, tags: [tag] });
        expect(done).toMatchObject({ __typename: 'DevicesTagSuccess', job: null });
      });
      return statements.length;
    };
    expect(await count('many-', 'all')).toBe(await count('many-77', 'one'));
  });
});
