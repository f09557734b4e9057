import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { bearer, doorOf, post } from '#tests/kit/http-device.ts';
import { mosquittoPub } from '#tests/kit/mosquitto.ts';
import { type MosquittoBroker, openMosquitto } from '#tests/kit/mosquitto-broker.ts';
import { openTestBus, openTestNats } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { metricOf, type SeededTemplate, seedTemplate, setTemplate } from '#tests/kit/templates.ts';
import { until } from '#tests/kit/wait.ts';

const opened = new AsyncDisposableStack();
let database: TestDatabase;
let broker: MosquittoBroker;
let processes: TestProcesses;
let acme: TenantSeed;
let meter: SeededTemplate;

beforeAll(async () => {
  database = opened.use(await openTestDatabase());
  const nats = opened.use(await openTestNats());
  broker = opened.use(await openMosquitto());
  opened.use(await openTestBus(nats));
  processes = opened.use(
    await startProcesses({
      ...{ database, natsUrl: nats.url, start: ['api', 'gateway', 'bridge', 'ingest'] },
      env: { BRIDGE_URL: broker.url, BRIDGE_ID: 'doors', BRIDGE_METER_TENANT: 'acme' },
    }),
  );
  acme = await seedTenant(database.admin, 'acme');
  meter = await seedTemplate(database.admin, acme, 'meter', {
    ...{
      metrics: [metricOf('voltage', { max: 1_000 })],
      unknownMetrics: 'FLAG',
      invalidValues: 'QUARANTINE',
    },
  });
});
afterAll(() => opened.disposeAsync());

type Metrics = Readonly<Record<string, number>>;
interface Door {
  readonly name: string;
  say(device: SeededDevice, metrics: Metrics, seq: number): Promise<unknown>;
  /** Where the raw metric `v` stands in what this door is given. */
  readonly field: string;
}

const url = (path: string) => `http://127.0.0.1:${processes.httpPort}${path}`;
const publish = (device: SeededDevice, payload: unknown, topic?: string) =>
  mosquittoPub(`mqtt://127.0.0.1:${processes.mqttPort}`, device, payload, topic);
const atTheBroker = async (topic: string, payload: unknown) => {
  const client = await connectAsync(broker.url, { clientId: 'at-the-broker' });
  await client.publishAsync(topic, JSON.stringify(payload), { qos: 1 });
  await client.endAsync();
};
const meter2 = ({ key }: SeededDevice, metrics: Metrics, seq: number) => {
  const measurements = Object.entries(metrics).map(([type, val]) => ({ type, val }));
  return { v: 2, device_id: key, ts: Date.now(), seq, measurements };
};

const DOORS: readonly Door[] = [
  {
    name: 'mqtt',
    say: (device, metrics, seq) => publish(device, { seq, metrics }),
    field: 'metrics.v',
  },
  { name: 'mqtt-bare', say: (device, metrics) => publish(device, metrics), field: 'v' },
  {
    name: 'meter2',
    say: (device, metrics, seq) =>
      publish(device, meter2(device, metrics, seq), `iot/${device.key}/telemetry`),
    field: 'measurements[0]',
  },
  {
    name: 'argus1',
    say: (device, metrics) => publish(device, { ts: Date.now(), metrics }, `v1/telemetry/acme/${device.key}`),
    field: 'metrics.v',
  },
  {
    name: 'http',
    say: (device, metrics, seq) => post(url(doorOf(device)), { seq, metrics }, bearer(device)),
    field: 'metrics.v',
  },
  {
    name: 'http-batch',
    say: (device, metrics, seq) => {
      const message = { tenant: 'acme', device: device.key, token: device.password };
      return post(url('/ingest/v1/batch'), { messages: [{ ...message, payload: { seq, metrics } }] });
    },
    field: 'metrics.v',
  },
  {
    name: 'bridge',
    say: (device, metrics, seq) =>
      atTheBroker(`tenant/acme/device/${device.key}/telemetry`, { seq, metrics }),
    field: 'metrics.v',
  },
  {
    name: 'bridge-meter2',
    say: (device, metrics, seq) => atTheBroker(`iot/${device.key}/telemetry`, meter2(device, metrics, seq)),
    field: 'measurements[0]',
  },
];

describe('a device with a template and a map', () => {
  it.each(DOORS)('is measured alike through $name', async ({ name, say, field }) => {
    const { admin } = database;
    const device = await acme.device(name);
    await setTemplate(admin, meter, [device.id], [{ raw: 'v', metric: 'voltage', scale: 0.1, offset: 5 }]);
    await say(device, { v: 2_300, x: 1 }, 1);
    await say(device, { v: 9_951 }, 2);
    const [turnedAway] = await until('the quarantine row', async () => {
      const { rows } = await admin.query('select reason, field from quarantine where device_key = $1', [
        name,
      ]);
      return rows.length > 0 && rows;
    });
    expect(turnedAway).toEqual({ reason: 'OUT_OF_RANGE', field });
    const stored = await until('the row', async () => {
      const { rows } = await admin.query('select metrics, flags from readings where device_id = $1', [
        device.id,
      ]);
      return rows.length > 0 && rows;
    });
    expect(stored).toEqual([{ metrics: { voltage: 235, x: 1 }, flags: { x: 'UNKNOWN_METRIC' } }]);
    const found = await until('the sensor', async () => {
      const sensors = await admin.query('select metric, source from device_sensors where device_id = $1', [
        device.id,
      ]);
      return sensors.rows.length > 0 && sensors.rows;
    });
    expect(found).toEqual([{ metric: 'x', source: 'DISCOVERED' }]);
  });
});
