import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { AckPolicy } from '@nats-io/jetstream';
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet';
import type { Bus } from '#core/bus/connect.ts';
import { type FrameItem, parseFrame } from '#core/bus/messages.ts';
import { UPLINK_STREAMS } from '#core/bus/uplink-streams.ts';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { openTestBus, openTestNats } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { type SeededDevice, seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';

/** A gateway between a real database and a real bus, and what arrives on the streams of devices. */
export interface GatewaySetup extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly nats: Awaited<ReturnType<typeof openTestNats>>;
  readonly bus: Bus;
  readonly processes: TestProcesses;
  readonly acme: TenantSeed;
  readonly url: string;
  /** Everything that has arrived, in stream order. */
  readonly items: FrameItem[];
  /** Waits for the first item of a device that fits. */
  arrived(device: SeededDevice, fits: (item: FrameItem) => boolean): Promise<FrameItem>;
  /** What a device has said on a topic so far, as text. */
  said(device: SeededDevice, kind?: FrameItem['kind']): string[];
  /** The value of a metric of the gateway, all labels together. */
  metric(name: string): Promise<number>;
}

export async function setUpGateway(env: Readonly<Record<string, string>> = {}): Promise<GatewaySetup> {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await openTestDatabase());
  const nats = opened.use(await openTestNats());
  const bus = opened.use(await openTestBus(nats));
  const processes = opened.use(
    await startProcesses({ database, natsUrl: nats.url, start: ['gateway'], env }),
  );
  const items: FrameItem[] = [];
  await tapStreams(bus, items);
  const acme = await seedTenant(database.admin, 'acme');
  const rest = opened.move();
  const of = (device: SeededDevice) =>
    items.filter((item) => item.tenant === device.tenant && item.device === device.key);
  return {
    ...{ database, nats, bus, processes, acme, items },
    url: `mqtt://127.0.0.1:${processes.mqttPort}`,
    arrived: (device, fits) => until(`a message of ${device.username}`, () => of(device).find(fits)),
    said: (device, kind = 'telemetry') =>
      of(device)
        .filter((item) => item.kind === kind)
        .map((item) => Buffer.from(item.payload).toString()),
    async metric(name) {
      const response = await fetch(`http://127.0.0.1:${processes.healthPort('gateway')}/metrics`);
      const lines = (await response.text())
        .split('\n')
        .filter((line) => line.startsWith(`fleetgraph_gateway_${name}`));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

/** Takes every frame off the work queues. */
async function tapStreams(bus: Bus, items: FrameItem[]): Promise<void> {
  const durable_name = 'tap';
  for (const stream of UPLINK_STREAMS) {
    await bus.jsm.consumers.add(stream, {
      durable_name,
      ack_policy: AckPolicy.Explicit,
      max_ack_pending: 10_000,
    });
    const consumer = await bus.js.consumers.get(stream, durable_name);
    await consumer.consume({
      callback(message) {
        items.push(...parseFrame(message.data).items);
        message.ack();
      },
    });
  }
}

/** A socket that speaks packets, and anything else one likes to send. */
export interface RawClient extends AsyncDisposable {
  readonly socket: Socket;
  readonly received: Packet[];
  /** True once the other side has closed. */
  closed(): boolean;
  send(packet: Packet): void;
  /** Waits for the first packet of a kind. */
  packet<Cmd extends Packet['cmd']>(cmd: Cmd): Promise<Extract<Packet, { cmd: Cmd }>>;
}

export async function openRaw(url: string, protocolVersion: 4 | 5 = 4): Promise<RawClient> {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  const received: Packet[] = [];
  const reader = parser({ protocolVersion });
  reader.on('packet', (packet) => received.push(packet));
  let closed = false;
  socket.on('data', (chunk) => reader.parse(chunk));
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  await once(socket, 'connect');
  return {
    ...{ socket, received },
    closed: () => closed,
    send: (packet) => socket.write(generate(packet, { protocolVersion })),
    packet: (cmd) =>
      until(`a ${cmd}`, () =>
        received.find((packet): packet is Extract<Packet, { cmd: typeof cmd }> => packet.cmd === cmd),
      ),
    async [Symbol.asyncDispose]() {
      socket.destroy();
      if (!closed) await once(socket, 'close');
    },
  };
}

/** The CONNECT of a device. */
export function connectPacket(device: SeededDevice, over: Partial<IConnectPacket> = {}): IConnectPacket {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: device.key,
    clean: true,
    keepalive: 60,
    username: device.username,
    password: Buffer.from(device.password),
    ...over,
  };
}

/** A raw client that has been let in. */
export async function openDevice(
  url: string,
  device: SeededDevice,
  over: Partial<IConnectPacket> = {},
): Promise<RawClient> {
  const client = await openRaw(url, over.protocolVersion === 5 ? 5 : 4);
  client.send(connectPacket(device, over));
  const { returnCode, reasonCode } = await client.packet('connack');
  const code = returnCode ?? reasonCode;
  if (code !== 0) throw new Error(`not let in: ${code}`);
  return client;
}

export const topicOf = (device: SeededDevice, leaf: string): string =>
  `tenant/${device.tenant}/device/${device.key}/${leaf}`;

/** The reason code that the gateway gives before it closes. @throws Error when it gives none, or no sentence for it */
export async function goodbye(client: RawClient): Promise<number | undefined> {
  await until('the end', () => client.closed());
  const said = client.received.find((packet) => packet.cmd === 'disconnect');
  if (!/\w+ \w+/.test(said?.properties?.reasonString ?? ''))
    throw new Error(`closed with ${said?.reasonCode ?? 'no code'}, and did not say why`);
  return said?.reasonCode;
}
