import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TelemetryEvent } from '#core/bus/events.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { type Collected, collect, openTestApi, publishEvents, SHARDS, type TestApi } from '../kit/api.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '../kit/seed.ts';
import { until } from '../kit/wait.ts';

const TELEMETRY = `subscription ($where: TelemetryFilter, $after: Cursor, $maxHz: Float) {
  telemetry(where: $where, after: $after, maxHz: $maxHz) { __typename
    ... on TelemetrySnapshot { cursor devices { device { key name } values { metric value at receivedAt } } }
    ... on TelemetryReading { cursor device { key } at messageId metrics }
    ... on StreamGap { cursor from to reason missed } } }`;

interface Item {
  readonly __typename: 'TelemetrySnapshot' | 'TelemetryReading' | 'StreamGap';
  readonly cursor: string;
  readonly device: { readonly key: string };
  readonly messageId: string;
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly devices: readonly { readonly device: { readonly key: string }; readonly values: readonly { readonly metric: string; readonly value: unknown }[] }[];
  readonly reason: string;
  readonly missed: number | null;
}

let nextId = 0;
const reading = (device: SeededDevice, metrics: TelemetryEvent['metrics'] = { n: nextId }): TelemetryEvent => {
  nextId += 1;
  return { deviceId: device.id, device: device.key, siteId: null, ts: Date.now(), id: String(nextId), receivedAt: Date.now(), metrics };
};

const readings = (collected: Collected<Item>) => collected.items.filter((item) => item.__typename === 'TelemetryReading');
const ids = (collected: Collected<Item>) => readings(collected).map((item) => item.messageId);

describe('live telemetry', () => {
  let api: TestApi;
  let acme: TenantSeed;
  let pump: SeededDevice;
  let fan: SeededDevice;
  let key: string;
  const open: { stop(): void }[] = [];

  const follow = (variables: Record<string, unknown> = {}, credential = key): Collected<Item> => {
    const client = api.socket(credential);
    const collected = collect<Item>(client, TELEMETRY, variables);
    open.push({ stop: () => void client.dispose() });
    return collected;
  };
  const publish = (...events: TelemetryEvent[]) => publishEvents(api.bus, acme, { telemetry: events });

  beforeAll(async () => {
    api = await openTestApi();
    acme = await seedTenant(api.database.admin, 'acme');
    pump = await acme.device('pump');
    fan = await acme.device('fan');
    key = await api.apiKey(acme);
  });
  afterAll(() => api[Symbol.asyncDispose]());
  afterEach(() => {
    for (const each of open.splice(0)) each.stop();
  });

  it('begins with a snapshot and goes on with what comes', async () => {
    const live = follow();
    await until('the snapshot', () => live.items.length > 0);
    expect(live.items[0]).toMatchObject({ __typename: 'TelemetrySnapshot', devices: [] });
    const sent = [reading(pump), reading(fan)];
    await publish(...sent);
    await until('both readings', () => readings(live).length === 2);
    expect(ids(live)).toEqual(sent.map((event) => event.id));
    expect(readings(live)[0]).toMatchObject({ device: { key: 'pump' }, metrics: sent[0]?.metrics });
  });

  it('takes the snapshot exactly at the follower’s cursor', async () => {
    const before = reading(pump, { level: 1 });
    const sequence = await publish(before);
    const { config, created } = await api.bus.jsm.streams.info('EVENTS');
    expect(config.name).toBe('EVENTS');
    await api.database.admin.query(
      `insert into device_latest (device_id, tenant_id, newest_ts, metrics) values ($1, $2, now(), $3)
       on conflict (device_id) do update set metrics = excluded.metrics`,
      [pump.id, acme.id, { level: [1, before.ts, before.id, before.receivedAt] }],
    );
    await api.database.admin.query(
      `insert into follower_cursors (follower, shard, stream_created_at, sequence) values ('device_latest', $1, $2, $3)
       on conflict (follower, shard) do update set sequence = excluded.sequence`,
      [shardOf('acme', SHARDS), new Date(created), sequence],
    );
    const after = reading(pump, { level: 2 });
    await publish(after);
    const live = follow({ where: { metrics: ['level'] } });
    await until('the reading behind the snapshot', () => readings(live).length > 0);
    expect(live.items[0]?.devices).toMatchObject([{ device: { key: 'pump' }, values: [{ metric: 'level', value: 1 }] }]);
    expect(ids(live)).toEqual([after.id]);
  });

  it('resumes behind a cursor, inside a message too, each reading exactly once', async () => {
    const live = follow();
    await until('the snapshot', () => live.items.length > 0);
    const first = [reading(pump), reading(pump), reading(fan)];
    await publish(...first);
    await until('the first readings', () => ids(live).includes(first[2]?.id ?? ''));
    const cursor = readings(live).find((item) => item.messageId === first[0]?.id)?.cursor;
    for (const each of open.splice(0)) each.stop();
    const second = [reading(pump), reading(fan)];
    await publish(...second);
    const resumed = follow({ after: cursor });
    await until('the rest', () => readings(resumed).length >= 4);
    expect(ids(resumed)).toEqual([first[1], first[2], ...second].map((event) => event?.id));
  });

  it('delivers only what the filter wants', async () => {
    const device = await api.ask(key, '{ device(by: { key: "fan" }) { id } }');
    const byId = follow({ where: { deviceIds: [device.data.device.id] } });
    const byKey = follow({ where: { deviceKeys: ['fan', 'not-yet-there'] } });
    const byMetric = follow({ where: { metrics: ['speed'] } });
    await until('all snapshots', () => [byId, byKey, byMetric].every((live) => live.items.length > 0));
    const wanted = reading(fan, { speed: 3, noise: 1 });
    const last = reading(fan, { noise: 2 });
    await publish(reading(pump, { noise: 1 }), wanted, last, reading(pump, { speed: 4, noise: 0 }));
    await until('all', () => ids(byId).includes(last.id) && ids(byKey).includes(last.id) && ids(byMetric).length >= 2);
    expect(ids(byId).slice(-2)).toEqual([wanted.id, last.id]);
    expect(readings(byMetric).map((item) => item.metrics)).toEqual([{ speed: 3 }, { speed: 4 }]);
  });
});
