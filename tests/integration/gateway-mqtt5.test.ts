import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { generate, type IConnectPacket, type IPublishPacket } from 'mqtt-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readUserProperties } from '#core/bus/user-properties.ts';
import type { SeededDevice } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';
import {
  connectPacket,
  type GatewaySetup,
  goodbye,
  openDevice,
  openRaw,
  setUpGateway,
  topicOf,
} from './gateway-setup.ts';

const run = promisify(execFile);
const FIVE = { protocolVersion: 5 } as const;
let gateway: GatewaySetup;

beforeAll(async () => {
  gateway = await setUpGateway({ MQTT_MAX_INFLIGHT: '8', MQTT_MAX_SESSION_SECONDS: '3600' });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

async function connectAs(
  device: SeededDevice,
  options: IClientOptions = {},
): Promise<MqttClient & AsyncDisposable> {
  const login = { username: device.username, password: device.password, clientId: device.key };
  const client = await mqtt.connectAsync(
    gateway.url,
    { ...login, ...FIVE, reconnectPeriod: 0, ...options },
    false,
  );
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.endAsync(true) });
}

const publish = (device: SeededDevice, messageId: number, over: Partial<IPublishPacket> = {}) =>
  generate(
    {
      ...{
        cmd: 'publish',
        topic: topicOf(device, 'telemetry'),
        qos: 1,
        messageId,
        dup: false,
        retain: false,
      },
      payload: `{"n":${messageId}}`,
      ...over,
    },
    FIVE,
  );

async function connack(device: SeededDevice, over: Partial<IConnectPacket>) {
  await using client = await openRaw(gateway.url, 5);
  client.send(connectPacket(device, { ...FIVE, ...over }));
  return await client.packet('connack');
}

describe('CONNECT', () => {
  it('is answered with what the gateway grants, and with a name where there was none', async () => {
    const device = await gateway.acme.device('granted');
    const granted = await connack(device, { clientId: '', keepalive: 0, properties: {} });
    expect(granted).toMatchObject({
      reasonCode: 0,
      sessionPresent: false,
      properties: {
        ...{ receiveMaximum: 8, maximumPacketSize: 16_384 + 2_048, topicAliasMaximum: 16 },
        ...{ retainAvailable: true, wildcardSubscriptionAvailable: true, sharedSubscriptionAvailable: false },
        ...{ serverKeepAlive: 1_200, assignedClientIdentifier: expect.stringMatching(/^auto-/) },
      },
    });
    expect(granted.properties).not.toHaveProperty('maximumQoS');
    const asked = await connack(device, { properties: { sessionExpiryInterval: 4_294_967_295 } });
    expect(asked.properties).toMatchObject({ sessionExpiryInterval: 3_600 });
    expect(asked.properties).not.toHaveProperty('serverKeepAlive');
    expect(asked.properties).not.toHaveProperty('assignedClientIdentifier');
  });

  it('is refused with the reason', async () => {
    const device = await gateway.acme.device('refused');
    const will = { topic: topicOf(device, 'status'), payload: '{"status":"offline"}' };
    const refusals: [number, Partial<IConnectPacket>][] = [
      [0x86, { password: Buffer.from('wrong') }],
      [0x86, { username: 'acme/nobody' }],
      [0x85, { clientId: 'x'.repeat(300) }],
      [0x8c, { properties: { authenticationMethod: 'SCRAM-SHA-1' } }],
      [0x82, { properties: { authenticationData: Buffer.from('x') } }],
      [0x87, { will: { ...will, topic: topicOf(device, 'commands') } }],
      [0x99, { will: { ...will, properties: { contentType: 'image/png' } } }],
    ];
    for (const [reasonCode, over] of refusals) {
      const answer = await connack(device, over);
      expect(answer).toMatchObject({
        reasonCode,
        properties: { reasonString: expect.stringMatching(/\w+ \w+/) },
      });
    }
    const inactive = await gateway.acme.device('inactive');
    await gateway.database.admin.query(`update devices set status = 'DISABLED' where id = $1`, [inactive.id]);
    expect(await connack(inactive, {})).toMatchObject({ reasonCode: 0x87 });
  });

  it('of another version is told so', async () => {
    const device = await gateway.acme.device('future');
    await using client = await openRaw(gateway.url);
    const bytes = generate(connectPacket(device));
    bytes[8] = 6;
    client.socket.write(bytes);
    expect(await client.packet('connack')).toMatchObject({ returnCode: 1 });
  });
});

describe('a PUBLISH', () => {
  it('that is refused is told why, between the others, and the connection stays', async () => {
    const device = await gateway.acme.device('why');
    await using client = await openDevice(gateway.url, device, FIVE);
    client.socket.write(
      Buffer.concat([
        publish(device, 1),
        publish(device, 2, { topic: topicOf(device, 'commands') }),
        publish(device, 3, { payload: Buffer.alloc(16_385, 0x20) }),
        publish(device, 4, { qos: 2, topic: 'tenant/acme/device/other/telemetry' }),
        publish(device, 5, {
          payload: Buffer.from([0xc3, 0x28]),
          properties: { payloadFormatIndicator: true },
        }),
        publish(device, 6),
      ]),
    );
    await until('every answer', () => client.received.length === 7);
    expect(
      client.received
        .slice(1)
        .map((packet) => [packet.cmd, packet.messageId, 'reasonCode' in packet ? packet.reasonCode : 0]),
    ).toEqual([
      ['puback', 1, 0],
      ['puback', 2, 0x87],
      ['puback', 3, 0x97],
      ['pubrec', 4, 0x87],
      ['puback', 5, 0x99],
      ['puback', 6, 0],
    ]);
    expect(client.received[2]).toMatchObject({ properties: { reasonString: expect.any(String) } });
    await until('both messages', () => gateway.said(device).length === 2);
    expect(gateway.said(device)).toEqual(['{"n":1}', '{"n":6}']);
  });

  it('is told no more than it wants to hear', async () => {
    const device = await gateway.acme.device('terse');
    const properties = { requestProblemInformation: false };
    await using client = await openDevice(gateway.url, device, { ...FIVE, properties });
    client.socket.write(publish(device, 1, { topic: 'x' }));
    const answer = await client.packet('puback');
    expect(answer.reasonCode).toBe(0x87);
    expect(answer).not.toHaveProperty('properties');
  });

  it('carries user properties into the frame, and its topic by alias', async () => {
    const device = await gateway.acme.device('properties');
    await using client = await connectAs(device);
    const userProperties = { trace: ['1', '2'], provision_token: 's3cret' };
    await client.publishAsync(topicOf(device, 'telemetry'), '{"a":1}', {
      qos: 1,
      properties: { topicAlias: 3, userProperties, contentType: 'application/json' },
    });
    await client.publishAsync('', '{"a":2}', { qos: 1, properties: { topicAlias: 3 } });
    await client.publishAsync('', '{"a":3}', { qos: 2, properties: { topicAlias: 3 } });
    await until('three messages', () => gateway.said(device).length === 3);
    expect(gateway.said(device)).toEqual(['{"a":1}', '{"a":2}', '{"a":3}']);
    const sent = gateway.items.filter((item) => item.device === device.key && item.kind === 'telemetry');
    expect(sent.map((item) => item.userProperties && readUserProperties(item.userProperties))).toEqual([
      [
        ['trace', '1'],
        ['trace', '2'],
      ],
      undefined,
      undefined,
    ]);
  });

  it.each<[string, number, Partial<IPublishPacket>]>([
    ['an unknown alias', 0x82, { topic: '', properties: { topicAlias: 9 } }],
    ['an alias above the maximum', 0x94, { properties: { topicAlias: 17 } }],
    ['neither topic nor alias', 0x82, { topic: '' }],
    ['a response topic with a wildcard', 0x82, { properties: { responseTopic: 'a/+' } }],
    ['a subscription identifier', 0x81, { properties: { subscriptionIdentifier: 4 } }],
    ['a topic that is not UTF-8', 0x81, { topic: Buffer.from([0x61, 0xff]).toString('latin1') }],
  ])('with %s ends the connection with %i', async (_, reason, over) => {
    const device = await gateway.acme.device(`fatal-${reason}-${Math.random().toString(36).slice(2)}`);
    await using client = await openDevice(gateway.url, device, FIVE);
    const bytes = publish(device, 1, over);
    if (over.topic === 'a\xff') bytes.set([0x61, 0xff, 0x61], 4);
    client.socket.write(bytes);
    expect(await goodbye(client)).toBe(reason);
    expect(gateway.said(device)).toEqual([]);
  });

  it('beyond the receive maximum, or longer than any packet may be, ends the connection', async () => {
    const device = await gateway.acme.device('too-much');
    await using flood = await openDevice(gateway.url, device, FIVE);
    flood.socket.write(
      Buffer.concat(Array.from({ length: 40 }, (_, index) => publish(device, index + 1, { qos: 2 }))),
    );
    expect(await goodbye(flood)).toBe(0x93);
    await using large = await openDevice(gateway.url, device, FIVE);
    large.socket.write(publish(device, 1, { payload: Buffer.alloc(20_000) }).subarray(0, 100));
    expect(await goodbye(large)).toBe(0x95);
  });
});

describe('QoS 2', () => {
  it.each([4, 5] as const)(
    'of version %i delivers each message once, whatever is repeated',
    async (version) => {
      const device = await gateway.acme.device(`exactly-once-${version}`);
      const kept = { protocolVersion: version, clean: false, properties: { sessionExpiryInterval: 60 } };
      const bytes = (id: number, dup: boolean) =>
        generate(
          {
            ...{
              cmd: 'publish',
              topic: topicOf(device, 'telemetry'),
              qos: 2,
              messageId: id,
              dup,
              retain: false,
            },
            payload: `{"n":${id}}`,
          },
          { protocolVersion: version },
        );
      const first = await openDevice(gateway.url, device, kept);
      first.socket.write(Buffer.concat([bytes(1, false), bytes(2, false), bytes(1, true)]));
      await until('three PUBRECs', () => first.received.filter(({ cmd }) => cmd === 'pubrec').length === 3);
      first.send({ cmd: 'pubrel', messageId: 1 });
      await first.packet('pubcomp');
      await first[Symbol.asyncDispose]();
      await until('its end', () => gateway.said(device, 'disconnected').length === 1);

      await using second = await openDevice(gateway.url, device, kept);
      expect(await second.packet('connack')).toMatchObject({ sessionPresent: true });
      second.socket.write(bytes(2, true));
      await second.packet('pubrec');
      second.send({ cmd: 'pubrel', messageId: 2 });
      await second.packet('pubcomp');
      second.send({ cmd: 'pubrel', messageId: 2 });
      await until(
        'the second PUBCOMP',
        () => second.received.filter(({ cmd }) => cmd === 'pubcomp').length === 2,
      );
      const codes = second.received.flatMap((packet) =>
        packet.cmd === 'pubcomp' ? [packet.reasonCode ?? 0] : [],
      );
      expect(codes).toEqual([0, version === 5 ? 0x92 : 0]);
      second.socket.write(bytes(2, false));
      await until('the new message', () => gateway.said(device).length === 3);
      expect(gateway.said(device)).toEqual(['{"n":1}', '{"n":2}', '{"n":2}']);
    },
  );

  it('is spoken with mqtt.js and mosquitto, in both versions', async () => {
    const device = await gateway.acme.device('twice-asked');
    for (const protocolVersion of [4, 5] as const) {
      await using client = await connectAs(device, { protocolVersion });
      await client.publishAsync(topicOf(device, 'telemetry'), `{"js":${protocolVersion}}`, { qos: 2 });
    }
    const { hostname, port } = new URL(gateway.url);
    for (const version of ['311', '5']) {
      const login = ['-h', hostname, '-p', port, '-u', device.username, '-P', device.password];
      const said = ['-t', topicOf(device, 'telemetry'), '-m', `{"mosquitto":${version}}`];
      await run('mosquitto_pub', [...login, '-q', '2', '-V', version, ...said]);
    }
    await until('four messages', () => gateway.said(device).length === 4);
    expect(gateway.said(device)).toEqual(['{"js":4}', '{"js":5}', '{"mosquitto":311}', '{"mosquitto":5}']);
  });
});
