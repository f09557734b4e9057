import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { generate, type Packet } from 'mqtt-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SeededDevice } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';
import {
  connectPacket,
  type GatewaySetup,
  openDevice,
  openRaw,
  type RawClient,
  setUpGateway,
  topicOf,
} from './gateway-setup.ts';

const FIVE = { protocolVersion: 5 } as const;
let gateway: GatewaySetup;
let victim: SeededDevice;

beforeAll(async () => {
  gateway = await setUpGateway({
    ...{ LIMIT_DEVICE_CONNECTS_PER_SECOND: '10000', LIMIT_ADDRESS_CONNECTS_PER_SECOND: '10000' },
  });
  victim = await gateway.acme.device('victim');
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

const word = (value: number) => Buffer.from([(value >> 8) & 0xff, value & 0xff]);
const text = (value: string | Buffer) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([word(bytes.length), bytes]);
};
const packetOf = (header: number, body: Buffer) =>
  Buffer.concat([Buffer.from([header, (body.length & 0x7f) | 0x80, body.length >> 7]), body]);

/** Properties as a fuzzer likes them: right ones, repeated ones, unknown ones, cut-off ones, texts that are none. */
const wrongText = fc.constantFrom(
  Buffer.from([0xc3, 0x28]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from('a\0b'),
);
const anyText = fc.oneof(
  fc.string({ maxLength: 8 }).map((value) => Buffer.from(value)),
  wrongText,
);
const property = fc.oneof(
  fc.tuple(fc.constantFrom(0x01, 0x17, 0x19, 0x24), fc.nat(255)).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(fc.constantFrom(0x13, 0x21, 0x22, 0x23), fc.nat(65_535))
    .map(([id, value]) => Buffer.concat([Buffer.from([id]), word(value)])),
  fc
    .tuple(fc.constantFrom(0x02, 0x11, 0x18, 0x27), fc.uint8Array({ minLength: 4, maxLength: 4 }))
    .map(([id, value]) => Buffer.concat([Buffer.from([id]), value])),
  fc
    .tuple(fc.constantFrom(0x03, 0x08, 0x09, 0x15, 0x16, 0x1f), anyText)
    .map(([id, value]) => Buffer.concat([Buffer.from([id]), text(value)])),
  fc
    .tuple(anyText, anyText)
    .map(([name, value]) => Buffer.concat([Buffer.from([0x26]), text(name), text(value)])),
  fc.uint8Array({ minLength: 1, maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
);
const properties = fc
  .tuple(
    fc.array(property, { maxLength: 4 }),
    fc.oneof(
      { weight: 5, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: -3, max: 3 }) },
    ),
    fc.boolean(),
  )
  .map(([list, wrongBy, long]) => {
    const bytes = Buffer.concat(list);
    const length = Math.max(0, bytes.length + wrongBy);
    return Buffer.concat([
      Buffer.from(long ? [(length & 0x7f) | 0x80, length >> 7] : [length & 0x7f]),
      bytes,
    ]);
  });

const connectWith = (bytes: Buffer) =>
  packetOf(
    0x10,
    Buffer.concat([
      ...[text('MQTT'), Buffer.from([5, 0xc2]), word(60), bytes],
      ...[text(victim.key), text(victim.username), text(victim.password)],
    ]),
  );

const publishWith = (bytes: Buffer, qos: number, topic: Buffer) =>
  packetOf(
    0x30 | (qos << 1),
    Buffer.concat([text(topic), qos > 0 ? word(9) : Buffer.alloc(0), bytes, Buffer.from('{"a":1}')]),
  );

/** The first packet after so many, or undefined when the connection has been closed without one. */
const answer = (client: RawClient, after: number) =>
  until('an answer or the end', () => client.received[after] ?? (client.closed() ? 'closed' : undefined));

const reasonOf = (packet: Packet | 'closed'): number | 'closed' =>
  packet === 'closed' ? 'closed' : 'reasonCode' in packet ? (packet.reasonCode ?? 0) : 0;

describe('a neighbour that sends what it likes', () => {
  it('is answered with a reason, and nobody else notices', async () => {
    const device = await gateway.acme.device('neighbour');
    const pid = gateway.processes.get('gateway').pid;
    await using neighbour = await openDevice(gateway.url, device, FIVE);
    let published = 0;
    const working = setInterval(() => {
      published += 1;
      const said = {
        topic: topicOf(device, 'telemetry'),
        messageId: published,
        dup: false,
        retain: false,
      };
      neighbour.send({ cmd: 'publish', qos: 1, ...said, payload: `{"n":${published}}` });
    }, 10);

    await fc.assert(
      fc.asyncProperty(properties, async (bytes) => {
        await using client = await openRaw(gateway.url, 5);
        client.socket.write(connectWith(bytes));
        expect([0, 0x81, 0x82, 0x8c]).toContain(reasonOf(await answer(client, 0)));
      }),
      { numRuns: 120 },
    );
    const topic = fc.oneof(
      fc.constant(Buffer.from(topicOf(victim, 'telemetry'))),
      fc.constant(Buffer.alloc(0)),
      anyText,
    );
    await fc.assert(
      fc.asyncProperty(properties, fc.nat(3), topic, async (bytes, qos, name) => {
        await using client = await openDevice(gateway.url, victim, FIVE);
        client.socket.write(publishWith(bytes, qos, name));
        client.socket.write(Buffer.from([0xc0, 0]));
        const first = await answer(client, 1);
        expect([0, 0x81, 0x82, 0x87, 0x90, 0x94, 0x97, 0x99]).toContain(reasonOf(first));
        if (reasonOf(first) === 0x81 || reasonOf(first) === 0x82 || reasonOf(first) === 0x94)
          await until('the end', () => client.closed());
      }),
      { numRuns: 200 },
    );
    const kinds = fc.constantFrom(0x40, 0x50, 0x62, 0x70, 0x82, 0xa2, 0xe0, 0xf0, 0x20, 0x90, 0xb0, 0xd0);
    await fc.assert(
      fc.asyncProperty(kinds, properties, fc.boolean(), async (header, bytes, tail) => {
        await using client = await openDevice(gateway.url, victim, FIVE);
        const body = [word(7), bytes, ...(tail ? [text(topicOf(victim, '#')), Buffer.from([1])] : [])];
        client.socket.write(packetOf(header, Buffer.concat(body)));
        client.socket.write(Buffer.from([0xc0, 0]));
        await answer(client, 1);
      }),
      { numRuns: 120 },
    );

    clearInterval(working);
    const acknowledged = () => neighbour.received.filter(({ cmd }) => cmd === 'puback').length;
    await until('every PUBACK', () => acknowledged() === published);
    expect(published).toBeGreaterThan(50);
    expect(gateway.processes.get('gateway').pid).toBe(pid);
  });

  it('one byte at a time is understood all the same', async () => {
    const device = await gateway.acme.device('bytewise');
    await using client = await openRaw(gateway.url, 5);
    const topic = topicOf(device, 'telemetry');
    const said = { topic, payload: '{"a":1}', dup: false, retain: false } as const;
    const bytes = Buffer.concat([
      generate(connectPacket(device, { ...FIVE, properties: { userProperties: { a: 'b' } } }), FIVE),
      generate(
        {
          ...{ cmd: 'subscribe', messageId: 1, properties: { subscriptionIdentifier: 9 } },
          subscriptions: [{ topic: topicOf(device, '#'), qos: 1 }],
        },
        FIVE,
      ),
      generate(
        { cmd: 'publish', ...said, qos: 1, messageId: 2, properties: { userProperties: { c: 'd' } } },
        FIVE,
      ),
      generate({ cmd: 'publish', ...said, qos: 2, messageId: 3 }, FIVE),
    ]);
    for (const byte of bytes) {
      client.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.packet('pubrec');
    client.send({ cmd: 'pubrel', messageId: 3 });
    await client.packet('pubcomp');
    await until('both messages', () => gateway.said(device).length === 2);
    expect(client.received.map(({ cmd }) => cmd).toSorted()).toEqual([
      ...['connack', 'puback', 'pubcomp', 'pubrec', 'suback'],
    ]);
  });

  it('that freezes is given up after its keep-alive, and does not stand in the way of its own return', async () => {
    const device = await gateway.acme.device('frozen');
    const { hostname, port } = new URL(gateway.url);
    const login = [
      '-h',
      hostname,
      '-p',
      port,
      '-u',
      device.username,
      '-P',
      device.password,
      '-i',
      device.key,
    ];
    const will = ['--will-topic', topicOf(device, 'status'), '--will-payload', '{"status":"offline"}'];
    const freeze = async () => {
      const before = gateway.said(device, 'connected').length;
      const args = [...login, '-V', '5', '-k', '5', '-t', topicOf(device, 'commands'), ...will];
      const child = spawn('mosquitto_sub', args);
      await until('it to connect', () => gateway.said(device, 'connected').length > before);
      child.kill('SIGSTOP');
      return child;
    };
    const end = async (child: Awaited<ReturnType<typeof freeze>>) => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    };
    const first = await freeze();
    const frozenAfter = Date.now();
    const second = await freeze();
    await until('the end of the first', () => gateway.said(device, 'disconnected').length > 0);
    expect(gateway.said(device, 'disconnected').map((text) => JSON.parse(text).reason)).toEqual([
      'taken_over',
    ]);
    await until('it to be given up', () => gateway.said(device, 'disconnected').length === 2);
    expect(Date.now() - frozenAfter).toBeGreaterThan(5_000);
    expect(JSON.parse(gateway.said(device, 'disconnected')[1] ?? '').reason).toBe('keep_alive_expired');
    expect(gateway.said(device, 'status')).toEqual(['{"status":"offline"}']);
    await Promise.all([end(first), end(second)]);
    await sleep(100);
    expect(gateway.said(device, 'disconnected')).toHaveLength(2);
  });
});
