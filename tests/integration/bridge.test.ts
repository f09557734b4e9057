import { connectAsync } from 'mqtt';
import type { IPublishPacket } from 'mqtt-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeAddressed } from '#core/bus/downlink.ts';
import { desiredEnvelope } from '#core/bus/shadow.ts';
import { downlinkSubject } from '#core/bus/subjects.ts';
import { readUserProperties } from '#core/bus/user-properties.ts';
import { shardOf } from '#core/fleet/shards.ts';
import type { NatsServer } from '#standalone/nats.ts';
import { type MosquittoBroker, openMosquitto } from '#tests/kit/mosquitto-broker.ts';
import { type MqttLoad, openMqttLoad } from '#tests/kit/mqtt-load.ts';
import { openTestBus, openTestNats } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { type SeededDevice, seedTenant } from '#tests/kit/seed.ts';
import { type OwnDatabase, openOwnDatabase } from '#tests/kit/servers.ts';
import { until } from '#tests/kit/wait.ts';

const RATE = 1_000;
const DEVICES = 10;

const opened = new AsyncDisposableStack();
let database: OwnDatabase;
let nats: NatsServer;
let broker: MosquittoBroker;
let left: TestProcesses;
let right: TestProcesses;
let load: MqttLoad;
let device: SeededDevice;

beforeAll(async () => {
  database = opened.use(await openOwnDatabase());
  nats = opened.use(await openTestNats());
  broker = opened.use(await openMosquitto());
  const acme = await seedTenant(database.admin, 'acme');
  const devices = await acme.devices(DEVICES);
  device = await acme.device('loose');
  const replica = (id: string, start: readonly ('bridge' | 'ingest')[]) =>
    startProcesses({
      ...{ database, natsUrl: nats.url, start },
      env: { BRIDGE_URL: broker.url, BRIDGE_ID: id, BRIDGE_METER_TENANT: 'acme' },
    });
  left = opened.use(await replica('left', ['bridge', 'ingest']));
  right = opened.use(await replica('right', ['bridge']));
  load = opened.use(await openMqttLoad(broker.url, devices));
});

afterAll(() => opened.disposeAsync());

async function stored(): Promise<{ rows: number; messages: number }> {
  const counts = await database.admin.query<{ rows: number; messages: number }>(
    `select count(*)::int as rows, count(distinct (device_id, msg_id))::int as messages from readings
     where device_id <> $1`,
    [device.id],
  );
  return counts.rows[0] ?? { rows: 0, messages: 0 };
}

async function everythingIsStoredOnce(): Promise<void> {
  await load.settled();
  await until('every row', async () => (await stored()).messages >= load.published, 120_000);
  expect(await stored()).toEqual({ rows: load.published, messages: load.published });
}

async function taken(replica: TestProcesses): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${replica.healthPort('bridge')}/metrics`);
  const line = (await answer.text())
    .split('\n')
    .find((each) => each.startsWith('fleetgraph_bridge_messages_total{kind="telemetry"}'));
  return Number(line?.split(' ')[1] ?? 0);
}

/** Publishes through the broker, as a device there does. */
async function say(topic: string, payload: unknown): Promise<void> {
  const client = await connectAsync(broker.url, { clientId: 'loose' });
  await client.publishAsync(topic, JSON.stringify(payload), { qos: 1 });
  await client.endAsync();
}

describe('two bridges at a Mosquitto', () => {
  it('share what devices publish there and store it once', async () => {
    await load.publish(RATE, 2_000);
    await everythingIsStoredOnce();
    const counts = [await taken(left), await taken(right)];
    expect(Math.min(...counts)).toBeGreaterThan(load.published / 10);
    expect(counts[0]).toBe(load.published - (counts[1] ?? 0));
  });

  it('lose nothing when one of them is killed', async () => {
    const publishing = load.publish(RATE, 4_000);
    setTimeout(() => left.get('bridge').kill('SIGKILL'), 1_500);
    await publishing;
    await everythingIsStoredOnce();
    expect(left.get('bridge').restarts).toBe(1);
  });

  it('leave it with the broker while JetStream is away', async () => {
    const publishing = load.publish(RATE, 3_000);
    setTimeout(() => nats.process.kill('SIGKILL'), 1_000);
    await publishing;
    await everythingIsStoredOnce();
  });

  it('come back when the broker does', async () => {
    const restarts = broker.process.restarts;
    broker.process.kill('SIGKILL');
    await until('the broker', () => broker.process.restarts > restarts);
    await until('both subscribed', async () => {
      const ready = await Promise.all(
        [left, right].map((each) =>
          fetch(`http://127.0.0.1:${each.healthPort('bridge')}/readyz`).then(
            ({ ok }) => ok,
            () => false,
          ),
        ),
      );
      return ready.every(Boolean);
    });
    const ts = Date.now();
    await say(`tenant/acme/device/${device.key}/telemetry`, { ts, metrics: { after: 1 } });
    await until('its row', async () => {
      const found = await database.admin.query(
        `select from readings where device_id = $1 and metrics ? 'after'`,
        [device.id],
      );
      return found.rowCount === 1;
    });
  });
});

describe('user properties', () => {
  it('travel with the message, as many as fit, and no token', async () => {
    const client = await connectAsync(broker.url, { clientId: 'telling', protocolVersion: 5 });
    const long = 'x'.repeat(1_000);
    const userProperties = { trace: ['1', '2'], provision_token: 'secret', long, late: '3' };
    const topic = `tenant/acme/device/${device.key}/telemetry`;
    await client.publishAsync(topic, '{"no', { qos: 1, properties: { userProperties } });
    await client.publishAsync(topic, '{"none', { qos: 1 });
    await client.endAsync();
    const find = () =>
      database.admin.query<{ properties: Buffer | null }>(
        `select user_properties as properties from quarantine where payload in ('{"no', '{"none') order by length(payload)`,
      );
    await until('both in quarantine', async () => (await find()).rowCount === 2);
    const [some, none] = (await find()).rows;
    expect(some?.properties && readUserProperties(some.properties)).toEqual([
      ['trace', '1'],
      ['trace', '2'],
    ]);
    expect(none?.properties).toBeNull();
  });
});

describe('topics of the dialects', () => {
  it('reach the same rows, a meter’s under the tenant that is configured', async () => {
    const ts = Date.now();
    await say(`v1/telemetry/acme/${device.key}`, { ts, metrics: { argus: 1 } });
    await say(`iot/${device.key}/telemetry`, {
      ...{ v: 2, device_id: device.key, ts, seq: 1, msg_type: 'telemetry' },
      measurements: [{ ts, type: 'meter', val: 2, unit: 'V' }],
    });
    await say('tenant/ACME!/device/x/telemetry', { no: 1 });
    await until('both rows', async () => {
      const found = await database.admin.query(
        `select from readings where device_id = $1 and (metrics ? 'argus' or metrics ? 'meter')`,
        [device.id],
      );
      return found.rowCount === 2;
    });
  });
});

describe('messages for devices', () => {
  it('reach the broker’s client once, and the next one when retained', async () => {
    await using bus = await openTestBus(nats);
    const topic = `tenant/acme/device/${device.key}/shadow/desired`;
    const heard: string[] = [];
    const client = await connectAsync(broker.url, { clientId: 'listening' });
    client.on('message', (_, payload) => heard.push(payload.toString()));
    await client.subscribeAsync(topic, { qos: 1 });
    const body = { tenant: 'acme', device: device.key, leaf: 'shadow/desired', qos: 1, retain: true };
    const payload = Buffer.from('{"desired":{},"version":1}').toString('base64');
    const subject = downlinkSubject(shardOf('acme', 16));
    await bus.js.publish(subject, JSON.stringify({ ...body, payload: 'not for', device: 7 }));
    await bus.js.publish(subject, JSON.stringify({ ...body, payload }));
    await until('the message', () => heard.length > 0);
    await client.unsubscribeAsync(topic);
    await client.subscribeAsync(topic, { qos: 1 });
    await until('the retained one', () => heard.length > 1);
    expect(heard).toEqual(Array(2).fill('{"desired":{},"version":1}'));
    await client.endAsync();
  });

  it('of what a device should be leave the newest with the broker, however old the message, and take it away', async () => {
    await using bus = await openTestBus(nats);
    const topic = `tenant/acme/device/${device.key}/shadow/desired`;
    const said: string[] = [];
    const change = (version: number) =>
      bus.js.publish(
        downlinkSubject(shardOf('acme', 16)),
        encodeAddressed(desiredEnvelope('acme', device.key, { desired: { old: true }, version, at: 0 })),
      );
    await database.admin.query(
      `insert into device_shadows (device_id, tenant_id, desired, desired_version, desired_at)
       select id, tenant_id, '{"led":true}', 3, '2026-01-01T00:00:00Z' from devices where id = $1`,
      [device.id],
    );
    await Promise.all([change(3), change(1), change(2)]);
    const client = await connectAsync(broker.url, { clientId: 'listening-to-state' });
    client.on('message', (_, payload) => said.push(payload.toString()));
    await client.subscribeAsync(topic, { qos: 1 });
    const newest = '{"desired":{"led":true},"version":3,"timestamp":"2026-01-01T00:00:00.000Z"}';
    await until('the newest', () => said.includes(newest));
    expect(said.every((text) => text === newest || text === '{"desired":{},"version":1}')).toBe(true);
    await database.admin.query("update devices set status = 'DECOMMISSIONED' where id = $1", [device.id]);
    await change(4);
    await until('the empty message', () => said.at(-1) === '');
    await client.unsubscribeAsync(topic);
    said.length = 0;
    await client.subscribeAsync(topic, { qos: 1 });
    await database.admin.query("update devices set status = 'ACTIVE' where id = $1", [device.id]);
    expect(said).toEqual([]);
    await client.endAsync();
  });

  it('say for how long they are good and what belongs to them, and do not go out once they have expired', async () => {
    await using bus = await openTestBus(nats);
    const topic = `tenant/acme/device/${device.key}/commands`;
    const heard: { text: string; properties: IPublishPacket['properties'] }[] = [];
    const client = await connectAsync(broker.url, { clientId: 'listening-five', protocolVersion: 5 });
    client.on('message', (_, payload, { properties }) =>
      heard.push({ text: payload.toString(), properties }),
    );
    await client.subscribeAsync(topic, { qos: 1 });
    const send = (text: string, expiresAt: number) => {
      const body = { tenant: 'acme', device: device.key, leaf: 'commands', qos: 1, retain: false, expiresAt };
      const said = { contentType: 'application/json', userProperties: [['a', 'b']] };
      const payload = Buffer.from(text).toString('base64');
      return bus.js.publish(
        downlinkSubject(shardOf('acme', 16)),
        JSON.stringify({ ...body, ...said, payload }),
      );
    };
    await send('late', Date.now() - 1);
    await send('in time', Date.now() + 60_000);
    await until('the message', () => heard.length > 0);
    expect(heard).toEqual([
      {
        text: 'in time',
        properties: expect.objectContaining({
          ...{ contentType: 'application/json', messageExpiryInterval: expect.any(Number) },
          userProperties: { a: 'b' },
        }),
      },
    ]);
    await client.endAsync();
  });
});
