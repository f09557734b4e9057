import type { NatsServer } from '#standalone/nats.ts';
import type { SupervisedProcess } from '#standalone/supervise.ts';
import { openMosquitto } from '#tests/kit/mosquitto-broker.ts';
import { type MqttLoad, openMqttLoad } from '#tests/kit/mqtt-load.ts';
import { openTestNats } from '#tests/kit/nats.ts';
import { type ProcessName, startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { type OwnDatabase, openOwnDatabase } from '#tests/kit/servers.ts';
import { openSubscriber, type Subscriber } from '#tests/kit/subscriber.ts';
import { metricOf, seedTemplate, setTemplate } from '#tests/kit/templates.ts';
import { until } from '#tests/kit/wait.ts';

const OWN = [
  'gateway',
  'bridge',
  'ingest',
  'evaluator',
  'relay',
  'janitor',
  'api',
] as const satisfies ProcessName[];
const DEVICES = 20;
/** Of the devices, those at the outside broker. */
const AT_THE_BROKER = 5;
const PATIENCE_MS = 90_000;
/** What half of the devices are: what they call `value` is stored as `total`, and `load` becomes a sensor while things fall. */
const TEMPLATE = {
  metrics: [metricOf('total', { max: null })],
  unknownMetrics: 'FLAG',
  discoverSensors: true,
};
const FACTOR = 2;

/** Everything that can be killed or paused. */
export const VICTIMS = [...OWN, 'nats-server', 'postgres'] as const;
export type Victim = (typeof VICTIMS)[number];

/** What came of everything published so far; everything from `lost` on is to be 0 or empty. */
export interface Account {
  readonly acknowledged: number;
  readonly stored: number;
  readonly lost: number;
  readonly doubled: number;
  /** Readings of devices with a template that do not hold what their map makes of the message. */
  readonly mismeasured: number;
  readonly missedLive: number;
  readonly repeatedLive: number;
  readonly gaps: number;
}

/** A whole platform with an outside broker, devices at both doors, and a subscriber that resumes by cursor. */
export interface Rig extends AsyncDisposable {
  readonly acme: TenantSeed;
  readonly database: OwnDatabase;
  readonly nats: NatsServer;
  readonly processes: TestProcesses;
  victim(name: Victim): SupervisedProcess;
  /** Publishes from every device at a steady rate in all, through mqtt.js with QoS 1, then waits for the acknowledgements. */
  publish(messagesPerSecond: number, durationMs: number): Promise<void>;
  /** Messages published so far. */
  readonly published: number;
  /** Waits until nothing is under way any more, at most a minute and a half, and counts. */
  account(): Promise<Account>;
}

export async function openRig(): Promise<Rig> {
  const opened = new AsyncDisposableStack();
  try {
    const database = opened.use(await openOwnDatabase());
    const nats = opened.use(await openTestNats());
    const broker = opened.use(await openMosquitto());
    const processes = opened.use(
      await startProcesses({
        ...{ database, natsUrl: nats.url, start: OWN },
        env: { BRIDGE_URL: broker.url, BRIDGE_ID: 'prove', BRIDGE_CONNECTIONS: '2' },
      }),
    );
    const acme = await seedTenant(database.admin, 'acme');
    const devices = await acme.devices(DEVICES);
    const ids = devices.filter((_, index) => index % 2 === 1).map(({ id }) => id);
    await setTemplate(database.admin, await seedTemplate(database.admin, acme, 'modelled', TEMPLATE), ids, [
      { raw: 'value', metric: 'total', scale: FACTOR },
    ]);
    const subscriber = opened.use(await openSubscriber(processes.httpPort, await acme.apiKey('VIEWER')));
    const direct = await openMqttLoad(`mqtt://127.0.0.1:${processes.mqttPort}`, devices.slice(AT_THE_BROKER));
    const bridged = await openMqttLoad(broker.url, devices.slice(0, AT_THE_BROKER));
    const loads = [opened.use(direct), opened.use(bridged)];
    const published = () => loads.reduce((sum, load) => sum + load.published, 0);
    return {
      ...{ acme, database, nats, processes },
      victim(name) {
        if (name === 'nats-server') return nats.process;
        return name === 'postgres' ? database.server : processes.get(name);
      },
      async publish(messagesPerSecond, durationMs) {
        const share = AT_THE_BROKER / DEVICES;
        await Promise.all([
          direct.publish(messagesPerSecond * (1 - share), durationMs),
          bridged.publish(messagesPerSecond * share, durationMs),
        ]);
        await Promise.all(loads.map((load) => load.settled()));
      },
      get published() {
        return published();
      },
      account: () => account(database, loads, subscriber),
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

type Counted = Pick<Account, 'stored' | 'mismeasured'> & { readonly messages: number };

async function account(
  database: OwnDatabase,
  loads: readonly MqttLoad[],
  subscriber: Subscriber,
): Promise<Account> {
  const acknowledged = loads.reduce((sum, load) => sum + load.acknowledged.size, 0);
  const count = async () => {
    const { rows } = await database.admin.query<Counted>(
      `select count(*)::int as stored, count(distinct (r.device_id, r.msg_id))::int as messages,
         count(*) filter (where d.template_id is not null
           and ((r.metrics -> 'total')::float8 is distinct from r.msg_id * $1::int or r.metrics ? 'value'))::int as mismeasured
       from readings r join devices d on d.id = r.device_id where r.msg_id < 140737488355328`,
      [FACTOR],
    );
    return rows[0] ?? { stored: 0, messages: 0, mismeasured: 0 };
  };
  // Whoever waits in vain is told by the figures what is missing.
  await until('every row', async () => (await count()).messages >= acknowledged, PATIENCE_MS).catch(
    () => undefined,
  );
  await until('the subscriber', () => subscriber.seen.size >= acknowledged, PATIENCE_MS).catch(
    () => undefined,
  );
  const { stored, messages, mismeasured } = await count();
  return {
    acknowledged,
    stored,
    lost: Math.max(0, acknowledged - messages),
    doubled: stored - messages,
    mismeasured,
    missedLive: Math.max(0, acknowledged - subscriber.seen.size),
    repeatedLive: [...subscriber.seen.values()].filter((times) => times > 1).length,
    gaps: subscriber.gaps.length,
  };
}
