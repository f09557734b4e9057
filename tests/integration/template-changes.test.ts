import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '#tests/kit/api.ts';
import { openTestFrames, type TestFrames } from '#tests/kit/frames.ts';
import { startProcesses } from '#tests/kit/processes.ts';
import { seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { metricOf, seedTemplate } from '#tests/kit/templates.ts';
import { until } from '#tests/kit/wait.ts';

/** A change counts for every message that arrives a second after its answer; a busy machine may take some more. */
const HEARD_MS = 4_000;
const VOLTAGE = metricOf('voltage', { max: 300 });

/** What a message became. */
interface Outcome {
  readonly metrics?: Readonly<Record<string, number>>;
  readonly flags?: Readonly<Record<string, string>> | null;
  readonly reason?: string;
}

describe('a change of what a device is', () => {
  const opened = new AsyncDisposableStack();
  let api: TestApi;
  let acme: TenantSeed;
  let frames: TestFrames;
  let key: string;

  beforeAll(async () => {
    api = opened.use(await openTestApi());
    const { admin } = api.database;
    acme = await seedTenant(admin, 'acme');
    key = await api.apiKey(acme, 'ENGINEER');
    const slot = { key: 'port', name: 'Port', type: 'SENSOR_PORT', interface: 'ANALOG' };
    const meter = { metrics: [VOLTAGE], unknownMetrics: 'FLAG', discoverSensors: false, slots: [slot] };
    await seedTemplate(admin, acme, 'meter', meter);
    await seedTemplate(admin, acme, 'probe', { metrics: [metricOf('level', { max: 10 })] });
    const ingest = () =>
      startProcesses({ database: api.database, natsUrl: api.nats.url, start: ['ingest', 'relay'] });
    for (const replica of await Promise.all([ingest(), ingest()])) opened.use(replica);
    frames = opened.use(openTestFrames(api.bus));
  });
  afterAll(() => opened.disposeAsync());

  const ask = async (name: string, input: object, answer: string) => {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    const { data, errors } = await api.ask(
      key,
      `mutation ($input: ${type}Input!) { ${name}(input: $input) { ... on ${type}Success { ${answer} } ... on UserError { message } } }`,
      { input },
    );
    expect(errors).toEqual([]);
    expect(data[name].message).toBeUndefined();
    return data[name];
  };
  const make = async (name: string, input: object = { templateKey: 'meter' }): Promise<string> =>
    (await ask('deviceCreate', { key: name, withToken: false, ...input }, 'device { id }')).device.id;

  async function outcomesOf(name: string): Promise<Map<number, Outcome>> {
    const { rows } = await api.database.admin.query<Outcome & { seq: number }>(
      `select r.msg_id::int as seq, r.metrics, r.flags, null as reason from readings r join devices d on d.id = r.device_id where d.key = $1
       union all select (convert_from(payload, 'UTF8')::jsonb ->> 'seq')::int, null, null, reason from quarantine where device_key = $1`,
      [name],
    );
    return new Map(rows.map(({ seq, ...outcome }) => [seq, outcome]));
  }

  /**
   * Sends the same message again and again, over both workers, makes the change meanwhile, and says what became of the messages
   * before it and of those that came HEARD_MS after its answer or later.
   */
  async function around(name: string, metrics: object, change: () => Promise<unknown>) {
    const first = (await outcomesOf(name)).size;
    let seq = first;
    const send = (count: number) =>
      Promise.all(
        Array.from({ length: count }, () =>
          frames.send('acme', name, { seq: ++seq, ts: Date.now() + seq, metrics }),
        ),
      );
    const sendFor = async (ms: number) => {
      for (const end = Date.now() + ms; Date.now() < end; await sleep(20)) await send(2);
    };
    await sendFor(300);
    const before = seq;
    await until('what came before', async () => (await outcomesOf(name)).size >= before);
    const seen = await outcomesOf(name);
    await change();
    await sendFor(HEARD_MS);
    const heard = seq;
    await sendFor(500);
    await until('everything', async () => (await outcomesOf(name)).size >= seq);
    const outcomes = [...(await outcomesOf(name))];
    const after = outcomes.filter(([number]) => number > heard).map(([, outcome]) => outcome);
    expect(after.length).toBeGreaterThan(10);
    return { before: distinct([...seen.values()]), after: distinct(after) };
  }
  const distinct = (outcomes: readonly Outcome[]): Outcome[] =>
    [...new Set(outcomes.map((outcome) => JSON.stringify(outcome)))].map((text) => JSON.parse(text));

  const stored = (metrics: object, flags: object | null = null) => ({ metrics, flags, reason: null });

  it('counts within a second: its map', async () => {
    const id = await make('mapped');
    const metricMap = [{ raw: 'v', metric: 'voltage', scale: 0.1 }];
    expect(
      await around('mapped', { v: 2_300 }, () => ask('deviceUpdate', { id, metricMap }, 'device { id }')),
    ).toEqual({
      before: [stored({ v: 2_300 }, { v: 'UNKNOWN_METRIC' })],
      after: [stored({ voltage: 230 })],
    });
  });

  it('counts within a second: its template', async () => {
    const id = await make('typed', {});
    const change = () => ask('deviceUpdate', { id, templateKey: 'meter' }, 'device { id }');
    expect(await around('typed', { voltage: 301, x: 1 }, change)).toEqual({
      before: [stored({ voltage: 301, x: 1 })],
      after: [stored({ voltage: 301, x: 1 }, { x: 'UNKNOWN_METRIC', voltage: 'OUT_OF_RANGE' })],
    });
  });

  it('counts within a second: its modules', async () => {
    const deviceId = await make('modular');
    const metricMap = [{ raw: 'l', templateMetric: 'level', metric: 'tank' }];
    const input = { deviceId, slot: 'port', templateKey: 'probe', metricMap };
    let id = '';
    const install = async () => {
      id = (await ask('moduleInstall', input, 'module { id }')).module.id;
    };
    expect(await around('modular', { l: 11 }, install)).toEqual({
      before: [stored({ l: 11 }, { l: 'UNKNOWN_METRIC' })],
      after: [stored({ tank: 11 }, { tank: 'OUT_OF_RANGE' })],
    });
    await ask('moduleRemove', { id }, 'device { id }');
    await sleep(HEARD_MS);
    await frames.send('acme', 'modular', { seq: 9_999, metrics: { l: 12 } });
    await until('the last', async () => (await outcomesOf('modular')).has(9_999));
    expect((await outcomesOf('modular')).get(9_999)).toEqual(stored({ l: 12 }, { l: 'UNKNOWN_METRIC' }));
  });

  it('counts within a second: its sensors', async () => {
    const deviceId = await make('sensing');
    let id = '';
    const create = async () => {
      const input = { deviceId, metric: 'level', type: 'FLOAT', max: 5 };
      id = (await ask('sensorCreate', input, 'sensor { id }')).sensor.id;
    };
    expect(await around('sensing', { level: 6 }, create)).toEqual({
      before: [stored({ level: 6 }, { level: 'UNKNOWN_METRIC' })],
      after: [stored({ level: 6 }, { level: 'OUT_OF_RANGE' })],
    });
    await ask('sensorUpdate', { id, max: 7 }, 'sensor { id }');
    await sleep(HEARD_MS);
    await frames.send('acme', 'sensing', { seq: 9_999, metrics: { level: 7 } });
    await until('the last', async () => (await outcomesOf('sensing')).has(9_999));
    expect((await outcomesOf('sensing')).get(9_999)).toEqual(stored({ level: 7 }));
  });

  it('is none while only its template gets another version, and counts within a second of the move there', async () => {
    await make('moved');
    const { data } = await api.ask(key, '{ template(by: { key: "meter" }) { id version } }');
    const { id, version: expectedVersion } = data.template;
    const definition = { metrics: [{ key: 'voltage', name: 'Voltage', type: 'FLOAT', max: 100 }] };
    const update = () => ask('templateUpdate', { id, expectedVersion, definition }, 'template { version }');
    const before = [stored({ voltage: 200, x: 1 }, { x: 'UNKNOWN_METRIC' })];
    expect(await around('moved', { voltage: 200, x: 1 }, update)).toEqual({ before, after: before });
    const migrate = () =>
      ask('templateMigrate', { templateKey: 'meter', target: { where: { search: 'moved' } } }, 'changed');
    expect(await around('moved', { voltage: 200, x: 1 }, migrate)).toEqual({
      before,
      after: [stored({ voltage: 200, x: 1 }, { voltage: 'OUT_OF_RANGE' })],
    });
  });
});
