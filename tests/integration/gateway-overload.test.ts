import { setTimeout as sleep } from 'node:timers/promises';
import { generate } from 'mqtt-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SeededDevice, seedTenant } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';
import { type GatewaySetup, openDevice, type RawClient, setUpGateway, topicOf } from './gateway-setup.ts';

let gateway: GatewaySetup;

beforeAll(async () => {
  gateway = await setUpGateway({ MQTT_HIGH_WATER_BYTES: '65536', MQTT_STORE_TIMEOUT_MS: '10000' });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

const publish = (device: SeededDevice, messageId: number, bytes = 10) =>
  generate({
    ...{ cmd: 'publish', topic: topicOf(device, 'telemetry'), qos: 1, messageId, dup: false, retain: false },
    payload: `${messageId}`.padStart(bytes),
  });

const acknowledged = (client: RawClient) =>
  client.received.flatMap((packet) => (packet.cmd === 'puback' ? [packet.messageId] : []));

describe('above the high-water mark', () => {
  it('sockets are not read and need not keep alive, and everything is acknowledged once the bus answers', async () => {
    const [busy, quiet] = await gateway.acme.devices(2, 'high-water');
    if (!busy || !quiet) throw new Error('no devices');
    await using sender = await openDevice(gateway.url, busy, { keepalive: 2 });
    await using bystander = await openDevice(gateway.url, quiet, { keepalive: 2 });
    gateway.nats.process.kill('SIGSTOP');
    try {
      for (let id = 1; id <= 400; id++) sender.socket.write(publish(busy, id, 1_000));
      await until('the brake', async () => (await gateway.metric('paused_connections')) >= 2);
      expect(await gateway.metric('pending_bytes')).toBeLessThan(400_000);
      await sleep(4_000);
      expect([sender.closed(), bystander.closed(), acknowledged(sender)]).toEqual([false, false, []]);
    } finally {
      gateway.nats.process.kill('SIGCONT');
    }
    await until('every PUBACK', () => acknowledged(sender).length === 400);
    expect(acknowledged(sender)).toEqual(Array.from({ length: 400 }, (_, index) => index + 1));
    await until('everybody to be read', async () => (await gateway.metric('paused_connections')) === 0);
  });
});

describe('a tenant that has its share of the way to the bus', () => {
  it('is not read, while others are', async () => {
    const [busy, idle] = await gateway.acme.devices(2, 'share');
    const rival = await seedTenant(gateway.database.admin, 'rival');
    const other = await rival.device('other');
    if (!busy || !idle) throw new Error('no devices');
    await using sender = await openDevice(gateway.url, busy, { keepalive: 2 });
    await using sibling = await openDevice(gateway.url, idle, { keepalive: 2 });
    await using stranger = await openDevice(gateway.url, other);
    gateway.nats.process.kill('SIGSTOP');
    try {
      for (let id = 1; id <= 100; id++) sender.socket.write(publish(busy, id, 1_000));
      await until('the brake', async () => (await gateway.metric('paused_connections')) === 2);
      const pending = await gateway.metric('pending_bytes');
      expect(pending).toBeLessThan(20_000);
      stranger.socket.write(publish(other, 1, 10_000));
      await until(
        'the message of another',
        async () => (await gateway.metric('pending_bytes')) > pending + 10_000,
      );
      expect(await gateway.metric('paused_connections')).toBe(2);
      await sleep(4_000);
      expect([sender.closed(), sibling.closed()]).toEqual([false, false]);
    } finally {
      gateway.nats.process.kill('SIGCONT');
    }
    await until(
      'every PUBACK',
      () => acknowledged(sender).length === 100 && acknowledged(stranger).length === 1,
    );
    await until('everybody to be read', async () => (await gateway.metric('paused_connections')) === 0);
  });
});

describe('when JetStream refuses', () => {
  it('nothing is acknowledged; after a while the connection is closed, and the device sends again', async () => {
    const device = await gateway.acme.device('refused');
    const { config } = await gateway.bus.jsm.streams.info('TELEMETRY');
    await gateway.bus.jsm.streams.update('TELEMETRY', { ...config, max_bytes: 100 });
    await using client = await openDevice(gateway.url, device);
    client.socket.write(publish(device, 1, 500));
    await sleep(1_500);
    expect([client.closed(), acknowledged(client)]).toEqual([false, []]);
    await until('the end', () => client.closed());
    expect(acknowledged(client)).toEqual([]);

    await gateway.bus.jsm.streams.update('TELEMETRY', config);
    await using again = await openDevice(gateway.url, device);
    again.socket.write(publish(device, 1, 500));
    await until('the PUBACK', () => acknowledged(again).length === 1);
    await gateway.arrived(device, (item) => item.kind === 'telemetry');
  });

  it.each([
    ['COMMANDS', 'commands/ack'],
    ['SHADOW', 'shadow/reported'],
  ])('what %s is full of waits, and what other devices send is acknowledged', async (stream, leaf) => {
    const [refused, bystander] = await gateway.acme.devices(2, stream.toLowerCase());
    if (!refused || !bystander) throw new Error('no devices');
    const { config } = await gateway.bus.jsm.streams.info(stream);
    await gateway.bus.jsm.streams.update(stream, { ...config, max_bytes: 100 });
    await using client = await openDevice(gateway.url, refused);
    const packet = { cmd: 'publish', qos: 1, dup: false, retain: false, payload: '{}'.padEnd(500) } as const;
    client.send({ ...packet, topic: topicOf(refused, leaf), messageId: 1 });
    client.send({ ...packet, topic: topicOf(refused, 'telemetry'), messageId: 2 });
    await using other = await openDevice(gateway.url, bystander);
    other.socket.write(publish(bystander, 1));
    await until('the PUBACK of the other', () => acknowledged(other).length === 1);
    await gateway.arrived(refused, (item) => item.kind === 'telemetry');
    // Acknowledgements keep the order of the messages: the second waits for the first.
    expect(acknowledged(client)).toEqual([]);
    await gateway.bus.jsm.streams.update(stream, config);
    await until('both PUBACKs', () => acknowledged(client).length === 2);
    expect(acknowledged(client)).toEqual([1, 2]);
    await gateway.arrived(refused, (item) => item.kind !== 'telemetry');
  });
});
