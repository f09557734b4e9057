import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NatsServer } from '#standalone/nats.ts';
import { type MqttLoad, openMqttLoad } from '#tests/kit/mqtt-load.ts';
import { openTestNats } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { seedTenant } from '#tests/kit/seed.ts';
import { type OwnDatabase, openOwnDatabase } from '#tests/kit/servers.ts';
import { openSubscriber, type Subscriber } from '#tests/kit/subscriber.ts';
import { until } from '#tests/kit/wait.ts';

const RATE = 2_000;
const DEVICES = 20;
/** Shorter than the pause before the first victim is started again. */
const BETWEEN_MS = 120;

const opened = new AsyncDisposableStack();
let database: OwnDatabase;
let nats: NatsServer;
let processes: TestProcesses;
let load: MqttLoad;
let subscriber: Subscriber;

beforeAll(async () => {
  database = opened.use(await openOwnDatabase());
  nats = opened.use(await openTestNats());
  processes = opened.use(
    await startProcesses({
      database,
      natsUrl: nats.url,
      start: ['gateway', 'ingest', 'evaluator', 'relay', 'api'],
    }),
  );
  const acme = await seedTenant(database.admin, 'acme');
  const devices = await acme.devices(DEVICES);
  subscriber = opened.use(await openSubscriber(processes.httpPort, await acme.apiKey('VIEWER')));
  load = opened.use(await openMqttLoad(`mqtt://127.0.0.1:${processes.mqttPort}`, devices));
});

afterAll(() => opened.disposeAsync());

/** How many readings are stored, and how many different messages they are. */
async function stored(): Promise<{ rows: number; messages: number }> {
  const counts = await database.admin.query<{ rows: number; messages: number }>(
    'select count(*)::int as rows, count(distinct (device_id, msg_id))::int as messages from readings',
  );
  return counts.rows[0] ?? { rows: 0, messages: 0 };
}

const victims = {
  ingest: () => [processes.get('ingest')],
  gateway: () => [processes.get('gateway')],
  'nats-server': () => [nats.process],
  postgres: () => [database.server],
  api: () => [processes.get('api')],
  'ingest and nats-server': () => [processes.get('ingest'), nats.process],
  'gateway and postgres': () => [processes.get('gateway'), database.server],
  // With the bus away first, whatever the gateway acknowledges too early dies with it.
  'nats-server, then gateway': () => [nats.process, processes.get('gateway')],
};

describe(`kill -9 while ${RATE} messages a second flow`, () => {
  it.each(Object.entries(victims))(
    'of %s: every acknowledged message is stored once and reaches the subscriber once',
    async (name, choose) => {
      const killed = choose();
      const restarts = killed.map((victim) => victim.restarts);
      const before = load.published;
      const publishing = load.publish(RATE, 4_000);
      for (const [index, victim] of killed.entries()) {
        setTimeout(() => victim.kill('SIGKILL'), 1_500 + index * BETWEEN_MS);
      }
      await publishing;
      await load.settled();
      await until('every row', async () => (await stored()).messages >= load.published, 60_000);
      await until('the subscriber', () => subscriber.seen.size >= load.published, 60_000);

      for (const [index, victim] of killed.entries())
        expect(victim.restarts).toBeGreaterThan(restarts[index] ?? 0);
      expect(await stored()).toEqual({ rows: load.published, messages: load.published });
      const repeated = [...subscriber.seen.values()].filter((times) => times > 1).length;
      expect({ seen: subscriber.seen.size, repeated, gaps: subscriber.gaps }).toEqual({
        seen: load.published,
        repeated: 0,
        gaps: [],
      });
      console.log(
        `${name}: ${load.published - before} acknowledged, 0 lost, 0 doubled, subscriber reconnects ${subscriber.reconnects}`,
      );
    },
    180_000,
  );
});
