import { once } from 'node:events';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { generate } from 'mqtt-packet';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { downlinkSubject } from '#core/bus/subjects.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { freePort } from '#standalone/ports.ts';
import type { SeededDevice } from '#tests/kit/seed.ts';
import { promptly, until } from '#tests/kit/wait.ts';
import { connectPacket, type GatewaySetup, setUpGateway, topicOf } from './gateway-setup.ts';

let gateway: GatewaySetup;
let url: string;

beforeAll(async () => {
  const port = await freePort();
  url = `ws://127.0.0.1:${port}/mqtt`;
  gateway = await setUpGateway({
    ...{ MQTT_WS_PORT: String(port), MQTT_WS_ORIGINS: 'https://console.example,https://other.example' },
    MQTT_WS_TRUSTED_PROXIES: '1',
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

async function connectAs(
  device: SeededDevice,
  options: IClientOptions = {},
): Promise<MqttClient & AsyncDisposable> {
  const login = { username: device.username, password: device.password, clientId: device.key };
  const client = await mqtt.connectAsync(url, { ...login, reconnectPeriod: 0, ...options }, false);
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.endAsync(true) });
}

interface OpenWebSocket extends AsyncDisposable {
  readonly webSocket: WebSocket;
  readonly received: Buffer[];
  /** The close code, once it is closed. */
  code(): number | undefined;
}

async function openWebSocket(options: ClientOptions = {}): Promise<OpenWebSocket> {
  const webSocket = new WebSocket(url, 'mqtt', options);
  const received: Buffer[] = [];
  let code: number | undefined;
  webSocket.on('message', (data: Buffer) => received.push(data));
  webSocket.on('error', () => undefined);
  webSocket.on('close', (given) => {
    code = given;
  });
  await once(webSocket, 'open');
  return {
    ...{ webSocket, received },
    code: () => code,
    async [Symbol.asyncDispose]() {
      webSocket.terminate();
      await until('the end', () => code !== undefined);
    },
  };
}

/** The status by which an upgrade is refused. */
async function refusal(to: string, subprotocols: string[], options: ClientOptions = {}): Promise<number> {
  const webSocket = new WebSocket(to, subprotocols, options);
  webSocket.on('error', () => undefined);
  const [, response] = await once(webSocket, 'unexpected-response');
  webSocket.terminate();
  return response.statusCode;
}

const publish = (device: SeededDevice, messageId: number, payload: string) =>
  generate({
    ...{ cmd: 'publish', topic: topicOf(device, 'telemetry'), qos: 1, messageId, dup: false, retain: false },
    payload,
  });

it('carries mqtt.js with both qualities, its subscription and its will', async () => {
  const device = await gateway.acme.device('web');
  const will = {
    topic: topicOf(device, 'status'),
    payload: Buffer.from('{"status":"offline"}'),
    qos: 1,
  } as const;
  await using client = await connectAs(device, { will });
  await client.publishAsync(topicOf(device, 'telemetry'), '{"a":1}', { qos: 0 });
  await client.publishAsync(topicOf(device, 'telemetry'), '{"a":2}', { qos: 1 });
  await client.subscribeAsync(topicOf(device, 'commands'), { qos: 1 });
  const heard: string[] = [];
  client.on('message', (_topic, payload) => heard.push(payload.toString()));
  const down = { tenant: device.tenant, device: device.key, leaf: 'commands', qos: 1, retain: false };
  await gateway.bus.js.publish(
    downlinkSubject(shardOf(device.tenant, 16)),
    JSON.stringify({ ...down, payload: Buffer.from('{"go":1}').toString('base64') }),
  );
  await until('the command', () => heard[0] === '{"go":1}');
  await until('both messages', () => gateway.said(device).length === 2);
  expect(gateway.said(device)).toEqual(['{"a":1}', '{"a":2}']);
  client.stream.destroy();
  await gateway.arrived(device, (item) => item.kind === 'disconnected');
  expect(gateway.said(device, 'status')).toEqual(['{"status":"offline"}']);
});

it('takes packets that are spread over messages, and several in one', async () => {
  const device = await gateway.acme.device('spread');
  await using client = await openWebSocket();
  const all = Buffer.concat([
    generate(connectPacket(device)),
    publish(device, 1, '{"n":1}'),
    publish(device, 2, '{"n":2}'),
  ]);
  client.webSocket.send(all.subarray(0, 1));
  client.webSocket.send(all.subarray(1, 40));
  client.webSocket.send(all.subarray(40));
  const answers = Buffer.from([0x20, 2, 0, 0, 0x40, 2, 0, 1, 0x40, 2, 0, 2]);
  await until('both PUBACKs', () => Buffer.concat(client.received).equals(answers));
});

it('stores what was sent just before the goodbye', async () => {
  const device = await gateway.acme.device('brief');
  await using client = await openWebSocket();
  client.webSocket.send(generate(connectPacket(device)));
  for (let n = 1; n <= 20; n++) client.webSocket.send(publish(device, n, `{"n":${n}}`));
  client.webSocket.send(generate({ cmd: 'disconnect' }));
  client.webSocket.close(1000);
  const gone = await gateway.arrived(device, (item) => item.kind === 'disconnected');
  expect(JSON.parse(Buffer.from(gone.payload).toString())).toMatchObject({ reason: 'client_disconnect' });
  expect(gateway.said(device)).toHaveLength(20);
});

it('refuses a wrong password as everywhere', async () => {
  const device = await gateway.acme.device('web-wrong');
  await expect(connectAs({ ...device, password: 'wrong' })).rejects.toMatchObject({ code: 4 });
});

it('lets in pages of the allowed origins and programs without one, nobody else', async () => {
  expect(await refusal(url, ['mqtt'], { origin: 'https://evil.example' })).toBe(403);
  expect(await refusal(url, ['mqtt'], { origin: 'null' })).toBe(403);
  await using page = await openWebSocket({ origin: 'https://other.example' });
  expect(page.webSocket.protocol).toBe('mqtt');
  expect(await gateway.metric('connects_total{outcome="web_socket_origin"}')).toBe(2);
});

it('refuses another path, another subprotocol and plain HTTP', async () => {
  expect(await refusal(url.replace('/mqtt', '/'), ['mqtt'])).toBe(404);
  expect(await refusal(url, ['graphql-transport-ws'])).toBe(400);
  expect(await refusal(url, [])).toBe(400);
  const http = url.replace('ws:', 'http:');
  expect((await fetch(http)).status).toBe(426);
  expect((await fetch(http.replace('/mqtt', '/metrics'))).status).toBe(404);
});

it('closes on text, on what is no MQTT, and on a message that is too long', async () => {
  await using text = await openWebSocket();
  text.webSocket.send('hello');
  await promptly('the end', () => text.code() !== undefined);
  expect(text.code()).toBe(1003);
  await using noise = await openWebSocket();
  noise.webSocket.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  await promptly('the end', () => noise.code() !== undefined);
  await using long = await openWebSocket();
  long.webSocket.send(Buffer.alloc(200_000, 0x10));
  await promptly('the end', () => long.code() !== undefined);
  expect(long.code()).toBe(1009);
});

it('is not read while its messages wait, and keeps them all', async () => {
  const device = await gateway.acme.device('web-many');
  await using client = await openWebSocket();
  client.webSocket.send(generate(connectPacket(device)));
  const filler = 'x'.repeat(1_000);
  for (let n = 1; n <= 5_000; n++) client.webSocket.send(publish(device, n, `{"n":${n},"s":"${filler}"}`));
  await until('all of them', () => gateway.said(device).length === 5_000);
  expect(gateway.said(device).at(-1)).toContain('{"n":5000,');
});
