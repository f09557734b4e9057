import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram } from './histogram.ts';
import { LoadConnection, type LoadDevice } from './load-connection.ts';

export interface LoadOptions {
  /** `mqtt://host:port` */
  readonly url: string;
  /** One connection each. */
  readonly devices: readonly LoadDevice[];
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
  start(): void;
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

/** A fleet of lean devices that publishes at a steady rate and keeps account of what was acknowledged. */
export function createLoad(options: LoadOptions): Load {
  const { hostname, port } = new URL(options.url);
  const pubacks = new Histogram();
  let sent = 0;
  let acknowledged = 0;
  let reconnects = 0;
  let lag = 0;
  let timer: NodeJS.Timeout | undefined;
  const connections = options.devices.map(
    (device) =>
      new LoadConnection({
        ...{ host: hostname, port: Number(port), device, window: options.window ?? 256 },
        payload: (seq) => payload(seq, options.boot),
        onAcknowledged: (waitedMs) => {
          acknowledged += 1;
          pubacks.record(waitedMs);
        },
        onReconnect: () => {
          reconnects += 1;
        },
      }),
  );

  let next = 0;
  const sendDue = (count: number): number => {
    const now = performance.now();
    let left = count;
    for (let tried = 0; left > 0 && tried < connections.length; next = (next + 1) % connections.length) {
      const connection = connections[next];
      if (!connection?.hasRoom) {
        tried += 1;
        continue;
      }
      tried = 0;
      connection.send(now);
      left -= 1;
    }
    for (const connection of connections) connection.flush();
    return count - left;
  };

  return {
    async connect() {
      for (let at = 0; at < connections.length; at += CONNECTING_AT_ONCE) {
        const group = connections.slice(at, at + CONNECTING_AT_ONCE);
        for (const connection of group) connection.start();
        const deadline = Date.now() + 30_000;
        while (group.some((connection) => !connection.connected)) {
          const refused = group.find((connection) => connection.refusedWith !== undefined);
          if (refused)
            throw new Error(`${refused.device.username} was refused with code ${refused.refusedWith}`);
          if (Date.now() > deadline) throw new Error('not everybody is connected after 30 s');
          await sleep(5);
        }
      }
    },
    start() {
      const beganAt = performance.now();
      const sentBefore = sent;
      timer = setInterval(() => {
        const due = Math.floor(((performance.now() - beganAt) * options.rate) / 1000) - (sent - sentBefore);
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
      await Promise.all(connections.map((connection) => connection.stop()));
    },
    accounts: () =>
      connections.map(({ device, sent, acknowledged }) => ({
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
      return connections.reduce((sum, connection) => sum + connection.outOfOrder, 0);
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

/** A train meter's sample, about 150 bytes. */
function payload(seq: number, boot: number): string {
  const swing = seq % 100;
  return `{"version":"1","ts":${Date.now()},"seq":${seq},"boot":${boot},"metrics":{"voltage_dc":${740 + swing / 5},"current_dc":${swing * 4},"temperature":${20 + swing / 10},"battery":${100 - swing / 2},"door":${swing === 0}}}`;
}
