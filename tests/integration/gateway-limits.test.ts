import { setTimeout as sleep } from 'node:timers/promises';
import { generate } from 'mqtt-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlSubject } from '#core/bus/subjects.ts';
import { startProcesses } from '#tests/kit/processes.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { promptly, until } from '#tests/kit/wait.ts';
import {
  connectPacket,
  type GatewaySetup,
  openDevice,
  openRaw,
  type RawClient,
  setUpGateway,
  topicOf,
} from './gateway-setup.ts';

const opened = new AsyncDisposableStack();
let gateway: GatewaySetup;

/** 50 messages a second and device, as many at once; 2 000 a tenant. */
const PER_SECOND = 50;
/** Longer than any device needs here that stops in time. */
const PATIENCE_MS = 8_000;
const CONNECT_DELAY_MS = 6_000;

beforeAll(async () => {
  gateway = opened.use(
    await setUpGateway({
      LIMIT_DEVICE_MESSAGES_PER_SECOND: String(PER_SECOND),
      LIMIT_DEVICE_CONNECTS_PER_SECOND: '2',
      LIMIT_TENANT_MESSAGES_PER_SECOND: '2000',
      LIMIT_BURST_SECONDS: '1',
      MQTT_THROTTLE_PATIENCE_MS: String(PATIENCE_MS),
      MQTT_CONNECT_DELAY_MS: String(CONNECT_DELAY_MS),
    }),
  );
  const { database, nats } = gateway;
  opened.use(await startProcesses({ database, natsUrl: nats.url, start: ['relay'] }));
});
afterAll(() => opened.disposeAsync());

const messages = (device: SeededDevice, from: number, count: number, protocolVersion = 4) =>
  Buffer.concat(
    Array.from({ length: count }, (_, index) =>
      generate(
        {
          ...{ cmd: 'publish', topic: topicOf(device, 'telemetry'), qos: 1, dup: false, retain: false },
          ...{ messageId: from + index, payload: `{"n":${from + index}}` },
        },
        { protocolVersion },
      ),
    ),
  );
const acks = (client: RawClient) => client.received.filter(({ cmd }) => cmd === 'puback').length;
const write = async (tenant: TenantSeed, limits: object) =>
  gateway.database.admin.query('update tenants set limits = $2 where id = $1', [tenant.id, limits]);

/** What a tenant has used, once so many messages are counted. */
const usageOf = (tenant: TenantSeed, count: number) =>
  until('the usage', async () => {
    const { rows } = await gateway.database.admin.query<Record<'messages' | 'throttled' | 'bytes', number>>(
      `select sum(messages)::int as messages, sum(throttled)::int as throttled, sum(bytes)::int as bytes
       from tenant_usage where tenant_id = $1`,
      [tenant.id],
    );
    const [used] = rows;
    return used && used.messages >= count && used;
  });

const answered = (client: RawClient, count: number) => until(`${count} PUBACKs`, () => acks(client) >= count);

describe('a device that sends faster than it may', () => {
  it('is read no faster than that, loses nothing, and holds up nobody', async () => {
    const [device, other] = [await gateway.acme.device('fast'), await gateway.acme.device('calm')];
    await using client = await openDevice(gateway.url, device, { keepalive: 1 });
    await using neighbour = await openDevice(gateway.url, other);
    const startedAt = Date.now();
    client.socket.write(messages(device, 1, 4 * PER_SECOND));
    await answered(client, PER_SECOND);
    neighbour.socket.write(messages(other, 1, 1));
    await answered(neighbour, 1);
    expect(acks(client)).toBeLessThan(4 * PER_SECOND);
    await answered(client, 4 * PER_SECOND);
    expect(Date.now() - startedAt).toBeGreaterThan(2_700);
    expect(client.closed()).toBe(false);
    await until('every message', () => gateway.said(device).length === 4 * PER_SECOND);
  });

  it('is sent away when it does not stop, and owes as much when it comes back', async () => {
    const device = await gateway.acme.device('flood');
    await using client = await openDevice(gateway.url, device);
    const startedAt = Date.now();
    client.socket.write(messages(device, 1, 20 * PER_SECOND));
    await until('the end', () => client.closed());
    const endedAt = Date.now();
    expect(endedAt - startedAt).toBeGreaterThanOrEqual(PATIENCE_MS);
    const gone = await gateway.arrived(device, (item) => item.kind === 'disconnected');
    expect(JSON.parse(Buffer.from(gone.payload).toString())).toMatchObject({ reason: 'rate_exceeded' });
    expect(await gateway.metric('throttled_total{limit="device"}')).toBeGreaterThan(0);
    const mayHaveTaken = PER_SECOND * (2 + (endedAt - startedAt) / 1_000);
    expect(gateway.said(device).length).toBeLessThanOrEqual(mayHaveTaken);

    await using again = await openDevice(gateway.url, device);
    again.socket.write(messages(device, 1, PER_SECOND));
    await answered(again, PER_SECOND);
    expect(Date.now() - endedAt).toBeGreaterThan(700);
  });

  it('is told why in the terms of MQTT 5', async () => {
    const device = await gateway.acme.device('flood-5');
    await using client = await openDevice(gateway.url, device, { protocolVersion: 5 });
    client.socket.write(messages(device, 1, 20 * PER_SECOND, 5));
    const { reasonCode } = await client.packet('disconnect');
    expect(reasonCode).toBe(0x96);
  });

  it('may burst again after a quiet time', async () => {
    const tenant = await seedTenant(gateway.database.admin, 'bursts');
    const device = await tenant.device('m1');
    await using client = await openDevice(gateway.url, device);
    client.socket.write(messages(device, 1, PER_SECOND));
    await answered(client, PER_SECOND);
    await sleep(1_000);
    client.socket.write(messages(device, 100, PER_SECOND));
    await answered(client, 2 * PER_SECOND);
    expect(await usageOf(tenant, 2 * PER_SECOND)).toMatchObject({ messages: 2 * PER_SECOND, throttled: 0 });
  });
});

describe('a tenant', () => {
  it('has limits of its own, over all its devices, that hold up no other tenant', async () => {
    const small = await seedTenant(gateway.database.admin, 'small');
    await write(small, { messagesPerSecond: 20 });
    const devices = await small.devices(2);
    const other = await gateway.acme.device('other-tenant');
    const [first, second] = devices;
    if (!first || !second) throw new Error('no devices');
    await using a = await openDevice(gateway.url, first);
    await using b = await openDevice(gateway.url, second);
    await using c = await openDevice(gateway.url, other);
    await sleep(100);
    const startedAt = Date.now();
    a.socket.write(messages(first, 1, 50));
    b.socket.write(messages(second, 1, 50));
    c.socket.write(messages(other, 1, 30));
    await answered(c, 30);
    expect(acks(a) + acks(b)).toBeLessThan(100);
    await until('all of both', () => acks(a) + acks(b) >= 100);
    expect(Date.now() - startedAt).toBeGreaterThan(3_000);
  });

  it('is given other limits while its devices are connected, within two seconds', async () => {
    const tenant = await seedTenant(gateway.database.admin, 'grows');
    await write(tenant, { deviceMessagesPerSecond: 1 });
    const device = await tenant.device('m1');
    await using client = await openDevice(gateway.url, device);
    await sleep(200);
    client.socket.write(messages(device, 1, 40));
    await answered(client, 1);
    await write(tenant, {});
    await promptly('the rest', () => acks(client) >= 40);
    expect(client.closed()).toBe(false);
  });

  it('sees what it sent, every message once', async () => {
    const tenant = await seedTenant(gateway.database.admin, 'counted');
    const device = await tenant.device('m1');
    await using client = await openDevice(gateway.url, device);
    client.socket.write(messages(device, 1, 70));
    await answered(client, 70);
    const { messages: counted, throttled, bytes } = await usageOf(tenant, 70);
    expect(counted).toBe(70);
    expect(throttled).toBeGreaterThan(0);
    expect(bytes).toBeGreaterThan(70 * 40);
  });
});

describe('a device that connects too often', () => {
  it('waits for its turn first, then is refused with code 3, and comes in later', async () => {
    const device = await gateway.acme.device('flapping');
    const codes: (number | undefined)[] = [];
    const times: number[] = [];
    const startedAt = Date.now();
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        await using client = await openRaw(gateway.url);
        client.send(connectPacket(device));
        const { returnCode } = await client.packet('connack');
        codes.push(returnCode);
        times.push(Date.now() - startedAt);
      }),
    );
    expect(codes).toContain(0);
    expect(codes).toContain(3);
    const turns = 2 + 2 * Math.ceil((Date.now() - startedAt) / 1_000);
    expect(codes.filter((code) => code === 0).length).toBeLessThanOrEqual(turns);
    expect(Math.max(...times)).toBeGreaterThan(400);
    await sleep(2_000);
    await using later = await openDevice(gateway.url, device);
    expect(later.closed()).toBe(false);
  });
});

describe('a device that waits for its turn', () => {
  it('loses its session at once when its credential is revoked meanwhile', async () => {
    const device = await gateway.acme.device('revoked-in-the-queue');
    await using clients = new AsyncDisposableStack();
    const connect = async () => {
      const client = clients.use(await openRaw(gateway.url));
      client.send(connectPacket(device));
      return client;
    };
    const ahead: RawClient[] = [];
    for (let turn = 0; turn < 8; turn++) ahead.push(await connect());
    const last = await connect();
    // Whoever waits a turn less comes in: by then the last one waits too.
    await ahead[2]?.packet('connack');
    expect(last.received).toEqual([]);
    await gateway.database.admin.query(
      'update device_credentials set revoked_at = now() where device_id = $1',
      [device.id],
    );
    const { tenant, key: id } = device;
    gateway.bus.connection.publish(
      controlSubject('credential'),
      JSON.stringify({ tenant, tenantId: gateway.acme.id, id, version: 1 }),
    );
    await promptly('all of them to end', () => [...ahead, last].every((client) => client.closed()));
  });
});

describe('whoever guesses passwords', () => {
  it('waits longer and longer, while the true device comes in at once from the same address', async () => {
    const device = await gateway.acme.device('guessed');
    const guess = async () => {
      const startedAt = Date.now();
      await using client = await openRaw(gateway.url);
      client.send(connectPacket(device, { password: Buffer.from('wrong') }));
      const { returnCode } = await client.packet('connack');
      return { returnCode, ms: Date.now() - startedAt };
    };
    const guesses = Promise.all(Array.from({ length: 40 }, guess));
    const heldBack = () => gateway.metric('held_back_connects');
    await until('most to be held back', async () => (await heldBack()) > 20);
    await using client = await openDevice(gateway.url, device);
    expect(await heldBack()).toBeGreaterThan(15);
    const all = await guesses;
    expect(all.map(({ returnCode }) => returnCode)).toEqual(all.map(() => 4));
    expect(all.filter(({ ms }) => ms < 500).length).toBeLessThanOrEqual(12);
    expect(Math.max(...all.map(({ ms }) => ms))).toBeLessThan(3 * CONNECT_DELAY_MS);
    expect(client.closed()).toBe(false);
  });

  it('asks the database about a name about once a second, however often it guesses', async () => {
    const device = await gateway.acme.device('hammered');
    const before = await gateway.metric('credential_lookups_total{outcome="miss"}');
    const startedAt = Date.now();
    for (let n = 0; n < 100; n++) {
      await using client = await openRaw(gateway.url);
      client.send(connectPacket(device, { password: Buffer.from(`wrong ${n}`) }));
      client.socket.end();
    }
    await until(
      'every guess',
      async () => (await gateway.metric('connects_total{outcome="bad_credentials"}')) >= 100,
    );
    const after = await gateway.metric('credential_lookups_total{outcome="miss"}');
    const seconds = (Date.now() - startedAt) / 1_000;
    expect(after - before).toBeLessThanOrEqual(2 * Math.ceil(seconds) + 2);
  });
});
