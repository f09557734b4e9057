import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { TelemetryEvent } from '#core/bus/events.ts';
import { encodeEvents } from '#core/bus/events.ts';
import { DEFAULT_STREAM_LIMITS, ensureStreams } from '#core/bus/streams.ts';
import { eventsSubject } from '#core/bus/subjects.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { type Collected, openTestApi, publishEvents, SHARDS, type TestApi } from '../kit/api.ts';
import { createLiveTester, idsOf, type LiveItem, nextReading, readingsOf, TELEMETRY } from '../kit/live.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '../kit/seed.ts';
import { until } from '../kit/wait.ts';

interface Scene extends AsyncDisposable {
  readonly api: TestApi;
  readonly acme: TenantSeed;
  readonly pump: SeededDevice;
  readonly key: string;
}

async function openScene(options: Parameters<typeof openTestApi>[0] = {}): Promise<Scene> {
  const api = await openTestApi(options);
  const acme = await seedTenant(api.database.admin, 'acme');
  const [pump, key] = [await acme.device('pump'), await api.apiKey(acme)];
  return { api, acme, pump, key, [Symbol.asyncDispose]: () => api[Symbol.asyncDispose]() };
}

/** Stores a reading as ingest would have, now. */
async function store({ api, acme, pump }: Scene, event: TelemetryEvent): Promise<void> {
  await api.database.admin.query(`select ensure_partition('readings', (now() at time zone 'utc')::date)`);
  await api.database.admin.query(
    'insert into readings (tenant_id, device_id, ts, msg_id, received_at, metrics) values ($1, $2, now(), $3, now(), $4)',
    [acme.id, pump.id, event.id, event.metrics],
  );
}

/** Publishes again under the same id until the stream has it. */
async function publishSurely({ api, acme }: Scene, event: TelemetryEvent): Promise<void> {
  const message = encodeEvents({
    v: 1,
    tenant: acme.slug,
    tenantId: acme.id,
    kind: 'telemetry',
    events: [event],
  });
  const subject = eventsSubject(shardOf(acme.slug, SHARDS), 'telemetry');
  await until('the stream to take it', () =>
    api.bus.js.publish(subject, message, { msgID: `test.${event.id}`, timeout: 2_000 }).then(() => true),
  );
}

describe('live recovery', () => {
  const cleanup: (() => void)[] = [];
  afterEach(() => {
    for (const each of cleanup.splice(0)) each();
  });
  const follow = (scene: Scene, variables: Record<string, unknown> = {}): Collected<LiveItem> => {
    const tester = createLiveTester(scene.api);
    cleanup.push(() => tester.leave());
    return tester.follow(scene.key, variables);
  };

  it('delivers each reading exactly once while nats-server is killed again and again', async () => {
    await using scene = await openScene();
    const live = follow(scene);
    await until('the snapshot', () => live.items.length > 0);
    const sent: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 20; n += 1) {
        const event = nextReading(scene.pump);
        await publishSurely(scene, event);
        sent.push(event.id);
        if (n === 10) scene.api.nats.process.kill('SIGKILL');
      }
    }
    await until('all readings', () => idsOf(live).length >= sent.length);
    expect(idsOf(live)).toEqual(sent);
    expect(live.items.filter((item) => item.__typename === 'StreamGap')).toEqual([]);
    expect(live.ended).toBeUndefined();
  });

  it('sends sockets away when it stops, and the client resumes by its cursor', async () => {
    await using scene = await openScene();
    const sent: string[] = [];
    const seen: string[] = [];
    let live = follow(scene);
    await until('the snapshot', () => live.items.length > 0);
    for (let round = 0; round < 3; round += 1) {
      const before = nextReading(scene.pump);
      await publishSurely(scene, before);
      await until('the reading', () => idsOf(live).includes(before.id));
      await scene.api.restart();
      await until('the end', () => live.ended);
      expect(live.ended?.error).toMatchObject({ code: 1012 });
      const after = nextReading(scene.pump);
      await publishSurely(scene, after);
      sent.push(before.id, after.id);
      seen.push(...idsOf(live));
      live = follow(scene, { after: live.items.at(-1)?.cursor });
      await until('the reading', () => idsOf(live).includes(after.id));
    }
    expect([...seen, ...idsOf(live)]).toEqual(sent);
  });

  /** Opens a subscription on a socket that then reads nothing until told to. */
  async function openStalled(scene: Scene) {
    const socket = new WebSocket(`${scene.api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    cleanup.push(() => socket.terminate());
    const live: Collected<LiveItem> = { items: [], ended: undefined, stop: () => socket.terminate() };
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.type === 'connection_ack') {
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: TELEMETRY } }));
      } else if (message.type === 'ping') socket.send(JSON.stringify({ type: 'pong' }));
      else if (message.type === 'next') live.items.push(message.payload.data.telemetry);
    });
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(
      JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${scene.key}` } }),
    );
    await until('the snapshot', () => live.items.length > 0);
    socket.pause();
    return { live, resume: () => socket.resume() };
  }

  const padding = 'x'.repeat(500);
  const publishMany = async (scene: Scene, messages: number, eventsEach: number): Promise<string[]> => {
    const sent: string[] = [];
    for (let n = 0; n < messages; n += 1) {
      const events = Array.from({ length: eventsEach }, () => nextReading(scene.pump, { padding }));
      await publishEvents(scene.api.bus, scene.acme, { telemetry: events });
      sent.push(...events.map((event) => event.id));
    }
    return sent;
  };
  const metric = async (scene: Scene, name: string) =>
    (await scene.api.metrics.registry.getSingleMetric(`fleetgraph_api_${name}`)?.get())?.values.reduce(
      (sum, each) => sum + each.value,
      0,
    );

  it('loses nothing for a subscriber that stalls, and keeps its memory bounded', async () => {
    await using scene = await openScene({
      env: { LIVE_QUEUE_EVENTS: '50', LIVE_RECENT_BYTES: '100000' },
    });
    const { live, resume } = await openStalled(scene);
    const sent = await publishMany(scene, 200, 100);
    await until('the overflow', async () => ((await metric(scene, 'live_overflows_total')) ?? 0) > 0);
    expect(await metric(scene, 'live_queued_events')).toBeLessThanOrEqual(50);
    resume();
    await until('everything', () => idsOf(live).length >= sent.length);
    expect(idsOf(live)).toEqual(sent);
    expect(await metric(scene, 'live_catch_ups_total')).toBeGreaterThan(0);
  });

  it('tells a gap when the stream has dropped what a stalled subscriber needs', async () => {
    await using scene = await openScene({
      eventsMaxBytes: 4_000_000,
      env: { LIVE_QUEUE_EVENTS: '50', LIVE_RECENT_BYTES: '100000' },
    });
    const { live, resume } = await openStalled(scene);
    await store(scene, nextReading(scene.pump));
    const sent = await publishMany(scene, 300, 100);
    resume();
    await until('the last reading', () => idsOf(live).at(-1) === sent.at(-1));
    const gaps = live.items.filter((item) => item.__typename === 'StreamGap');
    expect(gaps.length).toBeGreaterThan(0);
    expect(gaps[0]?.reason).toBe('SLOW_CONSUMER');
    expect(new Set(idsOf(live)).size).toBe(idsOf(live).length);
    const order = idsOf(live).map(Number);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it('tells whoever comes back too late that the stream has moved on, and how much was missed', async () => {
    await using scene = await openScene();
    const live = follow(scene);
    await until('the snapshot', () => live.items.length > 0);
    const [first, second, third] = [
      nextReading(scene.pump),
      nextReading(scene.pump),
      nextReading(scene.pump),
    ];
    await publishSurely(scene, first);
    await until('the first', () => readingsOf(live).length === 1);
    const after = live.items.at(-1)?.cursor;
    for (const leave of cleanup.splice(0)) leave();
    await scene.api.restart();
    await store(scene, second);
    await publishSurely(scene, second);
    await publishSurely(scene, third);
    const { state } = await scene.api.bus.jsm.streams.info('EVENTS');
    await scene.api.bus.jsm.streams.purge('EVENTS', { seq: state.last_seq });
    const late = follow(scene, { after });
    await until('the third', () => idsOf(late).length > 0);
    expect(late.items.map((item) => item.__typename)).toEqual(['StreamGap', 'TelemetryReading']);
    expect(late.items[0]).toMatchObject({ reason: 'RETENTION', missed: 1 });
    expect(idsOf(late)).toEqual([third.id]);
  });

  it('does not call it a gap when nothing was stored in the meantime', async () => {
    await using scene = await openScene();
    const live = follow(scene);
    const after = (await until('the snapshot', () => live.items[0])).cursor;
    for (const leave of cleanup.splice(0)) leave();
    await scene.api.restart();
    const other = await seedTenant(scene.api.database.admin, 'other');
    for (let n = 0; n < 3; n += 1)
      await publishEvents(scene.api.bus, other, { telemetry: [nextReading(scene.pump)] });
    await scene.api.bus.jsm.streams.purge('EVENTS');
    const back = follow(scene, { after });
    const event = nextReading(scene.pump);
    await publishSurely(scene, event);
    await until('the reading', () => back.items.length > 0);
    expect(back.items.map((item) => item.__typename)).toEqual(['TelemetryReading']);
  });

  it('delivers a message once that its publisher has published again', async () => {
    await using scene = await openScene();
    const live = follow(scene);
    const after = (await until('the snapshot', () => live.items[0])).cursor;
    const [twice, last] = [nextReading(scene.pump), nextReading(scene.pump)];
    const subject = eventsSubject(shardOf('acme', SHARDS), 'telemetry');
    const { acme, api } = scene;
    const bytes = encodeEvents({
      v: 1,
      tenant: acme.slug,
      tenantId: acme.id,
      kind: 'telemetry',
      events: [twice],
    });
    // As after the duplicate window of the bus: it no longer knows the id.
    await api.bus.jsm.streams.update('EVENTS', { duplicate_window: 100_000_000 });
    await api.bus.js.publish(subject, bytes, { msgID: 'batch.0' });
    await until('the first', () => idsOf(live).length === 1);
    await until('the bus to forget', async () => {
      const ack = await api.bus.js.publish(subject, bytes, { msgID: 'batch.0' });
      return !ack.duplicate;
    });
    await publishSurely(scene, last);
    await until('the last', () => idsOf(live).includes(last.id));
    expect(idsOf(live)).toEqual([twice.id, last.id]);
    const resumed = follow(scene, { after });
    await until('the last again', () => idsOf(resumed).includes(last.id));
    expect(idsOf(resumed)).toEqual([twice.id, last.id]);
  });

  it('goes on, and says so, when the stream was made anew', async () => {
    await using scene = await openScene();
    const live = follow(scene);
    await until('the snapshot', () => live.items.length > 0);
    const before = nextReading(scene.pump);
    await publishSurely(scene, before);
    await store(scene, before);
    await until('the reading', () => idsOf(live).length === 1);
    await scene.api.bus.jsm.streams.delete('EVENTS');
    await ensureStreams(scene.api.bus.jsm, {
      ...DEFAULT_STREAM_LIMITS,
      eventsMaxBytes: 512 * 1024 * 1024,
      telemetryMaxBytes: 1024 ** 3,
    });
    const after = nextReading(scene.pump);
    await publishSurely(scene, after);
    await until('the reading of the new stream', () => idsOf(live).includes(after.id));
    expect(live.items.slice(1).map((item) => item.__typename)).toEqual([
      'TelemetryReading',
      'StreamGap',
      'TelemetryReading',
    ]);
  });

  it('closes the socket with 4403 when the token expires', async () => {
    await using scene = await openScene();
    const token = await scene.api.issuer.token({ tenant: 'acme', expiresInSeconds: 5 });
    const tester = createLiveTester(scene.api);
    cleanup.push(() => tester.leave());
    const live = tester.follow(token);
    await until('the snapshot', () => live.items.length > 0);
    await until('the end', () => live.ended);
    expect(live.ended?.error).toMatchObject({ code: 4403 });
  });

  it('refuses sockets without a credential, with a bad one, and of a suspended tenant', async () => {
    await using scene = await openScene();
    const { api } = scene;
    const suspended = await seedTenant(api.database.admin, 'closed');
    const key = await api.apiKey(suspended);
    await api.database.admin.query("update tenants set status = 'SUSPENDED' where id = $1", [suspended.id]);
    const tester = createLiveTester(api);
    cleanup.push(() => tester.leave());
    for (const [credential, code] of [
      ['', 4401],
      [`${scene.key.slice(0, -1)}!`, 4401],
      [await api.issuer.token({ tenant: 'acme', expiresInSeconds: -100 }), 4401],
      [await api.issuer.token({ tenant: 'acme', roles: [] }), 4403],
      [await api.issuer.token({ tenant: 'nobody' }), 4403],
      [await api.issuer.token({ tenant: 'ac\0me' }), 4401],
      [await api.issuer.token({ tenant: 'acme', claims: { sid: 'a\0b' } }), 4401],
      [await api.issuer.token({ tenant: 'acme', claims: { name: 'a\0b' } }), 4401],
      [key, 4403],
    ] as const) {
      const live = tester.follow(credential);
      await until('the refusal', () => live.ended);
      expect(live.ended?.error).toMatchObject({ code });
    }
  });

  it('refuses a socket for a tenant that nobody can have, with a token as with a key', async () => {
    await using scene = await openScene();
    const tokens = [scene.key, await scene.api.issuer.token({ tenant: 'acme' })];
    for (const [tenant, code] of [
      ['ac\0me', 4403],
      ['\0', 4403],
      ['nobody', 4403],
    ] as const) {
      for (const token of tokens) {
        const socket = new WebSocket(
          `${scene.api.url.replace('http', 'ws')}/graphql`,
          'graphql-transport-ws',
        );
        const closed = new Promise<number>((resolve) => socket.once('close', resolve));
        await new Promise((resolve) => socket.once('open', resolve));
        const payload = { authorization: `Bearer ${token}`, tenant };
        socket.send(JSON.stringify({ type: 'connection_init', payload }));
        expect(await closed, JSON.stringify(payload)).toBe(code);
      }
    }
  });

  it('closes sockets that do not speak the protocol, and goes on serving the others', async () => {
    await using scene = await openScene();
    const url = `${scene.api.url.replace('http', 'ws')}/graphql`;
    const init = JSON.stringify({
      type: 'connection_init',
      payload: { authorization: `Bearer ${scene.key}` },
    });
    const subscribe = (query: string) => JSON.stringify({ id: '1', type: 'subscribe', payload: { query } });
    const frames: readonly (readonly [code: number, ...frames: (string | Buffer)[]])[] = [
      [4400, 'not json'],
      [4400, JSON.stringify({ type: 'unknown' })],
      [4400, Buffer.from([0xff, 0xfe, 0x00])],
      [4401, subscribe('{ viewer { id } }')],
      [4429, init, init],
      [1009, 'x'.repeat(300_000)],
    ];
    for (const [code, ...sent] of frames) {
      const socket = new WebSocket(url, 'graphql-transport-ws');
      const closed = new Promise<number>((resolve) => socket.once('close', resolve));
      await new Promise((resolve) => socket.once('open', resolve));
      for (const frame of sent) socket.send(frame);
      expect(await closed, String(sent[0]).slice(0, 40)).toBe(code);
    }
    const strangers = [
      new WebSocket(url, 'graphql-ws'),
      new WebSocket(url, 'graphql-transport-ws', { origin: 'https://evil.example' }),
    ];
    for (const stranger of strangers) {
      const refused = await new Promise((resolve) => {
        stranger.once('close', resolve);
        stranger.once('error', () => resolve('refused'));
      });
      expect([4406, 'refused']).toContain(refused);
    }
    const live = follow(scene);
    await until('the snapshot', () => live.items.length > 0);
  });

  it('answers queries, mutations and errors over a socket too', async () => {
    await using scene = await openScene();
    const client = scene.api.socket(scene.key);
    cleanup.push(() => void client.dispose());
    const answers: unknown[] = [];
    for (const query of [
      '{ viewer { kind } }',
      'mutation { deviceCreate(input: { key: "over-socket" }) { ... on DeviceCreateSuccess { device { key } } } }',
      '{ devices(first: 1000) { nodes { key } } }',
    ]) {
      for await (const answer of client.iterate({ query })) answers.push(answer);
    }
    expect(answers).toMatchObject([
      { data: { viewer: { kind: 'API_KEY' } }, extensions: { cost: { requested: 2 } } },
      { data: { deviceCreate: { device: { key: 'over-socket' } } } },
      { data: null, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] },
    ]);
    const invalid = (async () => {
      for await (const answer of client.iterate({ query: '{ nothing }' })) answers.push(answer);
    })();
    await expect(invalid).rejects.toMatchObject([{ message: expect.stringContaining('nothing') }]);
  });
});
