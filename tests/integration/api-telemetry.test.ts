import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../kit/api.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '../kit/seed.ts';

const BASE = Date.UTC(2026, 10, 20, 12, 0, 0);
const at = (seconds: number): Date => new Date(BASE + seconds * 1000);

describe('telemetry queries', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let pump: SeededDevice;
  let key: string;

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    pump = await acme.device('pump', { intervalSeconds: 10 });
    key = await api.apiKey(acme, 'VIEWER');
    await api.database.admin.query("select ensure_partition('readings', $1)", ['2026-11-20']);
    // Every 10 s for 10 minutes, silent from minute 4 to 6.
    const seconds = Array.from({ length: 60 }, (_, n) => n * 10).filter(
      (second) => second < 240 || second >= 360,
    );
    await api.database.admin.query(
      `insert into readings (tenant_id, device_id, ts, msg_id, received_at, latitude, longitude, metrics)
       select $1, $2, ts, row_number() over (order by ts), ts, 1, 2,
         jsonb_build_object('temp', n, 'on', n % 2 = 0, 'mode', 'auto')
       from unnest($3::timestamptz[], $4::int[]) as r (ts, n)`,
      [acme.id, pump.id, seconds.map(at), seconds.map((second) => second / 10)],
    );
    await api.database.admin.query(
      `insert into device_latest (device_id, tenant_id, newest_ts, metrics) values ($1, $2, $3, $4)`,
      [
        pump.id,
        acme.id,
        at(590),
        {
          temp: [59, BASE + 590_000, '48', BASE + 590_100],
          mode: ['auto', BASE + 590_000, '48', BASE + 590_100],
        },
      ],
    );
  });
  afterAll(() => api[Symbol.asyncDispose]());

  const SERIES = `query ($metrics: [String!], $from: DateTime!, $to: DateTime!, $bucket: SeriesBucket! = AUTO, $maxPoints: Int! = 1000) {
    device(by: { key: "pump" }) { series(metrics: $metrics, from: $from, to: $to, bucket: $bucket, maxPoints: $maxPoints) {
      metric bucketSeconds points { at count min max mean last } } } }`;
  const series = async (variables: Record<string, unknown>) => {
    const { data, errors } = await api.ask(key, SERIES, {
      from: at(0).toISOString(),
      to: at(600).toISOString(),
      ...variables,
    });
    expect(errors).toEqual([]);
    return data.device.series;
  };

  it('tells the newest values, all or some', async () => {
    const { data } = await api.ask(
      key,
      '{ device(by: { key: "pump" }) { latest { metric value at receivedAt } temp: latest(metrics: ["temp", "x"]) { value } } }',
    );
    expect(data.device.latest).toEqual([
      {
        metric: 'mode',
        value: 'auto',
        at: at(590).toISOString(),
        receivedAt: new Date(BASE + 590_100).toISOString(),
      },
      {
        metric: 'temp',
        value: 59,
        at: at(590).toISOString(),
        receivedAt: new Date(BASE + 590_100).toISOString(),
      },
    ]);
    expect(data.device.temp).toEqual([{ value: 59 }]);
  });

  it('gives every value where there are few, with one mark where the device was silent', async () => {
    const [temp] = await series({ metrics: ['temp'] });
    expect(temp.bucketSeconds).toBeNull();
    expect(temp.points).toHaveLength(48 + 1);
    expect(temp.points[0]).toEqual({ at: at(0).toISOString(), count: 1, min: 0, max: 0, mean: 0, last: 0 });
    expect(temp.points.filter((point: { count: number }) => point.count === 0)).toEqual([
      { at: at(240).toISOString(), count: 0, min: null, max: null, mean: null, last: null },
    ]);
  });

  it('chooses a bucket that keeps within maxPoints and preserves extremes', async () => {
    const [temp] = await series({ metrics: ['temp'], maxPoints: 20 });
    expect(temp.bucketSeconds).toBe(60);
    expect(temp.points.map((point: { count: number }) => point.count)).toEqual([6, 6, 6, 6, 0, 6, 6, 6, 6]);
    expect(temp.points[0]).toEqual({ at: at(0).toISOString(), count: 6, min: 0, max: 5, mean: 2.5, last: 5 });
    expect(temp.points[4].at).toBe(at(240).toISOString());
    expect(temp.points.at(-1)).toMatchObject({ max: 59, last: 59 });
  });

  it('counts booleans as 1 and 0, and keeps the last of texts', async () => {
    const [on, mode] = await series({ metrics: ['on', 'mode'], bucket: 'MINUTE_1' });
    expect(on.points[0]).toMatchObject({ count: 6, min: 0, max: 1, mean: 0.5, last: false });
    expect(mode.points[0]).toMatchObject({ count: 6, min: null, mean: null, last: 'auto' });
  });

  it('gives every metric unless told, and an empty series for one that does not exist', async () => {
    expect((await series({})).map((each: { metric: string }) => each.metric)).toEqual(['mode', 'on', 'temp']);
    expect(await series({ metrics: ['nothing'] })).toEqual([
      { metric: 'nothing', bucketSeconds: null, points: [] },
    ]);
  });

  it('refuses ranges and buckets that make too much', async () => {
    for (const variables of [
      { from: at(10).toISOString(), to: at(10).toISOString() },
      { bucket: 'RAW', maxPoints: 10 },
      { bucket: 'SECOND_10', to: new Date(BASE + 86_400_000).toISOString() },
      { maxPoints: 0 },
      { maxPoints: 10_001 },
      { metrics: Array.from({ length: 101 }, (_, n) => `m${n}`) },
    ]) {
      const { errors } = await api.ask(key, SERIES, {
        from: at(0).toISOString(),
        to: at(600).toISOString(),
        ...variables,
      });
      expect(errors[0]?.extensions?.['code'], JSON.stringify(variables).slice(0, 80)).toBe('BAD_USER_INPUT');
    }
    const { errors } = await api.ask(key, SERIES, { from: '2026-11-20 12:00', to: at(600).toISOString() });
    expect(errors[0]?.message).toContain('ISO-8601');
  });

  it('pages through readings, newest first, both ways', async () => {
    const READINGS = `query ($first: Int, $after: String, $last: Int, $before: String, $from: DateTime, $to: DateTime) {
      device(by: { key: "pump" }) { readings(first: $first, after: $after, last: $last, before: $before, from: $from, to: $to) {
        nodes { id at messageId metrics location { latitude } storedAt } pageInfo { hasNextPage endCursor hasPreviousPage startCursor } } } }`;
    const page = async (variables: Record<string, unknown>) => {
      const { data, errors } = await api.ask(key, READINGS, variables);
      expect(errors).toEqual([]);
      return data.device.readings;
    };
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { nodes, pageInfo } = await page({ first: 20, after });
      seen.push(...nodes.map((node: { messageId: string }) => node.messageId));
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen.map(Number)).toEqual(Array.from({ length: 48 }, (_, n) => 48 - n));
    const oldest = await page({ last: 2 });
    expect(oldest.nodes.map((node: { messageId: string }) => node.messageId)).toEqual(['2', '1']);
    const before = await page({ last: 2, before: oldest.pageInfo.startCursor });
    expect(before.nodes.map((node: { messageId: string }) => node.messageId)).toEqual(['4', '3']);
    const some = await page({ from: at(10).toISOString(), to: at(30).toISOString() });
    expect(some.nodes).toMatchObject([
      { at: at(20).toISOString(), location: { latitude: 1 } },
      { metrics: { temp: 1, on: false, mode: 'auto' } },
    ]);
  });
});
