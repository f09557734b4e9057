import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downlinkSubject } from '#core/bus/subjects.ts';
import { shardOf } from '#core/fleet/shards.ts';
import type { SeededDevice } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';
import { type GatewaySetup, openDevice, setUpGateway, topicOf } from './gateway-setup.ts';

const run = promisify(execFile);
let gateway: GatewaySetup;

beforeAll(async () => {
  gateway = await setUpGateway();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

async function connectAs(
  device: SeededDevice,
  options: IClientOptions = {},
): Promise<MqttClient & AsyncDisposable> {
  const login = { username: device.username, password: device.password, clientId: device.key };
  const client = await mqtt.connectAsync(gateway.url, { ...login, reconnectPeriod: 0, ...options }, false);
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.endAsync(true) });
}

const closing = (client: MqttClient) => new Promise<void>((resolve) => client.once('close', () => resolve()));

function mosquitto(device: SeededDevice, leaf: string, ...rest: string[]): string[] {
  const { hostname, port } = new URL(gateway.url);
  const login = ['-h', hostname, '-p', port, '-u', device.username, '-P', device.password, '-i', device.key];
  return [...login, '-t', topicOf(device, leaf), ...rest];
}

async function sendDown(device: SeededDevice, leaf: string, payload: string, qos = 1): Promise<void> {
  const message = { tenant: device.tenant, device: device.key, leaf, qos, retain: false };
  const body = JSON.stringify({ ...message, payload: Buffer.from(payload).toString('base64') });
  await gateway.bus.js.publish(downlinkSubject(shardOf(device.tenant, 16)), body);
}

describe('mqtt.js', () => {
  it('publishes with QoS 0 and 1 and says that it connected', async () => {
    const device = await gateway.acme.device('js-publish');
    await using client = await connectAs(device);
    await client.publishAsync(topicOf(device, 'telemetry'), '{"temperature":20}', { qos: 0 });
    await client.publishAsync(topicOf(device, 'telemetry'), '{"temperature":21}', { qos: 1 });
    await client.publishAsync(topicOf(device, 'heartbeat'), '{}', { qos: 1 });
    await gateway.arrived(device, (item) => item.kind === 'heartbeat');
    expect(gateway.said(device)).toEqual(['{"temperature":20}', '{"temperature":21}']);
    const [connected = ''] = gateway.said(device, 'connected');
    expect(JSON.parse(connected)).toMatchObject({
      epoch: expect.stringMatching(/^\d+$/),
      client_id: 'js-publish',
      reason: 'connect',
    });
  });

  it('is refused with a wrong password, an unknown device, and another tenant’s name', async () => {
    const device = await gateway.acme.device('js-refused');
    for (const over of [
      { password: 'wrong' },
      { username: 'acme/nobody' },
      { username: 'other/js-refused' },
      { username: 'nonsense' },
    ]) {
      await expect(connectAs(device, over)).rejects.toMatchObject({ code: 4 });
    }
  });

  it('is cut off when it publishes to a topic that is not its own', async () => {
    const device = await gateway.acme.device('js-stranger');
    const before = await gateway.metric('refused_total');
    for (const topic of [
      'tenant/acme/device/other/telemetry',
      'tenant/other/device/js-stranger/telemetry',
      topicOf(device, 'commands'),
      'x',
    ]) {
      await using client = await connectAs(device);
      const closed = closing(client);
      client.publish(topic, '{"t":1}', { qos: 1 });
      await closed;
    }
    expect(gateway.said(device)).toEqual([]);
    expect(await gateway.metric('refused_total')).toBe(before + 4);
  });

  it('leaves its will behind when it breaks off, and only its disconnect when it says goodbye', async () => {
    const device = await gateway.acme.device('js-will');
    const will = {
      topic: topicOf(device, 'status'),
      payload: '{"status":"offline"}',
      qos: 1,
      retain: true,
    } as const;
    await using broken = await connectAs(device, { will });
    broken.stream.destroy();
    await gateway.arrived(device, (item) => item.kind === 'disconnected');
    expect(gateway.said(device, 'status')).toEqual(['{"status":"offline"}']);

    await using polite = await connectAs(device, { will });
    await polite.endAsync();
    await until('the second goodbye', () => gateway.said(device, 'disconnected').length === 2);
    expect(gateway.said(device, 'status')).toHaveLength(1);
    const [first, second] = gateway.said(device, 'disconnected').map((text) => JSON.parse(text));
    expect([first.reason, second.reason]).toEqual(['connection_lost', 'client_disconnect']);
    expect(Number(second.epoch)).toBeGreaterThan(Number(first.epoch));
  });

  it('is taken over by a second connection of the same device, without its will', async () => {
    const device = await gateway.acme.device('js-takeover');
    const will = {
      topic: topicOf(device, 'status'),
      payload: '{"status":"offline"}',
      qos: 1,
      retain: false,
    } as const;
    await using first = await connectAs(device, { will });
    const closed = closing(first);
    await using second = await connectAs(device, { clientId: 'another', will });
    await closed;
    await second.publishAsync(topicOf(device, 'telemetry'), '{"a":1}', { qos: 1 });
    await gateway.arrived(device, (item) => item.kind === 'telemetry');
    expect(gateway.said(device, 'status')).toEqual([]);
    expect(JSON.parse(gateway.said(device, 'disconnected')[0] ?? '').reason).toBe('taken_over');
    const { rows } = await gateway.database.admin.query(
      'select client_id from device_sessions where device_id = $1',
      [device.id],
    );
    expect(rows).toEqual([{ client_id: 'another' }]);
  });

  it('hears its own downlink, exactly and by wildcard, and nobody else’s', async () => {
    const device = await gateway.acme.device('js-downlink');
    const other = await gateway.acme.device('js-downlink-other');
    await using client = await connectAs(device);
    await using stranger = await connectAs(other);
    const heard: string[] = [];
    client.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
    stranger.on('message', (topic) => heard.push(`wrong: ${topic}`));
    const granted = await client.subscribeAsync({
      [topicOf(device, 'commands')]: { qos: 1 },
      [topicOf(device, 'shadow/+')]: { qos: 0 },
    });
    expect(granted.map((grant) => grant.qos)).toEqual([1, 0]);
    await stranger.subscribeAsync(topicOf(other, '#'), { qos: 1 });
    await sendDown(device, 'commands', '{"command_id":"1"}');
    await sendDown(device, 'shadow/desired', '{"desired":{}}');
    await until('two messages', () => heard.length === 2);
    expect(heard.toSorted()).toEqual([
      `${topicOf(device, 'commands')} {"command_id":"1"}`,
      `${topicOf(device, 'shadow/desired')} {"desired":{}}`,
    ]);
  });

  it('is not granted what is not its own to hear', async () => {
    const device = await gateway.acme.device('js-deaf');
    await using client = await connectAs(device);
    for (const filter of [
      '#',
      'tenant/acme/#',
      topicOf(device, 'telemetry'),
      'tenant/acme/device/+/commands',
    ]) {
      await expect(client.subscribeAsync(filter, { qos: 1 })).rejects.toThrow(
        /not authorized|Unspecified error|Subscribe error/i,
      );
    }
  });

  it('finds its subscriptions again when it asked for a session to be kept', async () => {
    const device = await gateway.acme.device('js-kept');
    const first = await openDevice(gateway.url, device, { clean: false });
    first.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: topicOf(device, 'commands'), qos: 1 }],
    });
    await first.packet('suback');
    await sendDown(device, 'commands', 'not acknowledged');
    await first.packet('publish');
    await first[Symbol.asyncDispose]();
    await gateway.arrived(device, (item) => item.kind === 'disconnected');

    await using second = await openDevice(gateway.url, device, { clean: false });
    expect(await second.packet('connack')).toMatchObject({ sessionPresent: true });
    const again = await second.packet('publish');
    expect([again.dup, String(again.payload)]).toEqual([true, 'not acknowledged']);
    await using third = await openDevice(gateway.url, device, { clean: true });
    expect(await third.packet('connack')).toMatchObject({ sessionPresent: false });
  });
});

describe('mosquitto', () => {
  it('publishes with QoS 0 and 1', async () => {
    const device = await gateway.acme.device('mosquitto-pub');
    await run('mosquitto_pub', mosquitto(device, 'telemetry', '-q', '1', '-m', '{"a":1}'));
    await run('mosquitto_pub', mosquitto(device, 'telemetry', '-q', '0', '-m', '{"a":2}'));
    await until('both', () => gateway.said(device).length === 2);
    expect(gateway.said(device)).toEqual(['{"a":1}', '{"a":2}']);
  });

  it('is told that the password is wrong', async () => {
    const device = await gateway.acme.device('mosquitto-wrong');
    const wrong = mosquitto({ ...device, password: 'wrong' }, 'telemetry', '-m', 'x');
    await expect(run('mosquitto_pub', wrong)).rejects.toMatchObject({ code: 4 });
  });

  it('is told that 3.1 is not spoken', async () => {
    const device = await gateway.acme.device('mosquitto-versions');
    await expect(
      run('mosquitto_pub', mosquitto(device, 'telemetry', '-V', '31', '-m', 'x')),
    ).rejects.toMatchObject({ code: 1 });
  });

  it('receives a command with mosquitto_sub', async () => {
    const device = await gateway.acme.device('mosquitto-sub');
    const listen = mosquitto(device, 'commands', '-q', '1', '-C', '1', '-d');
    const child = spawn('stdbuf', ['-oL', 'mosquitto_sub', ...listen]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    await until('the subscription', () => output.includes('Subscribed'));
    await sendDown(device, 'commands', '{"command_id":"7"}');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(output).toContain('{"command_id":"7"}');
  });

  it('leaves its will when it is killed', async () => {
    const device = await gateway.acme.device('mosquitto-will');
    const will = [
      '--will-topic',
      topicOf(device, 'status'),
      '--will-payload',
      '{"status":"offline"}',
      '--will-qos',
      '1',
    ];
    const child = spawn('mosquitto_sub', mosquitto(device, 'commands', ...will));
    await gateway.arrived(device, (item) => item.kind === 'connected');
    child.kill('SIGKILL');
    await gateway.arrived(device, (item) => item.kind === 'status');
    expect(gateway.said(device, 'status')).toEqual(['{"status":"offline"}']);
  });
});
