import { generate } from 'mqtt-packet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlSubject } from '#core/bus/subjects.ts';
import type { SeededDevice } from '#tests/kit/seed.ts';
import { promptly, until } from '#tests/kit/wait.ts';
import {
  connectPacket,
  type GatewaySetup,
  openDevice,
  openRaw,
  setUpGateway,
  topicOf,
} from './gateway-setup.ts';

let gateway: GatewaySetup;

beforeAll(async () => {
  gateway = await setUpGateway();
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
});

const publish = (device: SeededDevice, messageId: number) =>
  generate({
    ...{ cmd: 'publish', topic: topicOf(device, 'telemetry'), qos: 1, messageId, dup: false, retain: false },
    payload: `{"n":${messageId}}`,
  });

const tell = (kind: 'credential' | 'device' | 'session', device: SeededDevice, version = 1) =>
  gateway.bus.connection.publish(
    controlSubject(kind),
    JSON.stringify({ tenant: device.tenant, tenantId: gateway.acme.id, id: device.key, version }),
  );

describe('a live session', () => {
  it('ends within a second when its credential is revoked', async () => {
    const device = await gateway.acme.device('revoked');
    await using client = await openDevice(gateway.url, device);
    await gateway.database.admin.query(
      'update device_credentials set revoked_at = now() where device_id = $1',
      [device.id],
    );
    tell('credential', device);
    await promptly('the end', () => client.closed());
    await using again = await openRaw(gateway.url);
    again.send(connectPacket(device));
    expect(await again.packet('connack')).toMatchObject({ returnCode: 4 });
  });

  it('goes on when another credential of the device is revoked', async () => {
    const device = await gateway.acme.device('rotated');
    await using client = await openDevice(gateway.url, device);
    await gateway.database.admin.query(
      `insert into device_credentials (tenant_id, device_id, kind, secret_hash, hint, revoked_at)
       values ($1, $2, 'TOKEN', 'x', 'x', now())`,
      [gateway.acme.id, device.id],
    );
    tell('credential', device);
    client.socket.write(publish(device, 1));
    await client.packet('puback');
    expect(client.closed()).toBe(false);
  });

  it('ends when its device is decommissioned, which then may not come back', async () => {
    const device = await gateway.acme.device('decommissioned');
    await using client = await openDevice(gateway.url, device);
    await gateway.database.admin.query(`update devices set status = 'DECOMMISSIONED' where id = $1`, [
      device.id,
    ]);
    tell('device', device);
    await promptly('the end', () => client.closed());
    await using again = await openRaw(gateway.url);
    again.send(connectPacket(device));
    expect(await again.packet('connack')).toMatchObject({ returnCode: 5 });
  });

  it('ends when another gateway holds the device under a higher epoch, and not under a lower one', async () => {
    const device = await gateway.acme.device('moved');
    await using client = await openDevice(gateway.url, device);
    const { rows } = await gateway.database.admin.query(
      'select epoch from device_sessions where device_id = $1',
      [device.id],
    );
    tell('session', device, Number(rows[0]?.epoch));
    client.socket.write(publish(device, 1));
    await client.packet('puback');
    expect(client.closed()).toBe(false);
    tell('session', device, Number(rows[0]?.epoch) + 1);
    await promptly('the end', () => client.closed());
  });

  it('is in the table while it lasts, under a gateway with a lease', async () => {
    const device = await gateway.acme.device('tabled');
    const client = await openDevice(gateway.url, device);
    const find = async () =>
      (
        await gateway.database.admin.query(
          `select s.epoch from device_sessions s join gateways g on g.id = s.gateway_id and g.lease_expires_at > now()
           where s.device_id = $1`,
          [device.id],
        )
      ).rows;
    expect(await find()).toHaveLength(1);
    await client[Symbol.asyncDispose]();
    await until('the row to go', async () => (await find()).length === 0);
  });
});

describe('without the bus', () => {
  it('nothing is acknowledged, nobody is cut off, and all is well once it is back', async () => {
    const device = await gateway.acme.device('no-bus');
    await using client = await openDevice(gateway.url, device);
    client.socket.write(publish(device, 1));
    await client.packet('puback');
    gateway.nats.process.kill('SIGSTOP');
    for (let id = 2; id <= 50; id++) client.socket.write(publish(device, id));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(client.received.filter((packet) => packet.cmd === 'puback')).toHaveLength(1);
    gateway.nats.process.kill('SIGCONT');
    await until(
      'the PUBACKs',
      () => client.received.filter((packet) => packet.cmd === 'puback').length === 50,
    );

    gateway.nats.process.kill('SIGKILL');
    for (let id = 51; id <= 100; id++) client.socket.write(publish(device, id));
    await until(
      'the PUBACKs',
      () => client.received.filter((packet) => packet.cmd === 'puback').length === 100,
    );
    const ids = client.received.flatMap((packet) => (packet.cmd === 'puback' ? [packet.messageId] : []));
    expect(ids).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    const expected = Array.from({ length: 100 }, (_, index) => `{"n":${index + 1}}`);
    await until('every message', () => new Set(gateway.said(device)).size === 100);
    expect([...new Set(gateway.said(device))].toSorted()).toEqual(expected.toSorted());
  });
});

describe('without the database', () => {
  it('sessions go on, known devices come back, and unknown ones are told to wait', async () => {
    const [known, stranger] = await gateway.acme.devices(2, 'no-database');
    if (!known || !stranger) throw new Error('no devices');
    await using live = await openDevice(gateway.url, known);
    const { admin } = gateway.database;
    const name = new URL(gateway.database.adminUrl).pathname.slice(1);
    await admin.query(`revoke connect on database ${name} from public`);
    try {
      await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'fleetgraph_worker'
        and datname = current_database()`);
      live.socket.write(publish(known, 1));
      await live.packet('puback');
      await using back = await openDevice(gateway.url, known);
      back.socket.write(publish(known, 2));
      await back.packet('puback');
      await promptly('the takeover', () => live.closed());
      await using unknown = await openRaw(gateway.url);
      unknown.send(connectPacket(stranger));
      expect(await unknown.packet('connack')).toMatchObject({ returnCode: 3 });

      await admin.query(`grant connect on database ${name} to public`);
      const [, connected = ''] = await until('both sessions', () => {
        const said = gateway.said(known, 'connected');
        return said.length === 2 && said;
      });
      const { epoch } = JSON.parse(connected);
      const stored = 'select 1 from device_sessions where device_id = $1 and epoch = $2';
      await until(
        'the session in the table',
        async () => (await admin.query(stored, [known.id, epoch])).rowCount === 1,
      );
    } finally {
      await admin.query(`grant connect on database ${name} to public`);
    }
  });
});

describe('when it stops', () => {
  it('acknowledges what it read, says that its devices are gone, and leaves no lease', async () => {
    const device = await gateway.acme.device('stopping');
    await using client = await openDevice(gateway.url, device);
    for (let id = 1; id <= 200; id++) client.socket.write(publish(device, id));
    await client.packet('puback');
    await gateway.processes.get('gateway').stop();
    await until('the end', () => client.closed());
    const acknowledged = client.received.filter((packet) => packet.cmd === 'puback').length;
    await until('every acknowledged message', () => gateway.said(device).length >= acknowledged);
    const gone = await gateway.arrived(device, (item) => item.kind === 'disconnected');
    expect(JSON.parse(Buffer.from(gone.payload).toString()).reason).toBe('gateway_stopping');
    const { rows } = await gateway.database.admin.query(
      'select (select count(*) from gateways) + (select count(*) from device_sessions) as left',
    );
    expect(Number(rows[0]?.left)).toBe(0);
  });
});
