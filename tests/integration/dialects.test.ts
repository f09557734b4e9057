import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { mosquittoPub } from '#tests/kit/mosquitto.ts';
import { openTestBus, openTestNats } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';

const opened = new AsyncDisposableStack();
let database: TestDatabase;
let processes: TestProcesses;
let acme: TenantSeed;

beforeAll(async () => {
  database = opened.use(await openTestDatabase());
  const nats = opened.use(await openTestNats());
  opened.use(await openTestBus(nats));
  processes = opened.use(
    await startProcesses({ database, natsUrl: nats.url, start: ['gateway', 'ingest', 'evaluator'] }),
  );
  acme = await seedTenant(database.admin, 'acme');
});
afterAll(() => opened.disposeAsync());

const say = (device: SeededDevice, topic: string, payload: unknown) =>
  mosquittoPub(`mqtt://127.0.0.1:${processes.mqttPort}`, device, payload, topic);

const rowsOf = (device: SeededDevice, count: number) =>
  until(`${count} readings of ${device.key}`, async () => {
    const { rows } = await database.admin.query(
      'select ts, msg_id, metrics from readings where device_id = $1 order by ts',
      [device.id],
    );
    return rows.length >= count && rows;
  });

describe('a meter of version 2', () => {
  it('has its measurements stored by their times, once, under its sequence number', async () => {
    const device = await acme.device('meter-2');
    const ts = Math.floor(Date.now() / 1_000) * 1_000;
    const message = {
      ...{ v: 2, device_id: device.key, ts, seq: 7, msg_type: 'telemetry' },
      measurements: [
        { ts: ts - 2_000, type: 'voltage', val: 750, unit: 'V' },
        { ts: ts - 1_000, type: 'voltage', val: 751, unit: 'V' },
        { ts: ts - 1_000, type: 'current', val: 12.5, unit: 'A' },
      ],
    };
    for (let times = 0; times < 2; times++) await say(device, `iot/${device.key}/telemetry`, message);
    await say(device, `iot/${device.key}/telemetry`, {
      ...message,
      seq: 8,
      measurements: [{ type: 'voltage', val: 752 }],
    });
    expect(await rowsOf(device, 3)).toEqual([
      { ts: new Date(ts - 2_000), msg_id: '7', metrics: { voltage: 750 } },
      { ts: new Date(ts - 1_000), msg_id: '7', metrics: { voltage: 751, current: 12.5 } },
      { ts: new Date(ts), msg_id: '8', metrics: { voltage: 752 } },
    ]);
  });

  it('is alive when it says hello, and where its status says it is', async () => {
    const device = await acme.device('meter-hello');
    await say(device, `iot/${device.key}/hello`, { v: 2, device_id: device.key, seq: 1, msg_type: 'hello' });
    await until('a sign of life', async () => {
      const { rows } = await database.admin.query('select from device_presence where device_id = $1', [
        device.id,
      ]);
      return rows.length > 0;
    });
    await say(device, `iot/${device.key}/status`, { v: 2, device_id: device.key, status: 'online' });
    await say(device, `iot/${device.key}/status`, { v: 2, device_id: device.key, status: 'gone' });
    const quarantined = await until('the odd status', async () => {
      const { rows } = await database.admin.query(
        'select reason, kind from quarantine where device_key = $1',
        [device.key],
      );
      return rows.length > 0 && rows;
    });
    expect(quarantined).toEqual([{ reason: 'BAD_SHAPE', kind: 'status' }]);
  });

  it('cannot speak for another, neither by topic nor by device_id', async () => {
    const device = await acme.device('meter-liar');
    const victim = await acme.device('meter-victim');
    const lie = { v: 2, device_id: victim.key, seq: 1, measurements: [{ type: 'voltage', val: 1 }] };
    await say(device, `iot/${device.key}/telemetry`, lie);
    const [row] = await until('the quarantine row', async () => {
      const { rows } = await database.admin.query(
        'select reason, payload from quarantine where device_key = $1',
        [device.key],
      );
      return rows.length > 0 && rows;
    });
    expect({ reason: row.reason, payload: row.payload.toString() }).toEqual({
      reason: 'WRONG_DEVICE',
      payload: JSON.stringify(lie),
    });
    await expect(say(device, `iot/${victim.key}/telemetry`, lie)).rejects.toThrow();
    const { rows } = await database.admin.query('select from readings where device_id = $1', [victim.id]);
    expect(rows).toEqual([]);
  });
});

describe('a device of argus version 1', () => {
  it('is stored at its own time, and may publish for itself only', async () => {
    const device = await acme.device('argus-1');
    const ts = Math.floor(Date.now() / 1_000) - 5;
    await say(device, `v1/telemetry/acme/${device.key}`, { ts, metrics: { temp: 25.5, pressure: 101.3 } });
    expect(await rowsOf(device, 1)).toMatchObject([
      { ts: new Date(ts * 1_000), metrics: { temp: 25.5, pressure: 101.3 } },
    ]);
    await expect(say(device, 'v1/telemetry/acme/other', { metrics: { a: 1 } })).rejects.toThrow();
    await expect(say(device, `v1/telemetry/rival/${device.key}`, { metrics: { a: 1 } })).rejects.toThrow();
  });
});
