import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeEvents, type PresenceEvent } from '#core/bus/events.ts';
import { follow } from '#core/bus/follow.ts';
import { every } from '#core/runtime/every.ts';
import { openTestApi, type TestApi } from '#tests/kit/api.ts';
import { openTestFrames, type TestFrames } from '#tests/kit/frames.ts';
import { quiet } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { metricOf, type SeededTemplate, seedTemplate, setTemplate } from '#tests/kit/templates.ts';
import { until } from '#tests/kit/wait.ts';

const METRICS = [metricOf('voltage', { required: true }), metricOf('current', { required: true })];
const PRESENCE = `query ($key: String!) { device(by: { key: $key }) { presence { freshness missingMetrics } } }`;

describe('required metrics', () => {
  const opened = new AsyncDisposableStack();
  const events: PresenceEvent[] = [];
  let api: TestApi;
  let processes: TestProcesses;
  let acme: TenantSeed;
  let frames: TestFrames;
  let key: string;
  let meter: SeededTemplate;

  beforeAll(async () => {
    api = opened.use(await openTestApi());
    acme = await seedTenant(api.database.admin, 'acme');
    key = await api.apiKey(acme);
    meter = await seedTemplate(api.database.admin, acme, 'meter', { metrics: METRICS });
    processes = opened.use(
      await startProcesses({
        database: api.database,
        natsUrl: api.nats.url,
        start: ['ingest', 'evaluator', 'relay'],
        env: { EVALUATOR_SWEEP_MS: '200' },
      }),
    );
    frames = opened.use(openTestFrames(api.bus));
    const following = follow({
      bus: api.bus,
      ...{ stream: 'EVENTS', filter: 'events.*.presence', from: 1, log: quiet },
      onMessage: (message) => {
        const decoded = decodeEvents(message.data);
        if (decoded.kind === 'presence') events.push(...decoded.parts.flatMap((part) => part.events));
      },
      onLost: () => undefined,
    });
    opened.defer(() => following.stop());
  });
  afterAll(() => opened.disposeAsync());

  /** A device that speaks eight times in its interval; what it says can be changed. */
  async function speaker(name: string, template: SeededTemplate | undefined, says: Record<string, number>) {
    const { id } = await acme.device(name, { intervalSeconds: 2 });
    if (template)
      await setTemplate(api.database.admin, template, [id], [{ raw: 'v', metric: 'voltage', scale: 0.1 }]);
    const speaking = {
      id,
      says,
      presence: async () => (await api.ask(key, PRESENCE, { key: name })).data.device.presence,
    };
    const clock = every(250, 'speaker', quiet, async () => {
      await frames.send('acme', name, { metrics: speaking.says });
    });
    opened.defer(() => clock.stop());
    return speaking;
  }
  const eventsOf = (device: string) => events.filter((event) => event.device === device);

  it('make a device stale that sends without them, and fresh when they come', async () => {
    const device = await speaker('lacking', meter, { v: 2_300, current: 1 });
    await until('fresh', () => eventsOf('lacking').some(({ freshness }) => freshness === 'FRESH'));
    device.says = { current: 1 };
    const stale = await until('stale', () =>
      eventsOf('lacking').find(({ freshness }) => freshness === 'STALE'),
    );
    expect(stale.missingMetrics).toEqual(['voltage']);
    expect(await device.presence()).toEqual({ freshness: 'STALE', missingMetrics: ['voltage'] });
    device.says = { x: 1 };
    await until('both missing', () =>
      eventsOf('lacking').some(({ missingMetrics }) => missingMetrics?.length === 2),
    );
    expect(await device.presence()).toEqual({ freshness: 'STALE', missingMetrics: ['current', 'voltage'] });
    device.says = { v: 2_300, current: 1 };
    const last = await until('fresh again', () => {
      const event = eventsOf('lacking').at(-1);
      return event?.freshness === 'FRESH' && event;
    });
    expect(last.missingMetrics).toEqual([]);
    expect(await device.presence()).toEqual({ freshness: 'FRESH', missingMetrics: [] });
    const { rows } = await api.database.admin.query(
      'select freshness from presence_changes where device_id = $1 order by at, id',
      [device.id],
    );
    expect(
      rows.map(({ freshness }) => freshness).filter((one, index, all) => one !== all[index - 1]),
    ).toEqual(['FRESH', 'STALE', 'FRESH']);
  });

  it('are those of the version that the device has, from then on', async () => {
    const { admin } = api.database;
    const device = await speaker('migrated', meter, { v: 2_300, current: 1 });
    await until('fresh', () => eventsOf('migrated').some(({ freshness }) => freshness === 'FRESH'));
    const next = await seedTemplate(admin, acme, 'meter', {
      metrics: [...METRICS, metricOf('frequency', { required: true })],
    });
    await setTemplate(admin, next, [device.id], [{ raw: 'v', metric: 'voltage' }]);
    const stale = await until('stale', () =>
      eventsOf('migrated').find(({ freshness }) => freshness === 'STALE'),
    );
    expect(stale.missingMetrics).toEqual(['frequency']);
    await setTemplate(admin, meter, [device.id]);
    await until('fresh again', () => eventsOf('migrated').at(-1)?.freshness === 'FRESH');
  });

  it('go by the interval of the template, as freshness does', async () => {
    const engineer = await api.apiKey(acme, 'ENGINEER');
    await seedTemplate(api.database.admin, acme, 'quick', {
      ...{ metrics: [metricOf('voltage', { required: true })], expectedIntervalSeconds: 1 },
    });
    const { data } = await api.ask(
      engineer,
      'mutation ($input: DeviceCreateInput!) { deviceCreate(input: $input) { ... on DeviceCreateSuccess { device { expectedIntervalSeconds } } } }',
      { input: { key: 'quick', templateKey: 'quick', withToken: false } },
    );
    expect(data.deviceCreate.device).toEqual({ expectedIntervalSeconds: 1 });
    await frames.send('acme', 'quick', { voltage: 1 });
    await until('stale', () => eventsOf('quick').find(({ freshness }) => freshness === 'STALE'));
    const { rows } = await api.database.admin.query<{ after: number }>(
      `select extract(epoch from at - lag(at) over (order by at))::float8 as after from presence_changes p
       join devices d on d.id = p.device_id where d.key = 'quick' and p.freshness <> p.freshness_before order by at desc limit 1`,
    );
    expect(rows[0]?.after).toBe(2);
  });

  it('matter to nobody who has fallen silent, has no template, or whose latest values wait', async () => {
    const free = await speaker('free', undefined, { x: 1 });
    const silent = await acme.device('silent', { intervalSeconds: 1 });
    await setTemplate(api.database.admin, meter, [silent.id]);
    await frames.send('acme', 'silent', { voltage: 1, current: 1 });
    const waiting = await acme.device('waiting', { intervalSeconds: 60 });
    await setTemplate(api.database.admin, meter, [waiting.id]);
    await frames.send('acme', 'waiting', { voltage: 1, current: 1 });
    await until('all are heard', () =>
      ['free', 'silent', 'waiting'].every((name) => eventsOf(name).length > 0),
    );
    await until('it is silent', () => eventsOf('silent').some(({ freshness }) => freshness === 'SILENT'));
    await processes.get('ingest').stop();
    await until('the last values are too old to judge by', async () => {
      const { rows } = await api.database.admin.query(
        `select from follower_cursors where updated_at > now() - interval '3 seconds'`,
      );
      return rows.length === 0;
    });
    await api.database.admin.query(
      `update device_latest set metrics = '{"x": [1, 0, "1", 4000000000000]}' where device_id = $1`,
      [waiting.id],
    );
    await api.database.admin.query(
      `update device_presence set metrics_since = now() - interval '1 hour', metrics_due_at = '-infinity' where device_id = $1`,
      [waiting.id],
    );
    await until('it is put off', async () => {
      const { rows } = await api.database.admin.query<{ due: boolean }>(
        `select metrics_due_at > '-infinity' as due from device_presence where device_id = $1`,
        [waiting.id],
      );
      return rows[0]?.due;
    });
    for (const name of ['free', 'silent', 'waiting'])
      expect(eventsOf(name).flatMap(({ missingMetrics }) => missingMetrics ?? [])).toEqual([]);
    expect(await free.presence()).toMatchObject({ missingMetrics: [] });
  });
});
