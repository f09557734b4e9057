import { setTimeout as sleep } from 'node:timers/promises';
import { generate, type IConnectPacket, type IPublishPacket } from 'mqtt-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downlinkSubject } from '#core/bus/subjects.ts';
import { deleteExpiredMqttSessions } from '#core/db/mqtt-sessions.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { openTestNats } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { type SeededDevice, seedTenant } from '#tests/kit/seed.ts';
import { promptly, until } from '#tests/kit/wait.ts';
import { type GatewaySetup, openDevice, type RawClient, setUpGateway, topicOf } from './gateway-setup.ts';

const KEPT: Partial<IConnectPacket> = {
  ...{ protocolVersion: 5, clean: false },
  properties: { sessionExpiryInterval: 600 },
};
let gateway: GatewaySetup;
let other: TestProcesses;
/** The two of them. */
let here: string;
let there: string;

beforeAll(async () => {
  gateway = await setUpGateway();
  other = await startProcesses({
    ...{ database: gateway.database, natsUrl: gateway.nats.url, start: ['gateway'] },
  });
  here = gateway.url;
  there = `mqtt://127.0.0.1:${other.mqttPort}`;
});
afterAll(async () => {
  await other[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

async function sendDown(device: SeededDevice, ...texts: readonly string[]): Promise<void> {
  const message = { tenant: device.tenant, device: device.key, leaf: 'commands', qos: 1, retain: false };
  for (const text of texts) {
    const body = { ...message, payload: Buffer.from(text).toString('base64') };
    await gateway.bus.js.publish(downlinkSubject(shardOf(device.tenant, 16)), JSON.stringify(body));
  }
}

async function subscribe(client: RawClient, device: SeededDevice): Promise<void> {
  const subscriptions = [{ topic: topicOf(device, 'commands'), qos: 1 as const }];
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
  await client.packet('suback');
}

const heard = (client: RawClient): IPublishPacket[] =>
  client.received.flatMap((packet) => (packet.cmd === 'publish' ? [packet] : []));
const texts = (client: RawClient) => heard(client).map((packet) => String(packet.payload));
const goodbye = (client: RawClient) =>
  client.received.flatMap((packet) => (packet.cmd === 'disconnect' ? [packet.reasonCode] : []));

/** Acknowledges everything as it comes. */
function acknowledge(client: RawClient): void {
  let done = 0;
  client.socket.on('data', () => {
    for (const { messageId } of heard(client).slice(done)) {
      done += 1;
      if (messageId !== undefined) client.send({ cmd: 'puback', messageId });
    }
  });
}

/** Drops the connection and waits until the gateway has noticed. */
async function drop(client: RawClient, device: SeededDevice): Promise<void> {
  const before = gateway.said(device, 'disconnected').length;
  await client[Symbol.asyncDispose]();
  await until('its end', () => gateway.said(device, 'disconnected').length > before);
}

describe('with two gateways', () => {
  it('a device that connects to the second loses its connection to the first, without its will', async () => {
    const device = await gateway.acme.device('moves');
    const will = { topic: topicOf(device, 'status'), payload: '{"status":"offline"}' };
    await using first = await openDevice(here, device, { ...KEPT, will });
    await using second = await openDevice(there, device, KEPT);
    await promptly('the end', () => first.closed());
    expect(goodbye(first)).toEqual([0x8e]);
    await using third = await openDevice(here, device, KEPT);
    await promptly('the end', () => second.closed());
    expect(goodbye(second)).toEqual([0x8e]);
    expect(third.closed()).toBe(false);
    await until('both ends', () => gateway.said(device, 'disconnected').length === 2);
    const epochs = gateway.said(device, 'connected').map((text) => Number(JSON.parse(text).epoch));
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
    expect(gateway.said(device, 'status')).toEqual([]);
  });

  it('a message reaches the gateway that holds its device, and that one only', async () => {
    const [left, right] = await gateway.acme.devices(2, 'addressed');
    if (!left || !right) throw new Error('no devices');
    await using first = await openDevice(here, left);
    await using second = await openDevice(there, right);
    await subscribe(first, left);
    await subscribe(second, right);
    await sendDown(left, 'for the left');
    await sendDown(right, 'for the right');
    await until('both', () => texts(first).length > 0 && texts(second).length > 0);
    expect([texts(first), texts(second)]).toEqual([['for the left'], ['for the right']]);
  });

  it('a session goes on at the second: subscriptions, what was missed, what was not acknowledged', async () => {
    const device = await gateway.acme.device('goes-on');
    const first = await openDevice(here, device, KEPT);
    await subscribe(first, device);
    await sendDown(device, 'a', 'b');
    await until('both', () => heard(first).length === 2);
    const [a, b] = heard(first);
    first.send({ cmd: 'puback', messageId: a?.messageId ?? 0 });
    first.send({ cmd: 'pingreq' });
    await first.packet('pingresp');
    await drop(first, device);
    await sendDown(device, 'c', 'd');

    await using second = await openDevice(there, device, KEPT);
    expect(await second.packet('connack')).toMatchObject({ sessionPresent: true });
    acknowledge(second);
    await until('three messages', () => heard(second).length === 3);
    await sendDown(device, 'e');
    await until('a live one', () => heard(second).length === 4);
    expect(heard(second).map(({ payload, dup }) => [String(payload), dup])).toEqual([
      ['b', true],
      ['c', false],
      ['d', false],
      ['e', false],
    ]);
    expect(heard(second)[0]?.messageId).toBe(b?.messageId);

    await drop(second, device);
    await using third = await openDevice(here, device, KEPT);
    await sendDown(device, 'f');
    await until('the next', () => heard(third).length > 0);
    expect(texts(third)).toEqual(['f']);
  });

  it('a session that began anew at one is not found again at the other', async () => {
    const device = await gateway.acme.device('anew');
    const first = await openDevice(here, device, KEPT);
    await subscribe(first, device);
    await drop(first, device);
    await drop(await openDevice(there, device, { protocolVersion: 5 }), device);
    await using again = await openDevice(here, device, KEPT);
    expect(await again.packet('connack')).toMatchObject({ sessionPresent: false });
    await sendDown(device, 'x');
    await sleep(300);
    expect(texts(again)).toEqual([]);
  });

  it('QoS 2 stays exactly once: what one has answered, the other does not take again', async () => {
    const device = await gateway.acme.device('exactly-once');
    const bytes = (dup: boolean) =>
      generate(
        {
          ...{
            cmd: 'publish',
            topic: topicOf(device, 'telemetry'),
            qos: 2,
            messageId: 7,
            dup,
            retain: false,
          },
          payload: '{"n":1}',
        },
        { protocolVersion: 5 },
      );
    const first = await openDevice(here, device, KEPT);
    first.socket.write(bytes(false));
    await first.packet('pubrec');
    await drop(first, device);
    await using second = await openDevice(there, device, KEPT);
    second.socket.write(bytes(true));
    await second.packet('pubrec');
    second.send({ cmd: 'pubrel', messageId: 7 });
    expect(await second.packet('pubcomp')).toMatchObject({ reasonCode: 0 });
    await until('the connection', () => gateway.said(device, 'connected').length === 2);
    expect(gateway.said(device)).toEqual(['{"n":1}']);
  });

  it('a device that was away for many messages gets them all, in order', async () => {
    const device = await gateway.acme.device('many');
    const first = await openDevice(here, device, KEPT);
    await subscribe(first, device);
    await drop(first, device);
    const wanted = Array.from({ length: 700 }, (_, index) => `${index}`);
    await sendDown(device, ...wanted);
    await using second = await openDevice(there, device, KEPT);
    acknowledge(second);
    await until('every message', () => heard(second).length >= wanted.length);
    expect(texts(second)).toEqual(wanted);
  });
});

describe('a kept session', () => {
  it('is forgotten when its time is over, and not before', async () => {
    const [brief, long] = await gateway.acme.devices(2, 'forgotten');
    if (!brief || !long) throw new Error('no devices');
    await drop(await openDevice(here, brief, { ...KEPT, properties: { sessionExpiryInterval: 1 } }), brief);
    await drop(await openDevice(here, long, KEPT), long);
    const { admin } = gateway.database;
    const left = async () => {
      await deleteExpiredMqttSessions(admin);
      const { rows } = await admin.query<{ device_id: number }>(
        'select device_id from mqtt_sessions where device_id in ($1, $2)',
        [brief.id, long.id],
      );
      return rows.map((row) => row.device_id);
    };
    expect(await left()).toEqual(expect.arrayContaining([long.id]));
    await until('the end of the brief one', async () => (await left()).length === 1);
    expect(await left()).toEqual([long.id]);
  });
});

describe('when a gateway is killed', () => {
  it('its devices go on at the other, with their subscriptions and what they had not acknowledged', async () => {
    const device = await gateway.acme.device('survivor');
    await using first = await openDevice(there, device, KEPT);
    await subscribe(first, device);
    await sendDown(device, 'not acknowledged');
    await until('it', () => heard(first).length === 1);
    other.get('gateway').kill('SIGKILL');
    await until('the end', () => first.closed());
    await sendDown(device, 'meanwhile');
    await using second = await openDevice(here, device, KEPT);
    expect(await second.packet('connack')).toMatchObject({ sessionPresent: true });
    await until('both', () => heard(second).length === 2);
    expect(texts(second)).toEqual(['not acknowledged', 'meanwhile']);
  });
});

describe('the sessions of a gateway that is killed', () => {
  let database: TestDatabase;
  const opened = new AsyncDisposableStack();
  afterAll(() => opened.disposeAsync());

  it('are UNKNOWN once its lease has run out, and those of its neighbour ONLINE all the while', async () => {
    database = opened.use(await openTestDatabase());
    const nats = opened.use(await openTestNats());
    const neighbours = { database, natsUrl: nats.url };
    const platform = opened.use(
      await startProcesses({ ...neighbours, start: ['gateway', 'ingest', 'evaluator'] }),
    );
    const doomed = opened.use(await startProcesses({ ...neighbours, start: ['gateway'] }));
    const acme = await seedTenant(database.admin, 'acme');
    const [stays, lost] = await acme.devices(2);
    if (!stays || !lost) throw new Error('no devices');
    opened.use(await openDevice(`mqtt://127.0.0.1:${platform.mqttPort}`, stays));
    opened.use(await openDevice(`mqtt://127.0.0.1:${doomed.mqttPort}`, lost));
    const presence = async () => {
      const { rows } = await database.admin.query<{ connection: string }>(
        'select connection from device_presence order by device_id',
      );
      return rows.map((row) => row.connection).join();
    };
    await until('both to be online', async () => (await presence()) === 'ONLINE,ONLINE');
    doomed.get('gateway').kill('SIGKILL');
    const { rows } = await database.admin.query<{ ends: Date }>(
      'select lease_expires_at as ends from gateways join device_sessions on gateway_id = id where device_id = $1',
      [lost.id],
    );
    await until('the loss to show', async () => (await presence()) === 'ONLINE,UNKNOWN');
    expect(Date.now()).toBeGreaterThanOrEqual(rows[0]?.ends.getTime() ?? Number.NaN);
  });
});
