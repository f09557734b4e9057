import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downlinkSubject } from '#core/bus/subjects.ts';
import { readUserProperties } from '#core/bus/user-properties.ts';
import { shardOf } from '#core/fleet/shards.ts';
import type { SeededDevice } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';
import {
  connectPacket,
  type GatewaySetup,
  goodbye,
  openDevice,
  type RawClient,
  setUpGateway,
  topicOf,
} from './gateway-setup.ts';

const FIVE = { protocolVersion: 5 } as const;
let gateway: GatewaySetup;

beforeAll(async () => {
  gateway = await setUpGateway({ MQTT_MAX_INFLIGHT: '8', MQTT_MAX_SESSION_SECONDS: '3600' });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

async function sendDown(device: SeededDevice, payload: string, over: object = {}): Promise<void> {
  const message = { tenant: device.tenant, device: device.key, leaf: 'commands', qos: 1, retain: false };
  const body = { ...message, payload: Buffer.from(payload).toString('base64'), ...over };
  await gateway.bus.js.publish(downlinkSubject(shardOf(device.tenant, 16)), JSON.stringify(body));
}

describe('a subscription', () => {
  it('is answered with the reason for each filter', async () => {
    const device = await gateway.acme.device('filters');
    await using client = await openDevice(gateway.url, device, FIVE);
    const filters = ['commands', '#', 'telemetry'].map((leaf) => topicOf(device, leaf));
    const strange = ['tenant/acme/#', 'a/#/b', `$share/g/${topicOf(device, 'commands')}`];
    const subscriptions = [...filters, ...strange].map((topic) => ({ topic, qos: 2 as const }));
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    const { granted } = await client.packet('suback');
    expect(granted).toEqual([1, 1, 0x87, 0x87, 0x8f, 0x9e]);
    client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: [...filters.slice(1)] });
    expect(await client.packet('unsuback')).toMatchObject({ granted: [0, 0x11] });
  });

  it('hears what a message is, for how long it is good, and nothing that has expired', async () => {
    const device = await gateway.acme.device('hears');
    await using client = await openDevice(gateway.url, device, {
      ...FIVE,
      properties: { topicAliasMaximum: 4 },
    });
    client.send({
      ...{ cmd: 'subscribe', messageId: 1, properties: { subscriptionIdentifier: 5 } },
      subscriptions: [{ topic: topicOf(device, 'commands'), qos: 1 }],
    });
    await client.packet('suback');
    await sendDown(device, 'late', { expiresAt: Date.now() - 1_000 });
    await sendDown(device, 'first', {
      ...{ expiresAt: Date.now() + 60_000, contentType: 'application/json' },
      userProperties: [['a', 'b']],
    });
    await sendDown(device, 'second');
    const heard = () => client.received.filter((packet) => packet.cmd === 'publish');
    await until('two messages', () => heard().length === 2);
    expect(heard().map((packet) => [packet.topic, String(packet.payload)])).toEqual([
      [topicOf(device, 'commands'), 'first'],
      ['', 'second'],
    ]);
    expect(heard()[0]?.properties).toMatchObject({
      ...{ contentType: 'application/json', subscriptionIdentifier: 5, topicAlias: 1 },
      userProperties: { a: 'b' },
    });
    const goodForSeconds = heard()[0]?.properties?.messageExpiryInterval;
    expect(goodForSeconds).toBeLessThanOrEqual(60);
    expect(goodForSeconds).toBeGreaterThan(0);
  });
});

describe('the end of a connection', () => {
  it('is explained: taken over, silent, revoked, a broken rule', async () => {
    const device = await gateway.acme.device('ends');
    await using first = await openDevice(gateway.url, device, FIVE);
    await using second = await openDevice(gateway.url, device, { ...FIVE, keepalive: 1 });
    expect(await goodbye(first)).toBe(0x8e);
    expect(await goodbye(second)).toBe(0x8d);
    await using third = await openDevice(gateway.url, device, FIVE);
    third.send(connectPacket(device, FIVE));
    expect(await goodbye(third)).toBe(0x82);
    await using fourth = await openDevice(gateway.url, device, FIVE);
    fourth.socket.write(Buffer.from([0xf0, 0]));
    expect(await goodbye(fourth)).toBe(0x82);
    await using fifth = await openDevice(gateway.url, device, FIVE);
    fifth.socket.write(Buffer.from([0x80, 0]));
    expect(await goodbye(fifth)).toBe(0x81);
  });

  it('leaves a will that waits, unless the device is back in time', async () => {
    const device = await gateway.acme.device('will-delay');
    const will = (willDelayInterval: number) => ({
      ...{
        topic: topicOf(device, 'status'),
        payload: '{"status":"offline"}',
        qos: 1 as const,
        retain: false,
      },
      properties: { willDelayInterval, userProperties: { from: 'the will' } },
    });
    const properties = { sessionExpiryInterval: 60 };
    const leave = async (client: RawClient, times: number) => {
      client.socket.destroy();
      await until('its end', () => gateway.said(device, 'disconnected').length === times);
    };
    await leave(await openDevice(gateway.url, device, { ...FIVE, properties, will: will(5) }), 1);
    await leave(await openDevice(gateway.url, device, { ...FIVE, properties, will: will(1) }), 2);
    const said = await gateway.arrived(device, (item) => item.kind === 'status');
    expect(said.userProperties && readUserProperties(said.userProperties)).toEqual([['from', 'the will']]);
    await sleep(5_500);
    const ends = gateway.items.filter(({ device: key, kind }) => key === device.key && kind !== 'connected');
    expect(ends.map(({ kind }) => kind)).toEqual(['disconnected', 'disconnected', 'status']);
  });

  it('with 0x04 leaves the will at once, and may not prolong a session that was not to be kept', async () => {
    const device = await gateway.acme.device('will-goodbye');
    const will = { topic: topicOf(device, 'status'), payload: '{"status":"offline"}' };
    await using client = await openDevice(gateway.url, device, { ...FIVE, will });
    client.send({ cmd: 'disconnect', reasonCode: 4 });
    await gateway.arrived(device, (item) => item.kind === 'status');
    await using second = await openDevice(gateway.url, device, FIVE);
    second.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 5 } });
    expect(await goodbye(second)).toBe(0x82);
  });

  it('keeps the session for as long as was asked, and not longer', async () => {
    const device = await gateway.acme.device('expiry');
    const kept = (sessionExpiryInterval: number) => ({
      ...FIVE,
      clean: false,
      properties: { sessionExpiryInterval },
    });
    const visit = async (seconds: number, pauseMs: number) => {
      await using client = await openDevice(gateway.url, device, kept(seconds));
      const { sessionPresent } = await client.packet('connack');
      client.send({ cmd: 'disconnect' });
      await until('the end', () => client.closed());
      await sleep(pauseMs);
      return sessionPresent;
    };
    expect([await visit(60, 0), await visit(1, 1_500), await visit(0, 0), await visit(0, 0)]).toEqual([
      ...[false, true, false, false],
    ]);
  });
});
