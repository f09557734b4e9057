import { setTimeout as sleep } from 'node:timers/promises';
import { type DevicePlan, type KnownSetOptions, planDevice, stormTimes } from './known-set.ts';
import { LoadConnection, type LoadDevice } from './load-connection.ts';

export interface PlayOptions extends KnownSetOptions {
  /** `mqtt://host:port` */
  readonly url: string;
  readonly devices: readonly LoadDevice[];
  /** Goes into every message, so that a set can be played again on the same devices. 1 to 65 535. */
  readonly boot: number;
  /** The set's beginning, in ms since the epoch. */
  readonly beganAt: number;
  /** How long to wait for the last acknowledgement. */
  readonly timeoutMs: number;
}

/** What became of a set. */
export interface PlayedSet {
  readonly devices: readonly Played[];
  /** After each storm, how long until everybody was connected again, in ms. */
  readonly reconnectedMs: readonly number[];
}

/** What became of one device's plan. */
export interface Played {
  readonly device: LoadDevice;
  readonly plan: DevicePlan;
  readonly boot: number;
  readonly beganAt: number;
  /** Of `plan.sends`, from the first. */
  readonly sent: number;
  readonly acknowledged: number;
  readonly reconnects: number;
}

const TICK_MS = 5;
const WINDOW = 256;

/**
 * Plays a known set on real connections, one a device, and keeps account of what was acknowledged. Returns after the last
 * acknowledgement, or when the time is up.
 * @throws Error when not every device is connected within 30 s
 */
export async function playKnownSet(options: PlayOptions): Promise<PlayedSet> {
  const { hostname, port } = new URL(options.url);
  const players = options.devices.map((device, index) => {
    const plan = planDevice(device.key, index, options);
    const player = { device, plan, reconnects: 0 };
    const connection = new LoadConnection({
      ...{ host: hostname, port: Number(port), device, window: WINDOW },
      payload: (count) => payloadOf(plan, count, options),
      onAcknowledged: () => undefined,
      onReconnect: () => {
        player.reconnects += 1;
      },
    });
    return Object.assign(player, { connection });
  });
  const ahead = stormTimes(options);
  const reconnectedMs: number[] = [];
  let storms = 0;
  let brokenAt: number | undefined;
  for (const { connection } of players) connection.start();
  try {
    const connectedBy = performance.now() + 30_000;
    while (players.some(({ connection }) => !connection.connected)) {
      if (performance.now() > connectedBy) throw new Error('not every device is connected after 30 s');
      await sleep(TICK_MS);
    }
    const startedAt = performance.now();
    const settled = () =>
      players.every(({ plan, connection }) => connection.acknowledged === plan.sends.length);
    const playFor = options.samples * options.intervalMs + options.timeoutMs;
    while (!settled() && performance.now() - startedAt < playFor) {
      const elapsed = performance.now() - startedAt;
      for (const { plan, connection } of players) sendDue(plan, connection, elapsed);
      while (ahead[0] !== undefined && elapsed >= ahead[0]) {
        ahead.shift();
        storms += 1;
        brokenAt = performance.now();
        for (const { connection } of players) connection.break();
      }
      if (brokenAt !== undefined && isBack(players, storms)) {
        reconnectedMs.push(performance.now() - brokenAt);
        brokenAt = undefined;
      }
      await sleep(TICK_MS);
    }
  } finally {
    await Promise.all(players.map(({ connection }) => connection.stop()));
  }
  const { boot, beganAt } = options;
  const devices = players.map(({ device, plan, reconnects, connection: { sent, acknowledged } }) => {
    return { device, plan, boot, beganAt, sent, acknowledged, reconnects };
  });
  return { devices, reconnectedMs };
}

const isBack = (
  players: readonly { readonly connection: LoadConnection; readonly reconnects: number }[],
  storms: number,
) => players.every(({ connection, reconnects }) => connection.connected && reconnects >= storms);

function sendDue(plan: DevicePlan, connection: LoadConnection, elapsed: number): void {
  while (connection.hasRoom) {
    const next = plan.sends[connection.sent];
    if (!next || next.dueMs > elapsed) break;
    connection.send(performance.now());
  }
  connection.flush();
}

function payloadOf(plan: DevicePlan, count: number, { boot, beganAt }: PlayOptions): string {
  const sample = plan.sends[count - 1]?.sample;
  if (!sample) throw new RangeError(`${plan.key} sends ${plan.sends.length} messages, not ${count}`);
  const { seq, at, metrics } = sample;
  return JSON.stringify({ version: '1', ts: beganAt + at, seq, boot, metrics });
}
