import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import pg from 'pg';
import { createLoad } from '#simulator/load.ts';
import { ensureDatabase } from '#standalone/roles.ts';
import { installMosquitto } from '#tests/gates/tools.ts';
import { openMosquitto } from '#tests/kit/mosquitto-broker.ts';
import { isGrowing } from './ingest.ts';
import { findPeak, type Step } from './peak.ts';
import { PEER_TABLE } from './peers/table.ts';
import type { BenchPlatform } from './platform.ts';

export interface Peer {
  readonly name: string;
  /** What it does, in a few words. */
  readonly shape: string;
  /** Programs of `bench/peers`, started in this order. */
  readonly programs: readonly string[];
  /** The first rate that is tried. */
  readonly from: number;
}

/** Other ways to do the same. The flows are plain programs of the shape that flow tools give such a task, without their overhead. */
export const PEERS: readonly Peer[] = [
  {
    name: 'flow, one INSERT a message',
    shape: 'mosquitto → one INSERT a message, acknowledged before it is stored',
    programs: ['single'],
    from: 3_000,
  },
  {
    name: 'flow, batched INSERT',
    shape: 'mosquitto → INSERT of what came in 100 ms, acknowledged before it is stored',
    programs: ['batched'],
    from: 15_000,
  },
  {
    name: 'plain shape',
    shape: 'mosquitto → one-by-one bridge → JetStream → batches → PostgreSQL',
    programs: ['consumer', 'bridge'],
    from: 6_000,
  },
];

export interface PeerOptions {
  readonly seconds: number;
  readonly connections: number;
  /** A rate holds when 95 % are stored within this time. */
  readonly storedP95Ms: number;
}

const DATABASE = 'peers';
const WARM_UP_MS = 2_000;
const SETTLE_MS = 20_000;

/** The highest rate at which a peer loses nothing and keeps up, on the servers of the platform and a broker of its own. */
export async function benchPeer(
  peer: Peer,
  platform: BenchPlatform,
  options: PeerOptions,
  say: (line: string) => void,
): Promise<Step | undefined> {
  process.env.PATH = await installMosquitto(say);
  await ensureDatabase(platform.database, DATABASE);
  const url = new URL(platform.database);
  url.pathname = DATABASE;
  await using opened = new AsyncDisposableStack();
  const database = new pg.Pool({ connectionString: url.href, max: 2 });
  opened.defer(() => database.end());
  await database.query(PEER_TABLE);
  return await findPeak(
    peer.from,
    async (rate) => {
      await database.query('truncate peer_readings');
      return measurePeer(peer, { platform, database, databaseUrl: url.href }, rate, options);
    },
    say,
  );
}

interface PeerServers {
  readonly platform: BenchPlatform;
  readonly database: pg.Pool;
  readonly databaseUrl: string;
}

async function measurePeer(
  peer: Peer,
  { platform, database, databaseUrl }: PeerServers,
  rate: number,
  { seconds, connections, storedP95Ms }: PeerOptions,
): Promise<Step> {
  await using opened = new AsyncDisposableStack();
  const broker = opened.use(await openMosquitto());
  opened.defer(() => forgetStream(platform.nats));
  for (const program of peer.programs) {
    const env = { MQTT_URL: broker.url, NATS_URL: platform.nats, DATABASE_URL: databaseUrl };
    opened.use(await startProgram(program, env));
  }
  const devices = Array.from({ length: connections }, (_, index) => ({
    ...{ tenant: 'peer', key: `meter-${index}`, username: `peer-${index}`, password: '' },
  }));
  const load = createLoad({ url: broker.url, devices, rate, boot: 1 });
  opened.defer(() => load.close());
  await load.connect();
  load.start();
  await sleep(WARM_UP_MS);
  const from = Date.now();
  const before = load.sent;
  await sleep(seconds * 1_000);
  const to = Date.now();
  const sent = (load.sent - before) / seconds;
  const acknowledged = await load.finish(SETTLE_MS);
  const deadline = Date.now() + SETTLE_MS;
  let stored = 0;
  while (stored < load.acknowledged && Date.now() < deadline) {
    await sleep(250);
    const { rows } = await database.query<{ count: string }>('select count(*) from peer_readings');
    stored = Number(rows[0]?.count ?? 0);
  }
  const third = (to - from) / 3;
  const [all, first, last] = [
    await storedBetween(database, from, to),
    await storedBetween(database, from, from + third),
    await storedBetween(database, to - third, to),
  ];
  const lost = load.acknowledged - stored;
  const growing = isGrowing({ lag: { first: first.p50, last: last.p50 } });
  return {
    rate,
    held: acknowledged && lost === 0 && !growing && all.p95 < storedP95Ms && sent > 0.97 * rate,
    text: `${lost} missing, stored p95 ${all.p95.toFixed(0)} ms${growing ? ', lag growing' : ''}`,
  };
}

async function storedBetween(
  database: pg.Pool,
  from: number,
  to: number,
): Promise<{ readonly p50: number; readonly p95: number }> {
  const { rows } = await database.query<{ p: [number, number] | null }>(
    `select percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from stored_at - ts) * 1000) as p
     from peer_readings where ts >= $1 and ts < $2`,
    [new Date(from), new Date(to)],
  );
  const [p50 = Number.NaN, p95 = Number.NaN] = rows[0]?.p ?? [];
  return { p50, p95 };
}

async function forgetStream(natsUrl: string): Promise<void> {
  const connection = await connect({ servers: natsUrl });
  const manager = await jetstreamManager(connection);
  await manager.streams.delete('PEER').catch(() => undefined);
  await connection.close();
}

/** @throws Error when it ends before it is ready */
async function startProgram(name: string, env: Readonly<Record<string, string>>): Promise<AsyncDisposable> {
  const child = spawn(process.execPath, [new URL(`peers/${name}.ts`, import.meta.url).pathname], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const ready = once(child.stdout, 'data');
  await Promise.race([ready, ended.then(() => Promise.reject(new Error(`${name} ended at once`)))]);
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
