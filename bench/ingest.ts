import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createLoad, type Load } from '#simulator/load.ts';
import type { LoadDevice } from '#simulator/load-connection.ts';
import { judge, type Verdict } from '#simulator/oracle.ts';
import { type CpuSeconds, readCpu } from './cpu.ts';
import { type BenchTenant, provision } from './fleet.ts';
import { type Introduction, introduce } from './introduction.ts';
import type { BenchPlatform } from './platform.ts';
import { openSubscribers, type Subscriber, type SubscribersReport } from './subscribers.ts';
import { assertMeasured } from './template-fleet.ts';

export interface IngestBench {
  /** Messages a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  /** More than connections: they take turns, `TURN_MESSAGES` each. Default: as many. */
  readonly devices?: number;
  /** Connect and leave in turns even where there are no more devices than connections. */
  readonly turns?: boolean;
  readonly tenants: number;
  /** Each watches five devices. */
  readonly subscribers: number;
  /** Every device has had a turn of one message before anything is measured. Needs turns. */
  readonly introduce?: boolean;
  /** How often a device is expected to send. Default: what a device has that nobody says it of. */
  readonly intervalSeconds?: number;
  /** The devices have a template, a map and sensors. Default: nothing of it. */
  readonly templates?: boolean;
}

/** What a device sends before another takes its connection. */
export const TURN_MESSAGES = 20;

export interface IngestResult {
  readonly options: IngestBench;
  /** Messages a second while it was measured. */
  readonly sentRate: number;
  readonly acknowledgedRate: number;
  readonly verdict: Verdict;
  /** False: after a minute there were still messages without a PUBACK. */
  readonly allAcknowledged: boolean;
  readonly outOfOrder: number;
  readonly reconnects: number;
  /** How late the generator was at worst, in ms. */
  readonly generatorLagMs: number;
  readonly pubacks: Percentiles;
  readonly stored: Percentiles;
  /** The middle of the time to be stored, in the first and the last third of the time measured, in ms. */
  readonly lag: { readonly first: number; readonly last: number };
  /** Absent unless they were introduced. */
  readonly introduction?: Introduction | undefined;
  readonly live: SubscribersReport;
  /** Messages that a subscriber should have seen and did not. */
  readonly liveMissed: number;
  /** Microseconds of CPU a message, by process. */
  readonly cpu: ReadonlyMap<string, number>;
  /** The same of whoever sends them, without the subscribers: always the same work, so it tells how fast the machine was. */
  readonly sendingCpu: number;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Among the processes whose CPU is counted: not the platform's. */
export const GENERATOR = 'generator and subscribers';

const WATCHED_DEVICES = 5;
const SETTLE_MS = 60_000;

/** Publishes at a steady rate through the whole platform and accounts for every message. */
export async function benchIngest(
  platform: BenchPlatform,
  options: IngestBench,
  say: (line: string) => void,
): Promise<IngestResult> {
  const database = new pg.Pool({ connectionString: platform.database, max: 4 });
  await using opened = new AsyncDisposableStack();
  opened.defer(() => database.end());
  const count = options.devices ?? options.connections;
  const tenants = await provision(database, platform.secretKey, options.tenants, count, options);
  const since = new Date(Date.now() - 60_000);
  const boot = 1 + Math.floor(Math.random() * 65_535);
  const takeTurns = options.turns || count > options.connections;
  const load = createLoad({
    ...{ url: platform.mqtt, devices: mixed(tenants), rate: options.rate, boot },
    ...(takeTurns && { turns: { connections: options.connections, messages: TURN_MESSAGES } }),
  });
  opened.defer(() => load.close());
  say(`connecting ${options.connections} of ${count} devices of ${tenants.length} tenants`);
  await load.connect();
  const subscribers = opened.use(
    await openSubscribers({
      url: platform.graphqlWs,
      subscribers: chooseSubscribers(tenants, options.subscribers),
    }),
  );
  const introduction = options.introduce ? await introduce(platform, database, load, count) : undefined;
  say(`warming up for ${options.warmUpSeconds} s`);
  load.start((options.warmUpSeconds * 1000) / 2);
  await sleep(options.warmUpSeconds * 1000);
  load.pubacks.clear();
  load.resetLag();
  subscribers.count();
  say(`measuring for ${options.seconds} s`);
  const measured = await measure(platform, load, options.seconds);
  const [pubacks, generatorLagMs] = [percentilesOf(load), (load.lag / options.rate) * 1000];
  const allAcknowledged = await load.finish(SETTLE_MS);
  say('waiting until everything is stored');
  const verdict = await settledVerdict(database, load, since);
  if (options.templates) await assertMeasured(database, tenants, since);
  const live = await settledReport(subscribers, load);
  const third = (measured.to.getTime() - measured.from.getTime()) / 3;
  const storedIn = (from: Date, to: Date) => storedPercentiles(database, tenants, from, to);
  const stored = await storedIn(measured.from, measured.to);
  const first = await storedIn(measured.from, new Date(measured.from.getTime() + third));
  const last = await storedIn(new Date(measured.to.getTime() - third), measured.to);
  return {
    ...{ options, verdict, allAcknowledged, pubacks, stored, generatorLagMs, live, introduction },
    ...{ outOfOrder: load.outOfOrder, reconnects: load.reconnects },
    lag: { first: first.p50, last: last.p50 },
    sentRate: measured.sent / options.seconds,
    acknowledgedRate: measured.acknowledged / options.seconds,
    liveMissed: missedLive(load, live),
    cpu: new Map([...measured.cpu].map(([name, seconds]) => [name, (seconds / measured.acknowledged) * 1e6])),
    sendingCpu: (measured.sendingSeconds / measured.acknowledged) * 1e6,
  };
}

interface Measured {
  readonly sent: number;
  readonly acknowledged: number;
  readonly cpu: CpuSeconds;
  readonly sendingSeconds: number;
  readonly from: Date;
  readonly to: Date;
}

async function measure(platform: BenchPlatform, load: Load, seconds: number): Promise<Measured> {
  const read = () => readCpu(platform.nats, platform.database);
  const [own, sending] = [process.cpuUsage(), process.threadCpuUsage()];
  const before = { from: new Date(), sent: load.sent, acknowledged: load.acknowledged, cpu: read() };
  await sleep(seconds * 1000);
  const to = new Date();
  const after = read();
  const [used, sent] = [process.cpuUsage(own), process.threadCpuUsage(sending)];
  const cpu = new Map([...after].map(([name, total]) => [name, total - (before.cpu.get(name) ?? 0)]));
  cpu.set(GENERATOR, (used.user + used.system) / 1e6);
  const { from } = before;
  return {
    ...{ from, to, cpu },
    sendingSeconds: (sent.user + sent.system) / 1e6,
    sent: load.sent - before.sent,
    acknowledged: load.acknowledged - before.acknowledged,
  };
}

function chooseSubscribers(tenants: readonly BenchTenant[], count: number): Subscriber[] {
  return Array.from({ length: count }, (_, index) => {
    const tenant = tenants[index % tenants.length];
    if (!tenant) throw new Error('subscribers need a tenant');
    const first = Math.floor(index / tenants.length) * WATCHED_DEVICES;
    const deviceKeys = Array.from(
      { length: Math.min(WATCHED_DEVICES, tenant.devices.length) },
      (_, offset) => tenant.devices[(first + offset) % tenant.devices.length]?.key ?? '',
    );
    return { apiKey: tenant.apiKey, tenant: tenant.slug, deviceKeys };
  });
}

const percentilesOf = ({ pubacks }: Load): Percentiles => ({
  p50: pubacks.percentile(0.5),
  p95: pubacks.percentile(0.95),
  p99: pubacks.percentile(0.99),
});

async function settledVerdict(database: pg.Pool, load: Load, since: Date): Promise<Verdict> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const verdict = await judge(database, load.accounts(), since);
    if (verdict.lost === 0 || Date.now() > deadline) return verdict;
    await sleep(500);
  }
}

/** Asks until nothing is missing, for ten seconds at most. */
async function settledReport(
  subscribers: { report(): Promise<SubscribersReport> },
  load: Load,
): Promise<SubscribersReport> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const report = await subscribers.report();
    if (missedLive(load, report) === 0 || Date.now() > deadline) return report;
    await sleep(250);
  }
}

function missedLive(load: Load, report: SubscribersReport): number {
  const sent = new Map(
    load.accounts().map((account) => [`${account.tenant}/${account.key}`, account.acknowledged]),
  );
  return Object.entries(report.seen).reduce((sum, [device, seen]) => sum + (sent.get(device) ?? 0) - seen, 0);
}

/** From a message's own time to the commit that stored it; where PostgreSQL does not keep that, to the beginning of the transaction. */
async function storedPercentiles(
  database: pg.Pool,
  tenants: readonly BenchTenant[],
  from: Date,
  to: Date,
): Promise<Percentiles> {
  const { rows: settings } = await database.query<{ kept: string }>(
    `select current_setting('track_commit_timestamp') as kept`,
  );
  const storedAt = settings[0]?.kept === 'on' ? 'pg_xact_commit_timestamp(transaction)' : 'min(began)';
  const { rows } = await database.query<{ p: [number, number, number] }>(
    `with mine as materialized (
       select r.xmin as transaction, r.stored_at as began, r.ts
       from readings r join tenants t on t.id = r.tenant_id where t.slug = any($1) and r.ts >= $2 and r.ts < $3
     ), stored as (select transaction, ${storedAt} as at from mine group by transaction)
     select percentile_cont(array[0.5, 0.95, 0.99]) within group (order by extract(epoch from stored.at - mine.ts) * 1000) as p
     from mine join stored using (transaction)`,
    [tenants.map((tenant) => tenant.slug), from, to],
  );
  const [p50 = Number.NaN, p95 = Number.NaN, p99 = Number.NaN] = rows[0]?.p ?? [];
  return { p50, p95, p99 };
}

/** One device of each tenant after the other, so that whoever is connected belongs to all of them. */
function mixed(tenants: readonly BenchTenant[]): LoadDevice[] {
  const longest = Math.max(...tenants.map((tenant) => tenant.devices.length));
  return Array.from({ length: longest }, (_, index) => index).flatMap((index) =>
    tenants.flatMap((tenant) => tenant.devices[index] ?? []),
  );
}

/** Whether what waits to be stored becomes more while it is measured; a little more is chance. */
export const isGrowing = ({ lag }: Pick<IngestResult, 'lag'>): boolean => !(lag.last < lag.first * 1.5 + 100);

/** Nothing lost or doubled, everything acknowledged, and no backlog that grows. */
export const isSound = (result: IngestResult): boolean =>
  result.verdict.lost === 0 && result.verdict.doubled === 0 && result.allAcknowledged && !isGrowing(result);
