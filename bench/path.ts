import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createLoad } from '#simulator/load.ts';
import { provision } from './fleet.ts';
import type { Percentiles } from './ingest.ts';
import type { BenchPlatform } from './platform.ts';
import { openSubscribers } from './subscribers.ts';

export interface PathResult {
  readonly messages: number;
  readonly received: number;
  /** From the message's own `ts` to a graphql-ws subscriber, in ms. */
  readonly live: Percentiles;
  readonly pubacks: Percentiles;
}

const RATE = 10;
const WARM_UP_MS = 2_000;

/** One device, ten messages a second, one subscriber: what a message takes when nothing else happens. */
export async function benchPath(platform: BenchPlatform, seconds: number): Promise<PathResult> {
  const database = new pg.Pool({ connectionString: platform.database, max: 2 });
  await using opened = new AsyncDisposableStack();
  opened.defer(() => database.end());
  const [tenant] = await provision(database, platform.secretKey, 1, 1);
  if (!tenant) throw new Error('no tenant was made');
  const load = createLoad({ url: platform.mqtt, devices: tenant.devices, rate: RATE, boot: 1 });
  opened.defer(() => load.close());
  await load.connect();
  const deviceKeys = tenant.devices.map((device) => device.key);
  const subscriber = { apiKey: tenant.apiKey, tenant: tenant.slug, deviceKeys };
  const subscribers = opened.use(
    await openSubscribers({ url: platform.graphqlWs, subscribers: [subscriber] }),
  );
  load.start();
  await sleep(WARM_UP_MS);
  load.pubacks.clear();
  subscribers.count();
  await sleep(seconds * 1000);
  await load.finish(10_000);
  await sleep(500);
  const { p50, p95, p99, received } = await subscribers.report();
  const { pubacks } = load;
  return {
    messages: load.acknowledged,
    received,
    live: { p50, p95, p99 },
    pubacks: { p50: pubacks.percentile(0.5), p95: pubacks.percentile(0.95), p99: pubacks.percentile(0.99) },
  };
}
