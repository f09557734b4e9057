import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeEvents, type PresenceEvent } from '#core/bus/events.ts';
import { follow } from '#core/bus/follow.ts';
import { createFramePublisher, type FramePublisher } from '#core/bus/frame-publisher.ts';
import { createPublisher } from '#core/bus/publish.ts';
import { createMetrics } from '#core/runtime/metrics.ts';
import type { NatsServer } from '#standalone/nats.ts';
import { openTestDatabase, type TestDatabase } from '#tests/kit/database.ts';
import { openTestBus, openTestNats, quiet } from '#tests/kit/nats.ts';
import { startProcesses, type TestProcesses } from '#tests/kit/processes.ts';
import { seedTenant, type TenantSeed } from '#tests/kit/seed.ts';
import { until } from '#tests/kit/wait.ts';
import { declareMetrics } from '#workers/evaluator/metrics.ts';
import { createPresenceFollower } from '#workers/evaluator/presence.ts';

const FLEET = 20_000;
const opened = new AsyncDisposableStack();
let database: TestDatabase;
let nats: NatsServer;
let processes: TestProcesses;
let frames: FramePublisher;
let acme: TenantSeed;
const events: PresenceEvent[] = [];

beforeAll(async () => {
  database = opened.use(await openTestDatabase());
  nats = opened.use(await openTestNats());
  const bus = opened.use(await openTestBus(nats));
  processes = opened.use(
    await startProcesses({ database, natsUrl: nats.url, start: ['ingest', 'evaluator', 'relay'] }),
  );
  const publisher = opened.adopt(createPublisher(bus, quiet), (each) => each.close());
  frames = createFramePublisher({ publisher, shards: 16 });
  acme = await seedTenant(database.admin, 'acme');
  const following = follow({
    bus,
    stream: 'EVENTS',
    filter: 'events.*.presence',
    from: 1,
    log: quiet,
    onMessage: (message) => {
      const decoded = decodeEvents(message.data);
      if (decoded.kind === 'presence') events.push(...decoded.parts.flatMap((part) => part.events));
    },
    onLost: () => undefined,
  });
  opened.defer(() => following.stop());
});
afterAll(() => opened.disposeAsync());

const send = (device: string, payload: unknown, kind: 'telemetry' | 'connected' = 'telemetry') =>
  new Promise((resolve, reject) => {
    frames.add(
      {
        ...{ tenant: 'acme', device, kind, dialect: 'canonical', source: 'mqtt', dup: false },
        receivedAt: Date.now(),
        payload: Buffer.from(JSON.stringify(payload)),
      },
      (error, receipt) => (receipt ? resolve(receipt) : reject(error)),
    );
  });

const changesOf = async (deviceId: number) =>
  (
    await database.admin.query(
      'select at, connection, freshness, credential, connection_before, freshness_before, credential_before from presence_changes where device_id = $1 order by at, id',
      [deviceId],
    )
  ).rows;

const eventsOf = (device: string) => events.filter((event) => event.device === device);

/** Devices of a tenant of their own that were fresh and have been silent for an hour. */
async function seedFadedFleet(slug: string): Promise<TenantSeed> {
  const tenant = await seedTenant(database.admin, slug);
  await database.admin.query(
    `with made as (
       insert into devices (tenant_id, key, name) select $1, $3 || '-' || n, 'd' from generate_series(1, $2) n returning id, tenant_id)
     insert into device_presence (device_id, tenant_id, freshness, last_seen_at, fades_at, credential_until)
     select id, tenant_id, 'FRESH', now() - interval '1 hour', now() - interval '58 minutes', null from made`,
    [tenant.id, FLEET, slug],
  );
  return tenant;
}

const countOf = async (
  tenant: TenantSeed,
  table: 'device_presence' | 'presence_changes',
  condition: string,
) =>
  (
    await database.admin.query<{ count: number }>(
      `select count(*)::int from ${table} where tenant_id = $1 and ${condition}`,
      [tenant.id],
    )
  ).rows[0]?.count;

describe('presence on three axes', () => {
  it('makes every change an event and a row', async () => {
    const device = await acme.device('axes', { intervalSeconds: 1 });
    await send('axes', { epoch: '7', at: Date.now(), reason: 'test' }, 'connected');
    await until('stale', () => eventsOf('axes').some(({ freshness }) => freshness === 'STALE'));
    await database.admin.query(
      `update device_credentials set expires_at = now() + interval '3 days' where device_id = $1`,
      [device.id],
    );
    await until('expiring', () => eventsOf('axes').some(({ credential }) => credential === 'EXPIRING'));
    await database.admin.query('update device_credentials set revoked_at = now() where device_id = $1', [
      device.id,
    ]);
    await until('revoked', () => eventsOf('axes').some(({ credential }) => credential === 'REVOKED'));

    const rows = await changesOf(device.id);
    expect(rows.map((row) => row.credential)).toContain('ACTIVE');
    const states = rows.map(({ connection, freshness, credential }) => [connection, freshness, credential]);
    const before = rows.map((row) => [row.connection_before, row.freshness_before, row.credential_before]);
    expect(before).toEqual([['UNKNOWN', 'SILENT', 'NONE'], ...states.slice(0, -1)]);
    expect(states).toContainEqual(['ONLINE', 'FRESH', expect.any(String)]);
    expect(states.at(-1)?.at(2)).toBe('REVOKED');
    const stale = rows.find((row) => row.freshness === 'STALE');
    const fresh = rows.find((row) => row.freshness === 'FRESH');
    expect(stale.at.getTime() - fresh.at.getTime()).toBe(2_000);
  });

  it('finds a credential that ends by itself', async () => {
    const device = await acme.device('ending');
    await send('ending', { a: 1 });
    await until('active', () => eventsOf('ending').some(({ credential }) => credential === 'ACTIVE'));
    await database.admin.query(
      `update device_credentials set expires_at = now() + interval '5 seconds' where device_id = $1`,
      [device.id],
    );
    await until('expiring', () => eventsOf('ending').some(({ credential }) => credential === 'EXPIRING'));
    await until('expired', () => eventsOf('ending').some(({ credential }) => credential === 'REVOKED'));
  });
});

describe(`${FLEET} devices silent at once`, () => {
  beforeAll(() => processes.get('evaluator').stop());

  it('cost one query each to find, to write and to tell, not one each', async () => {
    await database.admin.query('update device_presence set fades_at = null');
    const fleet = await seedFadedFleet('counted');
    const pool = new pg.Pool({ connectionString: database.workerUrl, max: 2 });
    const statements: string[] = [];
    pool.on('connect', (client) => {
      const query = client.query.bind(client);
      Object.assign(client, {
        query: (first: string | pg.QueryConfig, ...rest: unknown[]) => {
          statements.push(typeof first === 'string' ? first : first.text);
          return Reflect.apply(query, client, [first, ...rest]);
        },
      });
    });
    try {
      const follower = createPresenceFollower({
        pool,
        shards: 16,
        metrics: declareMetrics(createMetrics('evaluator')),
      });
      const began = Date.now();
      expect(await follower.sweepFreshness(Date.now())).toBe(FLEET);
      const tookMs = Date.now() - began;
      console.log(`${FLEET} devices silent: ${statements.length} statements, ${tookMs} ms`);
      expect(statements.length).toBeLessThanOrEqual(6);
      statements.length = 0;
      expect(await follower.sweepFreshness(Date.now())).toBe(0);
      expect(statements).toHaveLength(3);
      expect(await countOf(fleet, 'device_presence', `freshness = 'SILENT' and fades_at is null`)).toBe(
        FLEET,
      );
      expect(await countOf(fleet, 'presence_changes', `freshness = 'STALE'`)).toBe(FLEET);
      expect(await countOf(fleet, 'presence_changes', `freshness = 'SILENT'`)).toBe(FLEET);
    } finally {
      await pool.end();
    }
  });

  it('looks into an index to find them, and reads no device that is not due', async () => {
    const plan = await database.admin.query<{ 'QUERY PLAN': string }>(
      `explain (analyze, costs off, timing off) select device_id from device_presence where fades_at < now() - interval '10 years'`,
    );
    const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toContain('device_presence_fades');
    expect(text).not.toContain('Seq Scan');
  });

  it('are found when the evaluator comes back, and told to whoever follows', async () => {
    const fleet = await seedFadedFleet('waiting');
    const began = Date.now();
    await using _again = await startProcesses({ database, natsUrl: nats.url, start: ['evaluator'] });
    await until(
      'everything silent',
      async () => (await countOf(fleet, 'device_presence', `freshness = 'SILENT'`)) === FLEET,
      120_000,
    );
    const told = () => events.filter(({ device }) => device.startsWith('waiting-'));
    await until('every event', () => told().length >= FLEET);
    expect(told()).toHaveLength(FLEET);
    console.log(`${FLEET} devices silent after a restart: told after ${Date.now() - began} ms`);
  });
});

/** Lets a device speak four times a second for so long, beginning at once; resolves to when it began to say its last word. */
async function speak(device: string, seconds: number): Promise<number> {
  let lastSaidAt = 0;
  for (let times = 0; times < 4 * seconds; times++) {
    lastSaidAt = Date.now();
    await send(device, { a: 1 });
    await sleep(250);
  }
  return lastSaidAt;
}

const staleSince = async (device: string, deviceId: number) => {
  await until('stale at last', () => eventsOf(device).some(({ freshness }) => freshness === 'STALE'));
  const rows = await changesOf(deviceId);
  return rows.find(({ freshness }) => freshness === 'STALE').at.getTime();
};

describe('an evaluator that was away', () => {
  it('does not take for silent whom the stream still speaks of', async () => {
    await processes.get('evaluator').stop();
    const device = await acme.device('speaking', { intervalSeconds: 2 });
    await send('speaking', { a: 1 });
    const evaluator = { database, natsUrl: nats.url, start: ['evaluator'] as const };
    await using first = await startProcesses(evaluator);
    await until('fresh', () => eventsOf('speaking').some(({ freshness }) => freshness === 'FRESH'));
    const [lastSaidAt] = await Promise.all([speak('speaking', 6), first.get('evaluator').stop()]);
    await using _second = await startProcesses(evaluator);
    expect((await staleSince('speaking', device.id)) - lastSaidAt).toBeGreaterThanOrEqual(4_000);
  });
});

describe('ingest that was away', () => {
  it('makes nobody silent who spoke all the while', async () => {
    await using evaluator = await startProcesses({ database, natsUrl: nats.url, start: ['evaluator'] });
    const judgedUntil = async () => {
      const metrics = await fetch(`http://127.0.0.1:${evaluator.healthPort('evaluator')}/metrics`);
      const name = 'fleetgraph_evaluator_silence_judged_until_timestamp_seconds';
      return 1_000 * Number((await metrics.text()).match(`\n${name} (.+)`)?.[1]);
    };
    const device = await acme.device('unheard', { intervalSeconds: 2 });
    await send('unheard', { a: 1 });
    await until('fresh', () => eventsOf('unheard').some(({ freshness }) => freshness === 'FRESH'));
    const [lastSaidAt] = await Promise.all([speak('unheard', 8), processes.get('ingest').stop()]);
    expect((await changesOf(device.id)).map(({ freshness }) => freshness)).not.toContain('STALE');
    expect(await judgedUntil()).toBeLessThan(lastSaidAt);
    await using _ingest = await startProcesses({ database, natsUrl: nats.url, start: ['ingest'] });
    expect((await staleSince('unheard', device.id)) - lastSaidAt).toBeGreaterThanOrEqual(4_000);
    expect(await judgedUntil()).toBeGreaterThan(lastSaidAt);
  });
});
