import { once } from 'node:events';
import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SeededDevice } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';
import {
  connectPacket,
  type GatewaySetup,
  openDevice,
  openRaw,
  setUpGateway,
  topicOf,
} from './gateway-setup.ts';

/** How long somebody may take to say who he is. */
const HANDSHAKE_MS = 5_000;

let gateway: GatewaySetup;
let bystander: SeededDevice;

beforeAll(async () => {
  gateway = await setUpGateway({
    MQTT_HANDSHAKE_TIMEOUT_MS: String(HANDSHAKE_MS),
    MQTT_MAX_CONNECTIONS: '300',
    MQTT_MAX_INFLIGHT: '64',
  });
  bystander = await gateway.acme.device('bystander');
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

const publish = (device: SeededDevice, messageId: number, payload: string | Buffer, dup = false) =>
  generate({
    cmd: 'publish',
    topic: topicOf(device, 'telemetry'),
    qos: 1,
    messageId,
    payload,
    dup,
    retain: false,
  });

/** Whatever happened before: the gateway still serves. */
async function expectAlive(): Promise<void> {
  await using client = await openDevice(gateway.url, bystander);
  client.socket.write(publish(bystander, 1, '{"alive":1}'));
  await client.packet('puback');
}

describe('acknowledgements', () => {
  it('leave in the order of the publishes, whatever pieces the bytes come in', async () => {
    const device = await gateway.acme.device('order');
    await using client = await openDevice(gateway.url, device);
    const ids = Array.from({ length: 500 }, (_, index) => ((index * 7919) % 65_535) + 1);
    const bytes = Buffer.concat(ids.map((id, index) => publish(device, id, `{"n":${index}}`)));
    for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 3 + 1) % 257 || 1) {
      client.socket.write(bytes.subarray(at, at + size));
      if (size % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until('every PUBACK', () => client.received.length === ids.length + 1);
    expect(client.received.slice(1).map((packet) => packet.messageId)).toEqual(ids);
    await until('every message', () => gateway.said(device).length === ids.length);
    expect(gateway.said(device)).toEqual(ids.map((_, index) => `{"n":${index}}`));
  });

  it('are given again to a message that is marked as a duplicate', async () => {
    const device = await gateway.acme.device('duplicate');
    await using client = await openDevice(gateway.url, device);
    client.socket.write(publish(device, 9, '{"seq":1}'));
    await client.packet('puback');
    client.socket.write(publish(device, 9, '{"seq":1}', true));
    await until('both PUBACKs', () => client.received.length === 3);
    await until('both messages', () => gateway.said(device).length === 2);
    expect(
      gateway.items
        .filter((item) => item.device === 'duplicate' && item.kind === 'telemetry')
        .map((item) => item.dup),
    ).toEqual([false, true]);
  });
});

describe('a payload', () => {
  it('of 16 384 bytes is taken, one byte more is refused', async () => {
    const device = await gateway.acme.device('size');
    await using fits = await openDevice(gateway.url, device);
    fits.socket.write(publish(device, 1, Buffer.alloc(16_384, 0x20)));
    await fits.packet('puback');
    fits.socket.write(publish(device, 2, Buffer.alloc(16_385, 0x20)));
    await until('the refusal', () => fits.closed());
    await gateway.arrived(device, ({ kind }) => kind === 'disconnected');
    expect(gateway.said(device)).toHaveLength(1);
    await expectAlive();
  });

  it('of a megabyte is refused before it has been sent', async () => {
    const device = await gateway.acme.device('megabyte');
    await using client = await openDevice(gateway.url, device);
    const packet = publish(device, 1, Buffer.alloc(1024 * 1024, 0x20));
    client.socket.write(packet.subarray(0, 100));
    await until('the refusal', () => client.closed());
    expect(gateway.said(device)).toEqual([]);
    await expectAlive();
  });

  it('travels untouched, but for a provision token', async () => {
    const device = await gateway.acme.device('untouched');
    await using client = await openDevice(gateway.url, device);
    const strange = Buffer.from([0, 0xff, 0x7b, 0x22, 0xc3, 0x28]);
    client.socket.write(publish(device, 1, strange));
    client.socket.write(
      publish(
        device,
        2,
        '{"metrics":{"a":1.50},"provision_token":"s3cret","b":[{"provision_token":"s3cret"}]}',
      ),
    );
    client.socket.write(publish(device, 3, '{"provision_token":"s3cret" broken'));
    await until('three messages', () => gateway.said(device).length === 3);
    const [first, second, third] = gateway.items.filter(
      (item) => item.device === 'untouched' && item.kind === 'telemetry',
    );
    expect(Buffer.from(first?.payload ?? '')).toEqual(strange);
    expect(String(second?.payload)).not.toContain('s3cret');
    expect(JSON.parse(Buffer.from(second?.payload ?? '').toString())).toEqual({
      metrics: { a: 1.5 },
      b: [{}],
    });
    expect(Buffer.from(third?.payload ?? '').toString()).toMatch(/^\{\*+$/);
  });
});

describe('a client that breaks the rules is cut off', () => {
  it.each([
    ['both QoS bits', () => Buffer.from([0x36, 5, 0, 1, 0x61, 0, 1])],
    [
      'packet id 0',
      (device: SeededDevice) =>
        publish(device, 1, '').map((byte, index, all) => (index >= all.length - 2 ? 0 : byte)),
    ],
    ['a topic longer than its packet', () => Buffer.from([0x32, 4, 0xff, 0xff, 0x61, 0x62])],
    ['an empty PUBLISH', () => Buffer.from([0x30, 0])],
    ['a length of five bytes', () => Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01])],
    ['a second CONNECT', (device: SeededDevice) => generate(connectPacket(device))],
    ['a CONNACK', () => Buffer.from([0x20, 2, 0, 0])],
    ['a SUBSCRIBE with wrong flags', () => Buffer.from([0x80, 6, 0, 1, 0, 1, 0x61, 0])],
    ['a SUBSCRIBE without filters', () => Buffer.from([0x82, 2, 0, 1])],
    ['AUTH', () => Buffer.from([0xf0, 0])],
  ])('%s', async (_, bytes) => {
    const device = await gateway.acme.device(`rude-${Math.random().toString(36).slice(2)}`);
    await using client = await openDevice(gateway.url, device);
    client.socket.write(bytes(device));
    await until('the end', () => client.closed());
    expect(gateway.said(device)).toEqual([]);
  });

  it('anything before CONNECT, or nothing at all', async () => {
    await using silent = await openRaw(gateway.url);
    await using slow = await openRaw(gateway.url);
    slow.socket.write(generate(connectPacket(bystander)).subarray(0, 20));
    await using early = await openRaw(gateway.url);
    early.socket.write(Buffer.from([0xc0, 0]));
    await using http = await openRaw(gateway.url);
    http.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('the ends of those who speak', () => early.closed() && http.closed());
    expect([silent.closed(), slow.closed()]).toEqual([false, false]);
    await until('both ends', () => silent.closed() && slow.closed());
    await expectAlive();
  });

  it('a will for somebody else, a client id with NUL, a kept session without a name', async () => {
    const device = await gateway.acme.device('strange-connects');
    const answers = [
      [connectPacket(device, { will: { topic: 'tenant/acme/device/other/status', payload: 'x' } }), 5],
      [connectPacket(device, { will: { topic: topicOf(device, 'commands'), payload: 'x' } }), 5],
      [connectPacket(device, { clientId: 'a\0b' }), 2],
      [connectPacket(device, { clientId: 'x'.repeat(300) }), 2],
    ] as const;
    for (const [packet, returnCode] of answers) {
      await using client = await openRaw(gateway.url);
      client.send(packet);
      expect(await client.packet('connack')).toMatchObject({ returnCode });
      await until('the end', () => client.closed(), HANDSHAKE_MS - 1_000);
    }
    await using nameless = await openRaw(gateway.url);
    const bytes = generate(connectPacket(device, { clientId: '' }));
    bytes[9] = (bytes[9] ?? 0) & ~2;
    nameless.socket.write(bytes);
    expect(await nameless.packet('connack')).toMatchObject({ returnCode: 2 });
  });

  it('a device that falls silent for one and a half times its keep-alive', async () => {
    const device = await gateway.acme.device('silent');
    await using client = await openDevice(gateway.url, device, { keepalive: 2 });
    const pinging = setInterval(() => client.send({ cmd: 'pingreq' }), 200);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    clearInterval(pinging);
    expect(client.closed()).toBe(false);
    const silentSince = Date.now();
    await until('the end', () => client.closed());
    expect(Date.now() - silentSince).toBeGreaterThan(1_000);
    const gone = await gateway.arrived(device, (item) => item.kind === 'disconnected');
    expect(JSON.parse(Buffer.from(gone.payload).toString()).reason).toBe('keep_alive_expired');
  });
});

describe('any bytes at all', () => {
  const corrupted = (device: SeededDevice) => {
    const valid = [
      generate(connectPacket(device)),
      publish(device, 1, '{"a":1}'),
      generate({ cmd: 'subscribe', messageId: 2, subscriptions: [{ topic: topicOf(device, '#'), qos: 1 }] }),
      generate({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['a/b'] }),
      Buffer.from([0x40, 2, 0, 1]),
      Buffer.from([0xc0, 0]),
      Buffer.from([0xe0, 0]),
    ];
    const change = fc.record({ at: fc.nat(300), byte: fc.nat(255) });
    return fc
      .tuple(
        fc.array(fc.constantFrom(...valid), { minLength: 1, maxLength: 5 }),
        fc.array(change, { maxLength: 4 }),
      )
      .map(([packets, changes]) => {
        const bytes = Buffer.concat(packets);
        for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
        return bytes;
      });
  };

  it('never end the gateway, before or after CONNECT', async () => {
    const device = await gateway.acme.device('fuzz');
    const pid = gateway.processes.get('gateway').pid;
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
      corrupted(device),
    );
    await fc.assert(
      fc.asyncProperty(anything, fc.boolean(), async (bytes, connected) => {
        await using client = await openRaw(gateway.url);
        if (connected) client.send(connectPacket(device));
        client.socket.end(bytes);
        if (!client.closed())
          await Promise.race([
            once(client.socket, 'close'),
            new Promise((resolve) => setTimeout(resolve, 1_500)),
          ]);
      }),
      { numRuns: 400 },
    );
    expect(gateway.processes.get('gateway').pid).toBe(pid);
    await expectAlive();
  });
});

describe('limits', () => {
  it('stop reading a connection whose window is full, and go on when it is not', async () => {
    const device = await gateway.acme.device('window');
    await using client = await openDevice(gateway.url, device);
    const count = 5_000;
    client.socket.write(
      Buffer.concat(
        Array.from({ length: count }, (_, index) => publish(device, index + 1, `{"n":${index}}`)),
      ),
    );
    await until('every PUBACK', () => client.received.length === count + 1);
    expect(client.received.slice(1).map((packet) => packet.messageId)).toEqual(
      Array.from({ length: count }, (_, index) => index + 1),
    );
  });

  it('close the connection that is one too many', async () => {
    const clients = await Promise.all(Array.from({ length: 300 }, () => openRaw(gateway.url)));
    await using extra = await openRaw(gateway.url);
    await until('the refusal', () => extra.closed());
    expect(await gateway.metric('connects_total{outcome="connection_limit"}')).toBeGreaterThan(0);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    await until('room', async () => (await gateway.metric('connections')) < 300);
    await expectAlive();
  });
});
