import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downlinkSubject } from '#core/bus/subjects.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { buildTopic, DOWNLINK_LEAVES, uplinkTopics } from '#core/mqtt/topics.ts';
import { type SeededDevice, seedTenant } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';
import { type GatewaySetup, openDevice, setUpGateway, topicOf } from './gateway-setup.ts';

/** Every topic there is of a device of Alpha, tried by a device of Bravo and by a neighbour at Alpha. */
let gateway: GatewaySetup;
let victim: SeededDevice;
let strangers: readonly SeededDevice[];

beforeAll(async () => {
  gateway = await setUpGateway();
  const alpha = await seedTenant(gateway.database.admin, 'alpha');
  const bravo = await seedTenant(gateway.database.admin, 'bravo');
  victim = await alpha.device('pump');
  strangers = [await bravo.device('thief'), await bravo.device('pump-2'), await alpha.device('neighbour')];
});
afterAll(() => gateway[Symbol.asyncDispose]());

// The victim's names as they are seeded: tables of tests are made before anything is.
const uplinks = uplinkTopics('alpha', 'pump');
const downlinks = DOWNLINK_LEAVES.map((leaf) => ({ topic: buildTopic('alpha', 'pump', leaf) }));
const wildcards = [
  '#',
  '+/+/+/+/#',
  'tenant/#',
  'tenant/alpha/#',
  'tenant/+/device/+/commands',
  'iot/#',
  '$share/g/#',
];

async function arrivedOf(): Promise<number> {
  return gateway.items.filter(
    ({ device, kind }) => device === 'pump' && kind !== 'connected' && kind !== 'disconnected',
  ).length;
}

describe('a device of somebody else', () => {
  it.each([...uplinks, ...downlinks])('may not publish to $topic', async ({ topic }) => {
    for (const device of strangers) {
      await using client = await openDevice(gateway.url, device);
      client.send({
        cmd: 'publish',
        topic,
        qos: 1,
        messageId: 1,
        dup: false,
        retain: false,
        payload: '{"stolen":1}',
      });
      await until('the end of the connection', () => client.closed());
      expect(client.received.map(({ cmd }) => cmd)).toEqual(['connack']);
    }
    expect(await arrivedOf()).toBe(0);
  });

  it.each([...uplinks, ...downlinks])('may not leave a will on $topic', async ({ topic }) => {
    for (const device of strangers) {
      const will = { topic, payload: Buffer.from('{"stolen":1}'), qos: 1 as const, retain: false };
      await expect(openDevice(gateway.url, device, { will })).rejects.toThrow('not let in');
    }
  });

  it.each([...uplinks.map(({ topic }) => topic), ...downlinks.map(({ topic }) => topic), ...wildcards])(
    'hears nothing through %s',
    async (topic) => {
      for (const device of strangers) {
        await using client = await openDevice(gateway.url, device);
        client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] });
        expect((await client.packet('suback')).granted).toEqual([0x80]);
      }
    },
  );

  it('hears nothing of what is sent to the device, whatever of its own it listens to', async () => {
    const clients = await Promise.all(strangers.map((device) => openDevice(gateway.url, device)));
    try {
      for (const [index, client] of clients.entries()) {
        const own = strangers[index];
        if (!own) throw new Error('no stranger');
        const subscriptions = DOWNLINK_LEAVES.map((leaf) => ({ topic: topicOf(own, leaf), qos: 1 as const }));
        client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
        expect((await client.packet('suback')).granted).toEqual([1, 1, 1]);
      }
      const send = async (tenant: string, device: string) => {
        const payload = Buffer.from(`{"for":"${tenant}/${device}"}`).toString('base64');
        const body = { tenant, device, leaf: 'commands', qos: 1, retain: false, payload };
        await gateway.bus.js.publish(downlinkSubject(shardOf(tenant, 16)), JSON.stringify(body));
      };
      await send(victim.tenant, victim.key);
      for (const { tenant, key } of strangers) await send(tenant, key);
      const heard = () => clients.map((client) => client.received.filter(({ cmd }) => cmd === 'publish'));
      await until('each to hear its own', () => heard().every((publishes) => publishes.length > 0));
      expect(
        heard().map((publishes) =>
          publishes.map((packet) => ('payload' in packet ? String(packet.payload) : '')),
        ),
      ).toEqual(strangers.map(({ username }) => [`{"for":"${username}"}`]));
    } finally {
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    }
  });
});
