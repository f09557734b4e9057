import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TelemetryEvent } from '#core/bus/events.ts';
import { follow } from '#core/bus/follow.ts';
import { createFramePublisher, type FramePublisher, type Receipt } from '#core/bus/frame-publisher.ts';
import type { FrameItem } from '#core/bus/messages.ts';
import { createPublisher, type Publisher } from '#core/bus/publish.ts';
import { openEvents } from '#core/bus/telemetry-batch.ts';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { openTestBus, openTestNats, quiet } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';

const opened = new AsyncDisposableStack();
let database: TestDatabase;
let publisher: Publisher;
let frames: FramePublisher;
let processes: TestProcesses;
let acme: TenantSeed;
const events: TelemetryEvent[] = [];

beforeAll(async () => {
  database = opened.use(await openTestDatabase());
  const nats = opened.use(await openTestNats());
  const bus = opened.use(await openTestBus(nats));
  processes = opened.use(
    await startProcesses({ database, natsUrl: nats.url, start: ['ingest', 'evaluator', 'relay'] }),
  );
  publisher = opened.adopt(createPublisher(bus, quiet), (each) => each.close());
  frames = createFramePublisher({ publisher, shards: 16 });
  acme = await seedTenant(database.admin, 'acme', 30);
  const following = follow({
    bus,
    stream: 'EVENTS',
    filter: 'events.*.telemetry',
    from: 1,
    log: quiet,
    onMessage: (message) => {
      const opened = openEvents(message.data);
      if (opened.kind === 'telemetry') events.push(...opened.events());
    },
    onLost: () => undefined,
  });
  opened.defer(() => following.stop());
});

afterAll(() => opened.disposeAsync());

const item = (device: string, payload: unknown, over: Partial<FrameItem> = {}): FrameItem => ({
  tenant: 'acme',
  device,
  kind: 'telemetry',
  dialect: 'canonical',
  source: 'mqtt',
  dup: false,
  receivedAt: Date.now(),
  payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
  ...over,
});

const send = (entry: FrameItem): Promise<Receipt> =>
  new Promise((resolve, reject) => {
    frames.add(entry, (error, receipt) => (receipt ? resolve(receipt) : reject(error)));
  });

const readingsOf = async (deviceId: number) =>
  (
    await database.admin.query('select ts, metrics, msg_id from readings where device_id = $1 order by ts', [
      deviceId,
    ])
  ).rows;

const quarantineOf = async (device: string) =>
  (await database.admin.query('select reason, payload from quarantine where device_key = $1', [device])).rows;

describe('ingest', () => {
  it('stores a reading, says so on EVENTS and keeps it as the latest value', async () => {
    const device = await acme.device('meter-1');
    const ts = Date.now() - 1_000;
    await send(item('meter-1', { ts, seq: 7, metrics: { temperature: 21.5, door: true, mode: 'eco' } }));

    const [row] = await until('the row', async () => {
      const rows = await readingsOf(device.id);
      return rows.length > 0 && rows;
    });
    expect(row).toMatchObject({
      ts: new Date(ts),
      metrics: { temperature: 21.5, door: true, mode: 'eco' },
      msg_id: '7',
    });
    const event = await until('the event', () => events.find((each) => each.device === 'meter-1'));
    expect(event).toMatchObject({ deviceId: device.id, ts, id: '7', metrics: { temperature: 21.5 } });
    const latest = await until('the latest value', async () => {
      const rows = await database.admin.query('select metrics from device_latest where device_id = $1', [
        device.id,
      ]);
      return rows.rows[0];
    });
    expect(latest.metrics.temperature.slice(0, 3)).toEqual([21.5, ts, '7']);
  });

  it('stores a repeated message once and announces it once', async () => {
    const device = await acme.device('meter-2');
    const ts = Date.now();
    const message = { ts, seq: 1, metrics: { a: 1 } };
    for (let times = 0; times < 3; times++) await send(item('meter-2', message));
    await send(item('meter-2', { ts: ts + 1, seq: 2, metrics: { a: 2 } }));
    await until('the second message', () =>
      events.some((each) => each.device === 'meter-2' && each.id === '2'),
    );
    expect(await readingsOf(device.id)).toHaveLength(2);
    expect(events.filter((each) => each.device === 'meter-2' && each.id === '1')).toHaveLength(1);
  });

  it('keeps the newest value by time, whatever the order of arrival', async () => {
    const device = await acme.device('meter-3');
    const now = Date.now();
    await send(item('meter-3', { ts: now, seq: 2, metrics: { a: 'new', only: 1 } }));
    await until(
      'the new value',
      async () =>
        (await database.admin.query('select from device_latest where device_id = $1', [device.id])).rowCount,
    );
    await send(item('meter-3', { ts: now - 60_000, seq: 1, metrics: { a: 'old', late: 2 } }));
    const metrics = await until('the late metric', async () => {
      const rows = await database.admin.query('select metrics from device_latest where device_id = $1', [
        device.id,
      ]);
      return rows.rows[0]?.metrics.late && rows.rows[0].metrics;
    });
    expect(metrics.a[0]).toBe('new');
    expect(metrics.late[0]).toBe(2);
  });

  it.each([
    ['broken-json', '{"metrics":{"a":1}', 'BAD_JSON'],
    ['nan', '{"metrics":{"a":NaN}}', 'BAD_JSON'],
    ['infinite', '{"metrics":{"a":1e999}}', 'BAD_VALUE'],
    ['nul', '{"metrics":{"a":"x\\u0000y"}}', 'BAD_VALUE'],
    ['surrogate', '{"metrics":{"a":"\\ud800"}}', 'BAD_VALUE'],
    ['too-old', `{"ts":"2020-01-01T00:00:00Z","metrics":{"a":1}}`, 'TOO_OLD'],
    ['future', `{"ts":"2099-01-01T00:00:00Z","metrics":{"a":1}}`, 'IN_FUTURE'],
    ['bad-key', '{"metrics":{"a b":1}}', 'BAD_KEY'],
    ['large', `{"metrics":{"a":"${'x'.repeat(20_000)}"}}`, 'TOO_LARGE'],
  ])('quarantines %s with its reason and the original bytes', async (key, payload, reason) => {
    const device = await acme.device(key);
    await send(item(key, payload));
    const [row] = await until('the quarantine row', async () => {
      const rows = await quarantineOf(key);
      return rows.length > 0 && rows;
    });
    expect(row.reason).toBe(reason);
    expect(row.payload.toString()).toBe(payload);
    expect(await readingsOf(device.id)).toHaveLength(0);
  });

  it('keeps no more than 64 KiB of a message, and says how long it was', async () => {
    await acme.device('endless');
    await send(item('endless', `{"metrics":{"a":"${'x'.repeat(99_980)}"}}`));
    const [row] = await until('the quarantine row', async () => {
      const { rows } = await database.admin.query(
        `select reason, length(payload) as kept, payload_bytes from quarantine where device_key = 'endless'`,
      );
      return rows.length > 0 && rows;
    });
    expect(row).toEqual({ reason: 'TOO_LARGE', kept: 65_536, payload_bytes: 100_000 });
  });

  it('counts what it turns away by its reason', async () => {
    for (const reason of ['BAD_JSON', 'BAD_KEY', 'BAD_VALUE', 'IN_FUTURE', 'TOO_LARGE', 'TOO_OLD'])
      await until(reason, async () => {
        const answer = await fetch(`http://127.0.0.1:${processes.healthPort('ingest')}/metrics`);
        const counted = new RegExp(`fleetgraph_ingest_quarantined_total\\{reason="${reason}"\\} [1-9]`);
        return counted.test(await answer.text());
      });
  });

  it('stores the good readings of an array and quarantines the bad one', async () => {
    const device = await acme.device('array');
    await send(
      item('array', [
        { seq: 1, metrics: { a: 1 } },
        { seq: 2, metrics: { a: null } },
        { seq: 3, metrics: { a: 3 } },
      ]),
    );
    await until('the rows', async () => (await readingsOf(device.id)).length === 2);
    expect(await quarantineOf('array')).toMatchObject([{ reason: 'BAD_VALUE' }]);
  });

  it('records who sent what the platform does not know', async () => {
    await send(item('nobody', { metrics: { a: 1 } }));
    await until(
      'the quarantine row',
      async () => (await quarantineOf('nobody'))[0]?.reason === 'UNKNOWN_DEVICE',
    );
    await send(item('x', { metrics: { a: 1 } }, { tenant: 'nowhere' }));
    await until(
      'the dead letter',
      async () =>
        (await database.admin.query(`select from dead_letters where reason like '%nowhere%'`)).rowCount,
    );
  });

  it('puts a frame that is none into the dead letters and goes on', async () => {
    await publisher.publish('telemetry.3', Buffer.from('not a frame'), 'broken-1');
    await until(
      'the dead letter',
      async () =>
        (await database.admin.query(`select from dead_letters where payload = 'not a frame'`)).rowCount,
    );
    const device = await acme.device('after-poison');
    await send(item('after-poison', { a: 1 }));
    await until('the row', async () => (await readingsOf(device.id)).length === 1);
  });

  it('balances what was accepted against what became of it', async () => {
    const sums = await until('balanced frames', async () => {
      const rows = await database.admin.query(
        `select sum(accepted)::int as accepted, sum(stored + duplicate + quarantined + dead_lettered)::int as settled
         from ingest_frames, read_counts(counts)`,
      );
      return rows.rows[0];
    });
    expect(sums.accepted).toBeGreaterThan(10);
    expect(sums.settled).toBe(sums.accepted);
  });
});

describe('presence', () => {
  it('follows sessions by epoch, so that a late disconnect does not hide a newer connect', async () => {
    const device = await acme.device('train-1');
    const session = (kind: 'connected' | 'disconnected', epoch: number) =>
      item(
        'train-1',
        { epoch: String(epoch), at: Date.now(), client_id: 'c', gateway: 'g', reason: 'test' },
        { kind },
      );
    const connection = async () =>
      (
        await database.admin.query('select connection, epoch from device_presence where device_id = $1', [
          device.id,
        ])
      ).rows[0];
    // Without a live gateway's session row nothing else moves this device.
    await send(session('connected', 5));
    await until('online', async () => (await connection())?.connection === 'ONLINE');
    await send(session('connected', 6));
    await send(session('disconnected', 5));
    await until('the newer epoch', async () => (await connection())?.epoch === '6');
    expect((await connection()).connection).toBe('ONLINE');
    await send(session('disconnected', 6));
    await until('offline', async () => (await connection())?.connection === 'OFFLINE');
    await send(session('connected', 6));
    await send(item('train-1', { a: 1 }));
    await until(
      'traffic',
      async () =>
        (
          await database.admin.query(
            `select from device_presence where device_id = $1 and freshness = 'FRESH'`,
            [device.id],
          )
        ).rowCount,
    );
    expect((await connection()).connection).toBe('OFFLINE');
  });

  it('lets a device fade when it falls silent', async () => {
    const device = await acme.device('fading', { intervalSeconds: 1 });
    await send(item('fading', { a: 1 }));
    const fades = `select array_agg(freshness order by at, id) @> '{FRESH,STALE}' as fades
       from presence_changes where device_id = $1`;
    await until('fresh, then stale', async () => {
      const { rows } = await database.admin.query<{ fades: boolean }>(fades, [device.id]);
      return rows[0]?.fades;
    });
  });
});
