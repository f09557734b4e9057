import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLoad } from '#simulator/load.ts';
import { judge } from '#simulator/oracle.ts';
import { nodeProcess } from '#standalone/node-process.ts';
import { freePort } from '#standalone/ports.ts';
import { supervise } from '#standalone/supervise.ts';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { openTestNats } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { seedTenant } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';

const opened = new AsyncDisposableStack();
let database: TestDatabase;
let processes: TestProcesses;
let url: string;

beforeAll(async () => {
  database = opened.use(await openTestDatabase());
  const nats = opened.use(await openTestNats());
  processes = opened.use(await startProcesses({ database, natsUrl: nats.url, start: ['gateway', 'ingest'] }));
  url = `mqtt://127.0.0.1:${processes.mqttPort}`;
});
afterAll(() => opened.disposeAsync());

/** How often somebody was let in. */
async function connects(): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${processes.healthPort('gateway')}/metrics`);
  const line = /^fleetgraph_gateway_connects_total\{[^}]*outcome="accepted"[^}]*\} (\d+)$/m;
  return Number(line.exec(await response.text())?.[1] ?? 0);
}

describe('the load generator and its oracle', () => {
  it('account for every acknowledged message while the gateway is killed, and notice a missing row', async () => {
    const tenant = await seedTenant(database.admin, 'load');
    const devices = await tenant.devices(50);
    const since = new Date(Date.now() - 60_000);
    const load = createLoad({ url, devices, rate: 2_000, boot: 77 });
    opened.defer(() => load.close());
    await load.connect();
    load.start();
    await sleep(1_500);
    processes.get('gateway').kill('SIGKILL');
    await until('its fall', () => processes.get('gateway').restarts > 0);
    await processes.get('gateway').whenReady();
    await sleep(1_500);
    expect(await load.finish(60_000)).toBe(true);
    await load.close();
    expect(load.reconnects).toBeGreaterThanOrEqual(50);
    expect(load.outOfOrder).toBe(0);
    expect(load.acknowledged).toBe(load.sent);

    const verdict = () => judge(database.admin, load.accounts(), since);
    await until('every row', async () => (await verdict()).lost === 0);
    expect(await verdict()).toEqual({
      ...{ acknowledged: load.acknowledged, stored: load.acknowledged },
      ...{ lost: 0, doubled: 0, invented: 0 },
    });

    await database.admin.query('delete from readings where ctid = (select ctid from readings limit 1)');
    expect(await verdict()).toMatchObject({ lost: 1, doubled: 0 });
    await database.admin.query(
      `insert into readings (tenant_id, device_id, ts, msg_id, received_at, metrics)
       select tenant_id, device_id, ts + interval '1 ms', msg_id, received_at, metrics from readings limit 1`,
    );
    expect(await verdict()).toMatchObject({ lost: 1, doubled: 1 });
  });
});

describe('devices that take turns', () => {
  for (const count of [20, 60]) {
    it(`come and go on 20 connections when they are ${count}`, async () => {
      const tenant = await seedTenant(database.admin, `turns-${count}`);
      const devices = await tenant.devices(count);
      const accepted = await connects();
      const turns = { connections: 20, messages: 10 };
      const load = createLoad({ url, devices, rate: 1_000, boot: 78, turns });
      opened.defer(() => load.close());
      await load.connect();
      load.start();
      await until('every device', () => load.accounts().length === count && load.sent > 60 * 10);
      expect(await load.finish(20_000)).toBe(true);
      await load.close();
      expect(load.acknowledged).toBe(load.sent);
      // Ten messages a turn, twenty turns at once.
      const turnsTaken = (await connects()) - accepted;
      expect(turnsTaken).toBeGreaterThanOrEqual(load.sent / 10);
      expect(turnsTaken).toBeLessThanOrEqual(load.sent / 10 + 20);
    });
  }
});

describe('devices that are introduced', () => {
  it('have each sent one message before anybody has a whole turn', async () => {
    const tenant = await seedTenant(database.admin, 'introduced');
    const devices = await tenant.devices(60);
    const turns = { connections: 20, messages: 10 };
    const load = createLoad({ url, devices, rate: 1_000, boot: 79, turns });
    opened.defer(() => load.close());
    await load.connect();
    await load.introduce(20_000);
    expect(load.accounts().map(({ sent }) => sent)).toEqual(new Array(60).fill(1));
    expect([load.sent, load.acknowledged]).toEqual([60, 60]);
    load.start();
    await until('everybody to have had a turn', () => load.accounts().every(({ sent }) => sent > 10));
    expect(await load.finish(20_000)).toBe(true);
    expect(load.acknowledged).toBe(load.sent);
  });
});

describe('the simulator', () => {
  it('publishes plausible samples of every device, each numbered', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-simulator-'));
    opened.defer(() => rmSync(folder, { recursive: true, force: true }));
    const tenant = await seedTenant(database.admin, 'simulated');
    const devices = await Promise.all(['loco-01', 'reefer-01', 'meter-01'].map((key) => tenant.device(key)));
    const file = join(folder, 'devices.json');
    writeFileSync(file, JSON.stringify(devices));
    await using _simulator = await supervise(
      nodeProcess({
        ...{ name: 'simulator', main: 'simulator/main.ts', logFile: join(folder, 'simulator.log') },
        healthPort: await freePort(),
        env: { MQTT_URL: url, SIMULATOR_DEVICES: file, SIMULATOR_INTERVAL_MS: '100', LOG_LEVEL: 'warn' },
      }),
    );
    const count = async () =>
      (
        await database.admin.query<{ key: string; metrics: Record<string, unknown>; rows: number }>(
          `select d.key, count(*)::int as rows, (array_agg(r.metrics order by r.ts desc))[1] as metrics
           from readings r join devices d on d.id = r.device_id where d.tenant_id = $1 group by d.key order by d.key`,
          [tenant.id],
        )
      ).rows;
    const rows = await until('ten samples of each', async () => {
      const found = await count();
      return found.length === 3 && found.every((row) => row.rows >= 10) && found;
    });
    const [loco, meter, reefer] = rows.map((row) => row.metrics);
    expect(loco).toMatchObject({
      voltage_dc: expect.any(Number),
      current_dc: expect.any(Number),
      door: expect.any(Boolean),
    });
    expect(meter).toMatchObject({ voltage_ac: expect.any(Number), frequency: expect.any(Number) });
    expect(reefer).toMatchObject({ temperature: expect.any(Number), setpoint: -18 });
  });
});
