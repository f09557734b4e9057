import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeEventBatch, type PresenceEvent, type TelemetryEvent } from '#core/bus/events.ts';
import { eventsSubject } from '#core/bus/subjects.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { collect, openTestApi, publishEvents, SHARDS, type TestApi } from '../kit/api.ts';
import { createLiveTester, idsOf, type LiveTester, nextReading, readingsOf } from '../kit/live.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '../kit/seed.ts';
import { until } from '../kit/wait.ts';

describe('live telemetry', () => {
  let api: TestApi;
  let tester: LiveTester;
  let acme: TenantSeed;
  let pump: SeededDevice;
  let fan: SeededDevice;
  let key: string;
  const publish = (...events: TelemetryEvent[]) => publishEvents(api.bus, acme, { telemetry: events });

  beforeAll(async () => {
    api = await openTestApi();
    tester = createLiveTester(api);
    acme = await seedTenant(api.database.admin, 'acme');
    pump = await acme.device('pump');
    fan = await acme.device('fan');
    key = await api.apiKey(acme);
  });
  afterAll(() => api[Symbol.asyncDispose]());
  afterEach(() => tester.leave());

  it('begins with a snapshot and goes on with what comes', async () => {
    const live = tester.follow(key);
    await until('the snapshot', () => live.items.length > 0);
    expect(live.items[0]).toMatchObject({ __typename: 'TelemetrySnapshot', devices: [] });
    const sent = [nextReading(pump), nextReading(fan)];
    await publish(...sent);
    await until('both readings', () => readingsOf(live).length === 2);
    expect(idsOf(live)).toEqual(sent.map((event) => event.id));
    expect(readingsOf(live)[0]).toMatchObject({ device: { key: 'pump' }, metrics: sent[0]?.metrics });
  });

  it('takes the snapshot exactly at the follower’s cursor', async () => {
    const before = nextReading(pump, { level: 1 });
    const sequence = await publish(before);
    const { created } = await api.bus.jsm.streams.info('EVENTS');
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
    const after = nextReading(pump, { level: 2 });
    await publish(after);
    const live = tester.follow(key, { where: { metrics: ['level'] } });
    await until('the reading behind the snapshot', () => readingsOf(live).length > 0);
    expect(live.items[0]?.devices).toMatchObject([
      { device: { key: 'pump' }, values: [{ metric: 'level', value: 1 }] },
    ]);
    expect(idsOf(live)).toEqual([after.id]);
  });

  it('resumes behind a cursor, inside a message too, each reading exactly once', async () => {
    const live = tester.follow(key);
    await until('the snapshot', () => live.items.length > 0);
    const first = [nextReading(pump), nextReading(pump), nextReading(fan)];
    await publish(...first);
    await until('the first readings', () => idsOf(live).includes(first[2]?.id ?? ''));
    const cursor = readingsOf(live).find((item) => item.messageId === first[0]?.id)?.cursor;
    tester.leave();
    const second = [nextReading(pump), nextReading(fan)];
    await publish(...second);
    const resumed = tester.follow(key, { after: cursor });
    await until('the rest', () => readingsOf(resumed).length >= 4);
    expect(idsOf(resumed)).toEqual([first[1], first[2], ...second].map((event) => event?.id));
  });

  it('delivers only what the filter wants', async () => {
    const device = await api.ask(key, '{ device(by: { key: "fan" }) { id } }');
    const byId = tester.follow(key, { where: { deviceIds: [device.data.device.id] } });
    const byKey = tester.follow(key, { where: { deviceKeys: ['fan', 'not-yet-there'] } });
    const byMetric = tester.follow(key, { where: { metrics: ['speed'] } });
    await until('all snapshots', () => [byId, byKey, byMetric].every((live) => live.items.length > 0));
    const wanted = nextReading(fan, { speed: 3, noise: 1 });
    const last = nextReading(fan, { noise: 2 });
    await publish(nextReading(pump, { noise: 1 }), wanted, last, nextReading(pump, { speed: 4, noise: 0 }));
    await until(
      'all',
      () => idsOf(byId).includes(last.id) && idsOf(byKey).includes(last.id) && idsOf(byMetric).length >= 2,
    );
    expect(idsOf(byId).slice(-2)).toEqual([wanted.id, last.id]);
    expect(readingsOf(byMetric).map((item) => item.metrics)).toEqual([{ speed: 3 }, { speed: 4 }]);
  });

  it('merges readings to the rate wanted, newest value of each metric first', async () => {
    const live = tester.follow(key, { where: { deviceKeys: ['pump'] }, maxHz: 4 });
    await until('the snapshot', () => live.items.length > 0);
    const started = Date.now();
    for (let n = 0; n < 60; n += 1) await publish(nextReading(pump, n % 2 === 0 ? { even: n } : { odd: n }));
    const last = () => readingsOf(live).at(-1);
    await until('the last value', () => last()?.metrics['odd'] === 59);
    const seconds = (Date.now() - started) / 1000;
    expect(readingsOf(live).length).toBeLessThanOrEqual(Math.ceil(seconds * 4) + 1);
    const merged = Object.assign({}, ...readingsOf(live).map((item) => item.metrics));
    expect(merged).toMatchObject({ even: 58, odd: 59 });

    const cursor = last()?.cursor;
    const missed = nextReading(pump);
    await publish(missed);
    const resumed = tester.follow(key, { where: { deviceKeys: ['pump'] }, after: cursor });
    await until('what came after the merged readings', () => readingsOf(resumed).length > 0);
    expect(idsOf(resumed)).toEqual([missed.id]);
  });

  it('resolves everything about a device in an event', async () => {
    const live = collect(
      api.socket(key),
      `subscription { telemetry(where: { deviceKeys: ["pump"] }) { ... on TelemetryReading { device {
        id key name tags site { key } presence { connection credential } latest { metric } credentials { hint } } } } }`,
    );
    await publish(nextReading(pump));
    const item = await until('a reading', () => live.items.find((each) => each.device));
    expect(item.device).toMatchObject({
      key: 'pump',
      name: 'pump',
      presence: { connection: 'UNKNOWN', credential: 'ACTIVE' },
    });
    live.stop();
  });

  it('shows a device as it is after a change', async () => {
    const { data } = await api.ask(key, '{ device(by: { key: "fan" }) { id } }');
    const live = collect(
      api.socket(key),
      `subscription { telemetry { ... on TelemetryReading { device { key name } } } }`,
    );
    await publish(nextReading(fan));
    await until('the old name', () => live.items.find((item) => item.device?.key === 'fan'));
    await api.ask(
      key,
      'mutation ($input: DeviceUpdateInput!) { deviceUpdate(input: $input) { __typename } }',
      { input: { id: data.device.id, name: 'Big fan' } },
    );
    const outbox = await api.database.admin.query<{ subject: string; payload: Buffer }>(
      "select subject, payload from outbox where subject = 'control.device' order by id desc limit 1",
    );
    const [change] = outbox.rows;
    api.bus.connection.publish(change?.subject ?? '', change?.payload);
    await api.bus.connection.flush();
    await publish(nextReading(fan));
    await until('the new name', () => live.items.find((item) => item.device?.name === 'Big fan'));
    live.stop();
  });

  it('refuses a cursor of another tenant, a forged one and nonsense', async () => {
    const other = await seedTenant(api.database.admin, 'zebra');
    const live = tester.follow(key);
    const cursor = (await until('a cursor', () => live.items[0])).cursor;
    const forged = `${cursor.slice(0, -4)}AAAA`;
    for (const [credential, after] of [
      [await api.apiKey(other), cursor],
      [key, forged],
      [key, 'nonsense'],
    ] as const) {
      const refused = tester.follow(credential, { after });
      await until('the refusal', () => refused.ended);
      expect(refused.items).toEqual([]);
      expect(JSON.stringify(refused.ended?.error)).toContain('BAD_USER_INPUT');
    }
  });

  it('serves the same over SSE', async () => {
    const aborter = new AbortController();
    const response = await fetch(`${api.url}/graphql`, {
      method: 'POST',
      signal: aborter.signal,
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${key}`,
      },
      body: JSON.stringify({
        query: 'subscription { telemetry { __typename ... on TelemetryReading { messageId } } }',
      }),
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    let text = '';
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk);
    })().catch(() => undefined);
    await until('the snapshot', () => text.includes('TelemetrySnapshot'));
    const sent = nextReading(pump);
    await publish(sent);
    await until('the reading', () => text.includes(`"messageId":"${sent.id}"`));
    aborter.abort();
    await reading;
  });

  it('follows presence: everybody first, then every change', async () => {
    const client = api.socket(key);
    const live = collect(
      client,
      `subscription { presence { __typename
        ... on PresenceSnapshot { cursor devices { key presence { connection freshness credential } } }
        ... on PresenceChange { cursor device { key name } at presence { connection freshness credential lastSeenAt } } } }`,
    );
    const [snapshot] = await until('the snapshot', () => live.items.length > 0 && live.items);
    expect(snapshot?.devices.map((device: { key: string }) => device.key)).toEqual(['pump', 'fan']);
    const at = Date.now();
    await publishEvents(api.bus, acme, {
      presence: [
        {
          deviceId: fan.id,
          device: 'fan',
          siteId: null,
          at,
          connection: 'ONLINE',
          freshness: 'FRESH',
          lastSeenAt: at,
          connectionChangedAt: at,
        },
      ],
    });
    await until('the change', () => live.items.length > 1);
    expect(live.items[1]).toMatchObject({
      __typename: 'PresenceChange',
      device: { key: 'fan', name: 'Big fan' },
      presence: {
        connection: 'ONLINE',
        freshness: 'FRESH',
        credential: 'ACTIVE',
        lastSeenAt: new Date(at).toISOString(),
      },
    });
    await client.dispose();
  });

  it('shows each tenant its own of a message with the presence of several', async () => {
    const slug = Array.from({ length: 1_000 }, (_, index) => `near-${index}`).find(
      (name) => shardOf(name, SHARDS) === shardOf('acme', SHARDS),
    );
    const near = await seedTenant(api.database.admin, slug ?? '');
    const theirs = await near.device('theirs');
    const clients = [api.socket(key), api.socket(await api.apiKey(near))];
    const lives = clients.map((client) =>
      collect(client, 'subscription { presence { __typename ... on PresenceChange { at device { key } } } }'),
    );
    await until('both snapshots', () => lives.every(({ items }) => items.length > 0));
    // A snapshot may be followed by a change that it contains already.
    const at = Date.now() + 1_000;
    const online = ({ id: deviceId, key: device }: SeededDevice): PresenceEvent => ({
      ...{ deviceId, device, siteId: null, at, connection: 'ONLINE', freshness: 'FRESH' },
      ...{ lastSeenAt: at, connectionChangedAt: at },
    });
    const parts = [
      { tenant: near.slug, tenantId: near.id, events: [online(theirs)] },
      { tenant: acme.slug, tenantId: acme.id, events: [online(pump), online(fan)] },
    ];
    const subject = eventsSubject(shardOf('acme', SHARDS), 'presence');
    await api.bus.js.publish(subject, encodeEventBatch({ kind: 'presence', parts }));
    await publishEvents(api.bus, near, { presence: [online(theirs)] });
    await publishEvents(api.bus, acme, { presence: [online(pump)] });
    const seen = () =>
      lives.map(({ items }) =>
        items.flatMap((item) => (item.at === new Date(at).toISOString() ? [item.device.key] : [])),
      );
    await until('everything', () => seen()[0]?.length === 3 && seen()[1]?.length === 2);
    expect(seen()).toEqual([
      ['pump', 'fan', 'pump'],
      ['theirs', 'theirs'],
    ]);
    for (const client of clients) await client.dispose();
  });
});
