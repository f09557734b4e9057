import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync, type MqttClient } from 'mqtt';
import type { SeededDevice } from './seed.ts';
import { until } from './wait.ts';

/** Devices that publish numbered readings with QoS 1 through mqtt.js and remember what was acknowledged. */
export interface MqttLoad extends AsyncDisposable {
  /** Publishes at a steady rate, all devices in turn, for a while; does not wait for acknowledgements. */
  publish(messagesPerSecond: number, durationMs: number): Promise<void>;
  /** Waits until everything published so far is acknowledged. mqtt.js sends again what a broken connection left open. */
  settled(): Promise<void>;
  readonly published: number;
  /** `{device}/{seq}` of every acknowledged message. */
  readonly acknowledged: ReadonlySet<string>;
}

const TICK_MS = 20;

export async function openMqttLoad(url: string, devices: readonly SeededDevice[]): Promise<MqttLoad> {
  const clients: MqttClient[] = await Promise.all(
    devices.map(({ username, password, key }) =>
      connectAsync(url, {
        username,
        password,
        clientId: key,
        reconnectPeriod: 250,
        clean: false,
      }),
    ),
  );
  for (const client of clients) client.on('error', () => undefined);
  const acknowledged = new Set<string>();
  let published = 0;
  const sequences = devices.map(() => 0);

  const publishOne = (index: number) => {
    const device = devices[index];
    const client = clients[index];
    if (!device || !client) return;
    const seq = (sequences[index] ?? 0) + 1;
    sequences[index] = seq;
    published++;
    const payload = JSON.stringify({ ts: Date.now(), seq, metrics: { value: seq, load: seq % 7 } });
    client.publish(`tenant/${device.tenant}/device/${device.key}/telemetry`, payload, { qos: 1 }, (error) => {
      if (!error) acknowledged.add(`${device.key}/${seq}`);
    });
  };

  return {
    async publish(messagesPerSecond, durationMs) {
      const startedAt = Date.now();
      let sent = 0;
      while (Date.now() - startedAt < durationMs) {
        const due = ((Date.now() - startedAt) / 1_000) * messagesPerSecond;
        for (; sent < due; sent++) publishOne(sent % devices.length);
        await sleep(TICK_MS);
      }
    },
    settled: async () => {
      await until('every acknowledgement', () => acknowledged.size === published, 120_000);
    },
    get published() {
      return published;
    },
    acknowledged,
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.endAsync(true)));
    },
  };
}
