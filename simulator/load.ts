import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram } from './histogram.ts';
import { LoadConnection, type LoadDevice } from './load-connection.ts';
import { LoadSeat } from './load-seat.ts';

export interface LoadOptions {
  /** `mqtt://host:port` */
  readonly url: string;
  /** One connection each, unless they take turns. */
  readonly devices: readonly LoadDevice[];
  /** Shares fewer connections: a device says goodbye after so many messages, and another comes. */
  readonly turns?: { readonly connections: number; readonly messages: number };
  /** Messages a second, all connections together. */
  readonly rate: number;
  /** QoS 1 messages of one connection without a PUBACK. Default 256. */
  readonly window?: number;
  /** Goes into every message: (device, boot, seq) is what the platform tells messages apart by. 1 to 65 535. */
  readonly boot: number;
}

/** What one device sent: messages 1 to `sent`, of which 1 to `acknowledged` were acknowledged. */
export interface LoadAccount {
  readonly tenant: string;
  readonly key: string;
  readonly boot: number;
  readonly sent: number;
  readonly acknowledged: number;
}

export interface Load {
  /** Connects everybody; rejects when not all are connected within 30 s. */
  connect(): Promise<void>;
  /**
   * With turns, before `start`: every device comes, sends one message and leaves, as fast as it goes. Resolves when all of it is
   * acknowledged; rejects when that takes longer than `timeoutMs`.
   */
  introduce(timeoutMs: number): Promise<void>;
  /** Begins to send; the rate grows evenly to the whole of it within `rampMs`, as a fleet's does. Default: at once. */
  start(rampMs?: number): void;
  /** Sends nothing new and waits until everything is acknowledged; false when that takes longer than `timeoutMs`. */
  finish(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
  accounts(): LoadAccount[];
  readonly sent: number;
  readonly acknowledged: number;
  readonly reconnects: number;
  /** PUBACKs that did not come in the order of the messages. */
  readonly outOfOrder: number;
  /** From the first sending of a message to its PUBACK, in ms. */
  readonly pubacks: Histogram;
  /** The most messages that the generator was behind its own schedule, since the last `resetLag`. */
  readonly lag: number;
  resetLag(): void;
}

const TICK_MS = 4;
const CONNECTING_AT_ONCE = 100;
/** A closed connection keeps its port for a minute: whoever comes and goes needs more than one address has. */
const SOURCE_ADDRESSES = 8;

/** A fleet of lean devices that publishes at a steady rate and keeps account of what was acknowledged. */
export function createLoad(options: LoadOptions): Load {
  const { hostname, port } = new URL(options.url);
  const pubacks = new Histogram();
  let sent = 0;
  let acknowledged = 0;
  let reconnects = 0;
  let lag = 0;
  let timer: NodeJS.Timeout | undefined;
  const connectionOf = (device: LoadDevice, onAcknowledged: () => void, localAddress?: string) =>
    new LoadConnection({
      ...{ host: hostname, port: Number(port), localAddress, device, window: options.window ?? 256 },
      payload: (seq) => payload(seq, options.boot),
      onAcknowledged: (waitedMs) => {
        acknowledged += 1;
        pubacks.record(waitedMs);
        onAcknowledged();
      },
      onReconnect: () => {
        reconnects += 1;
      },
    });
  const seats = seatsOf(options, connectionOf);

  let next = 0;
  const due: LoadConnection[] = [];
  const sendDue = (count: number): number => {
    const now = performance.now();
    let left = count;
    for (let tried = 0; left > 0 && tried < seats.length; next = (next + 1) % seats.length) {
      const connection = seats[next]?.take();
      if (!connection) {
        tried += 1;
        continue;
      }
      tried = 0;
      connection.send(now);
      due.push(connection);
      left -= 1;
    }
    for (const connection of due) connection.flush();
    due.length = 0;
    return count - left;
  };

  return {
    async connect() {
      for (let at = 0; at < seats.length; at += CONNECTING_AT_ONCE) {
        const group = seats.slice(at, at + CONNECTING_AT_ONCE);
        for (const seat of group) seat.start();
        const deadline = Date.now() + 30_000;
        while (group.some(({ present }) => !present.connected)) {
          const refused = group.find(({ present }) => present.refusedWith !== undefined)?.present;
          if (refused)
            throw new Error(`${refused.device.username} was refused with code ${refused.refusedWith}`);
          if (Date.now() > deadline) throw new Error('not everybody is connected after 30 s');
          await sleep(5);
        }
      }
    },
    async introduce(timeoutMs) {
      const deadline = Date.now() + timeoutMs;
      for (const seat of seats) seat.share = 1;
      while (acknowledged < sent || seats.some((seat) => !seat.hasGoneRound)) {
        if (Date.now() > deadline) throw new Error(`not everybody was introduced after ${timeoutMs} ms`);
        for (const seat of seats) {
          const newcomer = seat.hasGoneRound ? undefined : seat.take();
          if (!newcomer) continue;
          newcomer.send(performance.now());
          newcomer.flush();
          sent += 1;
        }
        await sleep(TICK_MS);
      }
      for (const seat of seats) seat.share = options.turns?.messages ?? Number.POSITIVE_INFINITY;
    },
    start(rampMs = 0) {
      const beganAt = performance.now();
      const sentBefore = sent;
      timer = setInterval(() => {
        const passed = performance.now() - beganAt;
        const atFullRate = passed < rampMs ? passed ** 2 / (2 * rampMs) : passed - rampMs / 2;
        const due = Math.floor((atFullRate * options.rate) / 1000) - (sent - sentBefore);
        if (due > 0) sent += sendDue(due);
        lag = Math.max(lag, due);
      }, TICK_MS);
    },
    async finish(timeoutMs) {
      clearInterval(timer);
      const deadline = Date.now() + timeoutMs;
      while (acknowledged < sent && Date.now() < deadline) await sleep(20);
      return acknowledged === sent;
    },
    async close() {
      clearInterval(timer);
      await Promise.all(seats.map((seat) => seat.stop()));
    },
    accounts: () =>
      [...connectionsOf(seats)].map(({ device, sent, acknowledged }) => ({
        ...{ tenant: device.tenant, key: device.key, boot: options.boot, sent, acknowledged },
      })),
    get sent() {
      return sent;
    },
    get acknowledged() {
      return acknowledged;
    },
    get reconnects() {
      return reconnects;
    },
    get outOfOrder() {
      let sum = 0;
      for (const connection of connectionsOf(seats)) sum += connection.outOfOrder;
      return sum;
    },
    get lag() {
      return lag;
    },
    resetLag() {
      lag = 0;
    },
    pubacks,
  };
}

type Connect = (device: LoadDevice, onAcknowledged: () => void, localAddress?: string) => LoadConnection;

/** With turns each seat has an equal part of the devices. */
function seatsOf({ devices, turns }: LoadOptions, connect: Connect): LoadSeat[] {
  if (!turns) return devices.map((device) => new LoadSeat([device], Number.POSITIVE_INFINITY, connect));
  const count = Math.min(turns.connections, devices.length);
  return Array.from({ length: count }, (_, seat) => {
    const own: LoadDevice[] = [];
    for (let index = seat; index < devices.length; index += count) {
      const device = devices[index];
      if (device) own.push(device);
    }
    const address = `127.0.0.${2 + (seat % SOURCE_ADDRESSES)}`;
    return new LoadSeat(own, turns.messages, (device, onAcknowledged) =>
      connect(device, onAcknowledged, address),
    );
  });
}

function* connectionsOf(seats: readonly LoadSeat[]): Iterable<LoadConnection> {
  for (const seat of seats) yield* seat.connections;
}

/** A train meter's sample, about 150 bytes. */
function payload(seq: number, boot: number): string {
  const swing = seq % 100;
  return `{"version":"1","ts":${Date.now()},"seq":${seq},"boot":${boot},"metrics":{"voltage_dc":${740 + swing / 5},"current_dc":${swing * 4},"temperature":${20 + swing / 10},"battery":${100 - swing / 2},"door":${swing === 0}}}`;
}
