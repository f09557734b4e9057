import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downlinkSubject } from '#core/bus/subjects.ts';
import { readUserProperties } from '#core/bus/user-properties.ts';
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

async function sendDown(device: SeededDevice, payload: string): Promise<void> {
  const message = { tenant: device.tenant, device: device.key, leaf: 'commands', qos: 1, retain: false };
  const body = JSON.stringify({ ...message, payload: Buffer.from(payload).toString('base64') });
  await gateway.bus.js.publish(downlinkSubject(shardOf(device.tenant, 16)), body);
}

const propertiesOf = (device: SeededDevice) =>
  gateway.items
    .filter((item) => item.device === device.key && item.kind === 'telemetry')
    .map((item) => item.userProperties && readUserProperties(item.userProperties));

/** Runs a client until it says something, and collects everything it says. */
function start(command: string, args: readonly string[]) {
  const child = spawn('stdbuf', ['-oL', command, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  return {
    child,
    said: () => said,
    hears: (text: string) => until(`${command} to say ${text} (it said ${said})`, () => said.includes(text)),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Arguments: host, port, version, user, password, client id, topic to publish to, topic to hear. */
const PYTHON_DEVICE = `
import sys, json, paho.mqtt.client as mqtt
from paho.mqtt.properties import Properties
from paho.mqtt.packettypes import PacketTypes
host, port, version, user, password, name, telemetry, commands = sys.argv[1:]
five = version == '5'
say = lambda *words: print(*words, flush=True)
client = mqtt.Client(name, protocol=mqtt.MQTTv5 if five else mqtt.MQTTv311)
client.username_pw_set(user, password)
def connected(client, data, flags, code, *rest):
    say('connected', int(getattr(code, 'value', code)))
    client.subscribe(commands, 1)
def subscribed(client, data, mid, granted, *rest):
    say('subscribed', *[int(getattr(code, 'value', code)) for code in granted])
    properties = None
    if five:
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = ('from', 'python')
    for qos in (0, 1, 2):
        client.publish(telemetry, json.dumps({'qos': qos}), qos, properties=properties)
published = []
def on_publish(client, data, mid):
    published.append(mid)
    if len(published) == 3: say('published')
def on_message(client, data, message):
    say('heard', message.payload.decode())
def disconnected(client, data, code, *rest):
    say('disconnected', int(getattr(code, 'value', code)))
    client.disconnect()
    sys.exit(0)
client.on_connect, client.on_subscribe, client.on_publish = connected, subscribed, on_publish
client.on_message, client.on_disconnect = on_message, disconnected
client.connect(host, int(port))
client.loop_forever()
`;

describe('paho in Python', () => {
  it.each(['311', '5'])(
    'of version %s publishes every QoS, hears a command, and is taken over',
    async (version) => {
      const device = await gateway.acme.device(`python-${version}`);
      const { hostname, port } = new URL(gateway.url);
      const who = [version, device.username, device.password, device.key];
      const topics = [topicOf(device, 'telemetry'), topicOf(device, 'commands')];
      await using client = start('python3', ['-c', PYTHON_DEVICE, hostname, port, ...who, ...topics]);
      await client.hears('published');
      expect(client.said()).toContain('connected 0\nsubscribed 1\n');
      await until('three messages', () => gateway.said(device).length === 3);
      expect(gateway.said(device)).toEqual(['{"qos": 0}', '{"qos": 1}', '{"qos": 2}']);
      const properties = version === '5' ? [['from', 'python']] : undefined;
      expect(propertiesOf(device)).toEqual([properties, properties, properties]);
      await sendDown(device, '{"command_id":"1"}');
      await client.hears('heard {"command_id":"1"}');
      await using second = await openDevice(gateway.url, device);
      await client.hears(version === '5' ? 'disconnected 142' : 'disconnected');
      expect(second.closed()).toBe(false);
    },
  );

  it('is told in version 5 that its password is wrong', async () => {
    const device = await gateway.acme.device('python-wrong');
    const { hostname, port } = new URL(gateway.url);
    const who = ['5', device.username, 'wrong', device.key];
    const topics = [topicOf(device, 'telemetry'), topicOf(device, 'commands')];
    await using client = start('python3', ['-c', PYTHON_DEVICE, hostname, port, ...who, ...topics]);
    await client.hears('connected 134');
  });
});

describe('paho in C', () => {
  const login = (device: SeededDevice, version: string) => {
    const { hostname, port } = new URL(gateway.url);
    return [
      ...['-h', hostname, '-p', port, '-u', device.username, '-P', device.password],
      ...['-i', device.key, '-V', version],
    ];
  };

  it.each([
    ['paho_c_pub', '311'],
    ['paho_c_pub', '5'],
    ['paho_cs_pub', '311'],
    ['paho_cs_pub', '5'],
  ])('%s of version %s publishes every QoS', async (program, version) => {
    const device = await gateway.acme.device(`${program}-${version}`);
    for (const qos of ['0', '1', '2']) {
      const properties = version === '5' ? ['--user-property', 'from', 'C'] : [];
      const message = ['-q', qos, '-m', `{"qos":${qos}}`, ...properties];
      await run(program, [...login(device, version), '-t', topicOf(device, 'telemetry'), ...message], {
        timeout: 60_000,
      });
      await until('the message', () => gateway.said(device).length === Number(qos) + 1);
    }
    expect(gateway.said(device)).toEqual(['{"qos":0}', '{"qos":1}', '{"qos":2}']);
    const properties = version === '5' ? [['from', 'C']] : undefined;
    expect(propertiesOf(device)).toEqual([properties, properties, properties]);
  });

  it.each([
    ['paho_c_sub', '311'],
    ['paho_c_sub', '5'],
    ['paho_cs_sub', '5'],
  ])('%s of version %s hears a command', async (program, version) => {
    const device = await gateway.acme.device(`${program}-${version}`);
    await using client = start(program, [
      ...login(device, version),
      '-q',
      '1',
      '-t',
      topicOf(device, 'commands'),
    ]);
    await gateway.arrived(device, (item) => item.kind === 'connected');
    const hears = async () => {
      await sendDown(device, '{"command_id":"7"}');
      return client.said().includes('{"command_id":"7"}');
    };
    await until('the command', hears);
  });
});
