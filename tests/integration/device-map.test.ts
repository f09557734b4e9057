import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { seedTenant, type TenantSeed } from '../kit/seed.ts';

const MAP = `query ($where: DeviceFilter, $within: BoundsInput) { deviceMap(where: $where, within: $within) {
  truncated unplacedCount pins { key name status location { latitude longitude } atSite connection freshness } } }`;

describe('the map of devices', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let key: string;

  const map = async (variables: Record<string, unknown> = {}) => {
    const { data, errors } = await api.ask(key, MAP, variables);
    expect(errors).toEqual([]);
    return data.deviceMap;
  };
  const keysWithin = async (south: number, west: number, north: number, east: number) =>
    (await map({ within: { south, west, north, east } })).pins.map((pin: { key: string }) => pin.key);
  const place = (device: string, latitude: number, longitude: number) =>
    api.database.admin.query(
      'update devices set latitude = $3, longitude = $4 where tenant_id = $1 and key = $2',
      [acme.id, device, latitude, longitude],
    );

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    key = await api.apiKey(acme);
    const site = await acme.site('north');
    await api.database.admin.query('update sites set latitude = 48.2, longitude = 16.37 where id = $1', [
      site,
    ]);
    await acme.device('at-site', { site: 'north' });
    await acme.device('placed', { site: 'north' });
    await acme.device('nowhere');
    await acme.device('fiji');
    await place('placed', 47.07, 15.44);
    await place('fiji', -17.8, 179.9);
    await api.database.admin.query(
      `insert into device_presence (tenant_id, device_id, connection, freshness)
       select tenant_id, id, 'ONLINE', 'STALE' from devices where key = 'placed'`,
    );
  });
  afterAll(() => api[Symbol.asyncDispose]());

  it('shows devices at their own point, else at their site’s, and counts those that have neither', async () => {
    const { pins, truncated, unplacedCount } = await map();
    expect({ truncated, unplacedCount }).toEqual({ truncated: false, unplacedCount: 1 });
    expect(pins).toEqual([
      {
        ...{ key: 'at-site', name: 'at-site', status: 'ACTIVE', atSite: true },
        ...{ location: { latitude: 48.2, longitude: 16.37 }, connection: 'UNKNOWN', freshness: 'SILENT' },
      },
      {
        ...{ key: 'placed', name: 'placed', status: 'ACTIVE', atSite: false },
        ...{ location: { latitude: 47.07, longitude: 15.44 }, connection: 'ONLINE', freshness: 'STALE' },
      },
      expect.objectContaining({ key: 'fiji' }),
    ]);
  });

  it('keeps to bounds, also across the 180th meridian, and to the filter', async () => {
    expect(await keysWithin(46, 9, 49, 17.2)).toEqual(['at-site', 'placed']);
    expect(await keysWithin(48, 9, 49, 17.2)).toEqual(['at-site']);
    expect(await keysWithin(-20, 170, 0, -170)).toEqual(['fiji']);
    expect(await keysWithin(-20, -170, 0, 170)).toEqual([]);
    const { pins } = await map({ where: { connections: ['ONLINE'] } });
    expect(pins.map((pin: { key: string }) => pin.key)).toEqual(['placed']);
  });

  it('refuses bounds that are none', async () => {
    for (const within of [
      { south: 10, west: 0, north: 5, east: 1 },
      { south: -91, west: 0, north: 5, east: 1 },
      { south: 0, west: -181, north: 5, east: 1 },
    ]) {
      const { errors } = await api.ask(key, MAP, { within });
      expect(errors[0]?.extensions?.['code']).toBe('BAD_USER_INPUT');
    }
  });

  it('shows ten thousand at once and says when there are more', async () => {
    const other = await seedTenant(api.database.admin, 'many');
    await api.database.admin.query(
      `insert into devices (tenant_id, key, name, latitude, longitude)
       select $1, 'd-' || n, 'd', n % 80, n % 170 from generate_series(1, 10001) n`,
      [other.id],
    );
    const { data } = await api.ask(await api.apiKey(other), MAP);
    expect(data.deviceMap.pins).toHaveLength(10_000);
    expect(data.deviceMap.truncated).toBe(true);
  });
});
