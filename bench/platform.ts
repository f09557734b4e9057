import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '#core/db/migrate.ts';
import { openNats } from '#standalone/nats.ts';
import { nodeProcess, PROJECT } from '#standalone/node-process.ts';
import { freePort } from '#standalone/ports.ts';
import { openPostgres } from '#standalone/postgres.ts';
import { allowLogins, ensureDatabase, urlAs } from '#standalone/roles.ts';
import { supervise } from '#standalone/supervise.ts';

/** What a bench drives. */
export interface BenchPlatform extends AsyncDisposable {
  readonly mqtt: string;
  readonly graphql: string;
  readonly graphqlWs: string;
  readonly nats: string;
  /** As the superuser. */
  readonly database: string;
  /** Where PostgreSQL logs. */
  readonly postgresLog: string;
  /** 64 hexadecimal characters; the bench makes devices and API keys of its own. */
  readonly secretKey: string;
}

const DATABASE = 'fleetgraph';
const PROCESSES = ['api', 'gateway', 'ingest', 'evaluator', 'relay', 'janitor'] as const;

/**
 * A platform that was started with `npm start`, by the folder it keeps its data in.
 * @throws Error when none runs there
 */
export function readRunning(dataDir: string): BenchPlatform {
  const read = (file: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(dataDir, file), 'utf8'));
  if (!existsSync(join(dataDir, 'standalone.json'))) {
    throw new Error(`no platform runs on ${dataDir}: start it with npm start -- --data ${dataDir}`);
  }
  const ready = read('standalone.json');
  const { secretKey } = read('secrets.json');
  const text = (value: unknown) => {
    if (typeof value !== 'string') throw new Error(`${dataDir} does not describe a running platform`);
    return value;
  };
  return {
    mqtt: text(ready['mqtt']),
    graphql: text(ready['graphql']),
    graphqlWs: text(ready['graphqlWs']),
    nats: text(ready['nats']),
    database: text(ready['database']),
    postgresLog: join(dataDir, 'logs', 'postgres.log'),
    secretKey: text(secretKey),
    async [Symbol.asyncDispose]() {},
  };
}

export interface StartOptions {
  /** False leaves the API out, which has nothing to do without subscribers. */
  readonly api: boolean;
  /** Names a process whose CPU profile is written to the working folder when it stops. */
  readonly profile: string | undefined;
}

/** Starts every process of the platform on free ports, with real servers; disposing stops and forgets all of it. */
export async function startPlatform(
  say: (line: string) => void,
  options: StartOptions,
): Promise<BenchPlatform> {
  await using opened = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-bench-'));
  opened.defer(() => rmSync(folder, { recursive: true, force: true }));
  const log = (name: string) => join(folder, `${name}.log`);
  const passwords = { app: hex(), worker: hex(), operator: hex() };
  const [postgresPort, natsPort, monitorPort] = [await freePort(), await freePort(), await freePort()];
  const postgres = await openPostgres({
    ...{ dataDir: join(folder, 'postgres'), port: postgresPort, password: hex(), logFile: log('postgres') },
    // When a message was stored is when that could be relied on.
    settings: { track_commit_timestamp: 'on' },
  });
  opened.defer(() => postgres.destroy());
  const nats = opened.use(
    await openNats({
      ...{ dataDir: join(folder, 'nats'), port: natsPort, monitorPort, logFile: log('nats') },
      onFetch: (what) => say(`fetching ${what}`),
    }),
  );
  await ensureDatabase(postgres.url(), DATABASE);
  const database = postgres.url(DATABASE);
  await migrate(database, join(PROJECT, 'prisma', 'migrations'));
  await allowLogins(database, passwords);

  const [mqttPort, httpPort] = [await freePort(), await freePort()];
  const http = `http://127.0.0.1:${httpPort}`;
  const secretKey = hex();
  const env = {
    ...{ NATS_URL: nats.url, BUS_SHARDS: '16', FLEETGRAPH_SECRET_KEY: secretKey, LOG_LEVEL: 'warn' },
    ...{
      MQTT_HOST: '127.0.0.1',
      MQTT_PORT: String(mqttPort),
      MQTT_PUBLIC_URL: `mqtt://127.0.0.1:${mqttPort}`,
    },
    ...{
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(httpPort),
      PUBLIC_URL: http,
      OIDC_ISSUER: 'http://127.0.0.1:9',
    },
    ...{ CONSOLE_DIR: join(folder, 'console'), OBJECTS_DIR: join(folder, 'objects') },
  };
  for (const name of PROCESSES) {
    if (name === 'api' && !options.api) continue;
    const main = name === 'api' ? 'api/main.ts' : `workers/${name}/main.ts`;
    const role = name === 'api' ? 'app' : 'worker';
    const own = { ...env, DATABASE_URL: urlAs(database, role, passwords) };
    const spec = nodeProcess({ name, main, env: own, healthPort: await freePort(), logFile: log(name) });
    const profiling =
      name === options.profile || options.profile === 'all'
        ? ['--cpu-prof', `--cpu-prof-name=${name}.cpuprofile`]
        : [];
    opened.use(await supervise({ ...spec, args: [...profiling, ...spec.args], cwd: process.cwd() }));
    say(`${name} is ready`);
  }
  const rest = opened.move();
  return {
    mqtt: `mqtt://127.0.0.1:${mqttPort}`,
    graphql: `${http}/graphql`,
    graphqlWs: `ws://127.0.0.1:${httpPort}/graphql`,
    nats: nats.url,
    database,
    postgresLog: log('postgres'),
    secretKey,
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

const hex = (): string => randomBytes(32).toString('hex');
