import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TelemetryEvent } from '#core/bus/events.ts';
import { follow } from '#core/bus/follow.ts';
import { controlSubject } from '#core/bus/subjects.ts';
import { openEvents } from '#core/bus/telemetry-batch.ts';
import { insertDiscovered } from '#core/db/sensors.ts';
import { openTestApi, type TestApi } from '#tests/kit/api.ts';
import { openTestFrames, type TestFrames } from '#tests/kit/frames.ts';
import { quiet } from '#tests/kit/nats.ts';
import { startProcesses } from '#tests/kit/processes.ts';
import { seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { type SeededTemplate, seedTemplate, setTemplate } from '#tests/kit/templates.ts';
import { until } from '#tests/kit/wait.ts';

const METRICS = [
  { key: 'temperature', name: 'Temperature', type: 'FLOAT', unit: 'Cel', min: -40, max: 85 },
  { key: 'count', name: 'Count', type: 'INTEGER' },
  { key: 'mode', name: 'Mode', type: 'ENUM', values: ['eco', 'boost'] },
];
const REPLAY = `mutation ($input: QuarantineReplayInput!) { quarantineReplay(input: $input) {
  ... on QuarantineReplaySuccess { matched forecasts { outcome reason field } } ... on UserError { code message } } }`;

describe('ingest by template', () => {
  const opened = new AsyncDisposableStack();
  const events: TelemetryEvent[] = [];
  let api: TestApi;
  let acme: TenantSeed;
  let frames: TestFrames;
  let key: string;
  let flagging: SeededTemplate;
  let strict: SeededTemplate;

  beforeAll(async () => {
    api = opened.use(await openTestApi());
    const { admin } = api.database;
    acme = await seedTenant(admin, 'acme', 30);
    key = await api.apiKey(acme, 'OPERATOR');
    flagging = await seedTemplate(admin, acme, 'flagging', {
      ...{ metrics: METRICS, unknownMetrics: 'FLAG', invalidValues: 'FLAG', discoverSensors: false },
    });
    strict = await seedTemplate(admin, acme, 'strict', {
      ...{ metrics: METRICS, unknownMetrics: 'QUARANTINE', invalidValues: 'QUARANTINE' },
    });
    opened.use(
      await startProcesses({
        database: api.database,
        natsUrl: api.nats.url,
        start: ['ingest', 'relay', 'janitor'],
        env: { JANITOR_JOBS_POLL_MS: '100' },
      }),
    );
    frames = opened.use(openTestFrames(api.bus));
    const following = follow({
      bus: api.bus,
      ...{ stream: 'EVENTS', filter: 'events.*.telemetry', from: 1, log: quiet },
      onMessage: (message) => {
        const batch = openEvents(message.data);
        if (batch.kind === 'telemetry') events.push(...batch.events());
      },
      onLost: () => undefined,
    });
    opened.defer(() => following.stop());
  });
  afterAll(() => opened.disposeAsync());

  const device = async (name: string, template?: SeededTemplate, map?: Parameters<typeof setTemplate>[3]) => {
    const made = await acme.device(name);
    if (template) await setTemplate(api.database.admin, template, [made.id], map);
    return made;
  };
  const readings = (deviceId: number, count = 1) =>
    until('the readings', async () => {
      const { rows } = await api.database.admin.query(
        'select metrics, flags, msg_id, sent_digest from readings where device_id = $1 order by ts, msg_id',
        [deviceId],
      );
      return rows.length >= count && rows;
    });
  const quarantined = (name: string, count = 1) =>
    until('the quarantine rows', async () => {
      const { rows } = await api.database.admin.query(
        'select id, reason, field, detail from quarantine where device_key = $1 order by id',
        [name],
      );
      return rows.length >= count && rows;
    });
  /** As the API does when a device has changed. */
  const changed = (name: string) =>
    api.bus.connection.publish(
      controlSubject('device'),
      JSON.stringify({ tenant: 'acme', tenantId: acme.id, id: name, version: 2 }),
    );

  it('renames and scales numbers before they are stored, told or kept as the latest', async () => {
    const { id } = await device('mapped', flagging, [
      { raw: 't1', metric: 'temperature', scale: 0.1, offset: -10 },
      { raw: 'm', metric: 'mode', scale: 2 },
    ]);
    const ts = Date.now();
    await frames.send('acme', 'mapped', { ts, seq: 3, metrics: { t1: 315, m: 'eco', count: 4 } });
    const [row] = await readings(id);
    expect(row).toMatchObject({
      metrics: { temperature: 21.5, mode: 'eco', count: 4 },
      flags: null,
      msg_id: '3',
    });
    const event = await until('the event', () => events.find((each) => each.device === 'mapped'));
    expect(event.metrics).toEqual({ temperature: 21.5, mode: 'eco', count: 4 });
    expect(event.flags).toBeUndefined();
    const latest = await until('the latest', async () => {
      const { data } = await api.ask(
        key,
        '{ device(by: { key: "mapped" }) { latest { metric value flag } } }',
      );
      return data.device.latest.length > 0 && data.device.latest;
    });
    expect(latest).toContainEqual({ metric: 'temperature', value: 21.5, flag: null });
  });

  it('maps what modules say, and knows what sensors know', async () => {
    const { admin } = api.database;
    const { id } = await device('modular', strict);
    const module = await seedTemplate(admin, acme, 'module', {
      metrics: [{ key: 'level', name: 'Level', type: 'ENUM', values: ['low', 'high'] }],
    });
    const installed = await admin.query(
      `insert into device_modules (tenant_id, device_id, slot, name, template_id, template_version, metric_map)
       values ($1, $2, 'a', 'Tank', $3, 1, $4) returning id`,
      [acme.id, id, module.id, JSON.stringify([{ raw: 'lvl', metric: 'tank', scale: 1, offset: 0 }])],
    );
    await admin.query(
      `insert into device_sensors (tenant_id, device_id, module_id, metric, template_metric, name, type, min, max, source)
       values ($1, $2, $3, 'tank', 'level', 'Tank', 'ENUM', null, null, 'MODULE'),
         ($1, $2, null, 'pressure', null, 'Pressure', 'FLOAT', 0, 10, 'MANUAL')`,
      [acme.id, id, installed.rows[0]?.id],
    );
    await frames.send('acme', 'modular', { seq: 1, metrics: { lvl: 'high', pressure: 10, temperature: 1 } });
    expect((await readings(id))[0]).toMatchObject({
      metrics: { tank: 'high', pressure: 10, temperature: 1 },
    });
    await frames.send('acme', 'modular', { seq: 2, metrics: { lvl: 'full' } });
    await frames.send('acme', 'modular', { seq: 3, metrics: { pressure: 11 } });
    expect(await quarantined('modular', 2)).toMatchObject([
      { reason: 'NOT_IN_ENUM', field: 'metrics.lvl' },
      { reason: 'OUT_OF_RANGE', field: 'metrics.pressure' },
    ]);
    await admin.query('update device_sensors set active = false where device_id = $1', [id]);
    await admin.query('update device_modules set removed_at = now() where device_id = $1', [id]);
    changed('modular');
    await until('the change is heard of', async () => {
      await frames.send('acme', 'modular', { seq: 4, metrics: { pressure: 5 } });
      return (await quarantined('modular')).some(({ reason }) => reason === 'UNKNOWN_METRIC');
    });
  });

  it('marks what is not as modelled, in the row, the event, the latest value and the API', async () => {
    const { id } = await device('flagged', flagging);
    const ts = Date.now();
    await frames.send('acme', 'flagged', { ts, metrics: { temperature: 90, mode: 'off', count: 1.5, x: 1 } });
    await frames.send('acme', 'flagged', { ts: ts + 1, metrics: { temperature: 20 } });
    const flags = {
      ...{ temperature: 'OUT_OF_RANGE', mode: 'NOT_IN_ENUM', count: 'WRONG_TYPE', x: 'UNKNOWN_METRIC' },
    };
    expect((await readings(id, 2)).map((row) => row.flags)).toEqual([flags, null]);
    expect((await until('the event', () => events.find((each) => each.device === 'flagged'))).flags).toEqual(
      flags,
    );
    const latest = await until('the latest', async () => {
      const { data, errors } = await api.ask(
        key,
        `{ device(by: { key: "flagged" }) { latest { metric flag } readings(first: 5) { nodes { flags { metric fault } } } } }`,
      );
      expect(errors).toEqual([]);
      return data.device.latest.length === 4 && data.device;
    });
    const byMetric = Object.fromEntries(
      latest.latest.map(({ metric, flag }: { metric: string; flag: string }) => [metric, flag]),
    );
    expect(byMetric).toEqual({ ...flags, temperature: null });
    expect(latest.readings.nodes[1].flags).toHaveLength(4);
    expect(latest.readings.nodes[1].flags[0]).toEqual({ metric: 'count', fault: 'WRONG_TYPE' });
    expect(latest.readings.nodes[0].flags).toEqual([]);
  });

  it.each([
    ['unknown', { seq: 1, metrics: { temperature: 1, humidity: 2 } }, 'UNKNOWN_METRIC', 'metrics.humidity'],
    ['wrong', [{ temperature: 1 }, { temperature: '1' }], 'WRONG_TYPE', '[1].temperature'],
    ['range', { temperature: 86 }, 'OUT_OF_RANGE', 'temperature'],
    ['enum', { mode: 'x' }, 'NOT_IN_ENUM', 'mode'],
  ])('turns away what is %s, with its code and its field', async (name, payload, reason, field) => {
    await device(name, strict);
    await frames.send('acme', name, payload);
    expect(await quarantined(name)).toMatchObject([{ reason, field }]);
  });

  it('turns away two values for one metric', async () => {
    const { id } = await device('clash', flagging, [{ raw: 't', metric: 'temperature' }]);
    await frames.send('acme', 'clash', { t: 1, temperature: 2 });
    await frames.send('acme', 'clash', { t: 3, temperature: 3 });
    expect(await quarantined('clash')).toMatchObject([{ reason: 'METRIC_CLASH', field: 'temperature' }]);
    expect(await readings(id)).toMatchObject([{ metrics: { temperature: 3 } }]);
  });

  it('takes what was turned away once its field is taken out, also of a meter', async () => {
    const { id } = await device('fixed', strict);
    await frames.send('acme', 'fixed', { ts: Date.now(), seq: 1, metrics: { temperature: 1, humidity: 2 } });
    const at = Date.now() - 1_000;
    const measurements = [
      { type: 'temperature', val: 20 },
      { type: 'humidity', val: 2 },
    ];
    await frames.send(
      'acme',
      'fixed',
      { v: 2, device_id: 'fixed', ts: at, seq: 2, measurements },
      { dialect: 'meter2' },
    );
    const rows = await quarantined('fixed', 2);
    expect(rows.map((row) => row.field)).toEqual(['metrics.humidity', 'measurements[1]']);
    const input = { target: { where: { deviceKey: 'fixed' } }, fix: { patch: { removeField: true } } };
    const { data, errors } = await api.ask(key, REPLAY, { input });
    expect(errors).toEqual([]);
    expect(data.quarantineReplay).toMatchObject({ matched: 2 });
    const stored = await readings(id, 2);
    expect(stored.map((row) => [row.msg_id, row.metrics])).toEqual([
      ['2', { temperature: 20 }],
      ['1', { temperature: 1 }],
    ]);
  });

  it('knows a resend by what was sent, whatever has become of the map', async () => {
    const { admin } = api.database;
    const { id } = await device('resent', flagging);
    const again = (temperature: number) =>
      frames.send('acme', 'resent', { seq: 9, metrics: { temperature } });
    const map = async (scale: number) => {
      await setTemplate(admin, flagging, [id], [{ raw: 'temperature', metric: 'temperature', scale }]);
      changed('resent');
    };
    await again(20);
    await readings(id);
    await map(2);
    await until('the map is heard of', async () => {
      await frames.send('acme', 'resent', { ts: Date.now(), metrics: { temperature: 1 } });
      return (await readings(id)).some(({ metrics }) => metrics.temperature === 2);
    });
    await again(20);
    await again(30);
    await until('the other message', async () =>
      (await readings(id)).some(({ metrics }) => metrics.temperature === 60),
    );
    await map(3);
    await until('the map is heard of', async () => {
      await frames.send('acme', 'resent', { ts: Date.now(), metrics: { temperature: 1 } });
      return (await readings(id)).some(({ metrics }) => metrics.temperature === 3);
    });
    await again(30);
    await again(20);
    await frames.send('acme', 'resent', { seq: 10, metrics: { temperature: 7 } });
    await until('the last message', async () => (await readings(id)).some(({ msg_id }) => msg_id === '10'));
    const numbered = (await readings(id)).filter(({ msg_id }) => msg_id === '9');
    expect(numbered.map(({ metrics, sent_digest }) => [metrics.temperature, sent_digest === null])).toEqual([
      [20, true],
      [60, false],
    ]);
  });

  it('makes sensors of what nobody modelled, once, and then knows them', async () => {
    const { admin } = api.database;
    const finding = await seedTemplate(admin, acme, 'finding', {
      ...{ metrics: METRICS, unknownMetrics: 'FLAG', discoverSensors: true },
    });
    const { id } = await device('found', finding, [{ raw: 'h', metric: 'humidity' }]);
    const sensors = () =>
      admin.query(
        `select metric, type, source, active, unit from device_sensors where device_id = $1 order by metric`,
        [id],
      );
    const found = { unit: null, source: 'DISCOVERED', active: true };
    await frames.send('acme', 'found', { seq: 1, metrics: { h: 40, door: true, name: 'x', temperature: 1 } });
    await until('the sensors', async () => (await sensors()).rowCount === 3);
    expect((await sensors()).rows).toEqual([
      { metric: 'door', type: 'BOOLEAN', ...found },
      { metric: 'humidity', type: 'FLOAT', ...found },
      { metric: 'name', type: 'STRING', ...found },
    ]);
    expect((await readings(id))[0].flags).toEqual({
      ...{ humidity: 'UNKNOWN_METRIC', door: 'UNKNOWN_METRIC', name: 'UNKNOWN_METRIC' },
    });
    await until('the sensors are known', async () => {
      await frames.send('acme', 'found', { metrics: { h: 41, door: 7 } });
      return (await readings(id)).some(({ flags }) => flags?.door === 'WRONG_TYPE' && !flags.humidity);
    });
    expect(await sensors()).toMatchObject({ rowCount: 3 });
    await admin.query('update device_sensors set active = false where device_id = $1', [id]);
    changed('found');
    await until('the sensors are unknown again', async () => {
      await frames.send('acme', 'found', { metrics: { h: 42 } });
      return (await readings(id)).filter(({ flags }) => flags?.humidity === 'UNKNOWN_METRIC').length > 1;
    });
    expect((await sensors()).rows.map(({ active }) => active)).toEqual([false, false, false]);
  });

  it('makes no more than 200 sensors of what one device invents', async () => {
    const { id } = await device('inventive', await seedTemplate(api.database.admin, acme, 'lenient', {}));
    for (let batch = 0; batch < 5; batch++) {
      const names = Array.from({ length: 60 }, (_, index) => [`m${batch}-${index}`, index]);
      await frames.send('acme', 'inventive', { seq: batch, metrics: Object.fromEntries(names) });
    }
    const count = async () =>
      (await api.database.admin.query('select from device_sensors where device_id = $1', [id])).rowCount;
    await until('the sensors', async () => (await count()) === 200);
    await readings(id, 5);
    const pool = new pg.Pool({ connectionString: api.database.workerUrl, max: 2 });
    opened.defer(() => pool.end());
    const other = await device('other');
    const invent = (deviceId: number, prefix: string, names: number) =>
      insertDiscovered(
        pool,
        Array.from({ length: names }, (_, index) => {
          return { tenantId: acme.id, deviceId, metric: `${prefix}-${index}`, type: 'FLOAT' };
        }),
        () => [],
      );
    expect(await invent(id, 'more', 50)).toBe(0);
    const [one, two] = await Promise.all([invent(other.id, 'a', 150), invent(other.id, 'b', 150)]);
    expect(one + two).toBe(200);
  });

  it('leaves a device without a template as it was', async () => {
    const { id } = await device('free');
    await frames.send('acme', 'free', { temperature: 'hot', anything: 1 });
    expect(await readings(id)).toMatchObject([{ metrics: { temperature: 'hot', anything: 1 }, flags: null }]);
  });
});
