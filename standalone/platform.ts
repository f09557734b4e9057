import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '#core/db/migrate.ts';
import type { StandaloneConfig } from './config.ts';
import { type Demo, demoPeople, seedDemo } from './demo.ts';
import { buildConsole, generateCode } from './generate.ts';
import { openIdentity } from './identity.ts';
import { openNats } from './nats.ts';
import { nodeProcess, PROJECT } from './node-process.ts';
import type { PlatformPorts } from './platform-ports.ts';
import { openPostgres } from './postgres.ts';
import { allowLogins, ensureDatabase, urlAs } from './roles.ts';
import { prepareKeys } from './secrets/prepare.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { ensureServerCertificate } from './server-certificate.ts';
import type { StatusLines } from './status.ts';
import { type ProcessChange, type SupervisedProcess, supervise } from './supervise.ts';

const DATABASE = 'fleetgraph';
const CLIENT_ID = 'fleetgraph-console';
const AUDIENCE = 'urn:fleetgraph:api';
const WORKERS = ['ingest', 'evaluator', 'relay', 'janitor'] as const;
/** How long one of ours may finish what is in flight, in milliseconds: three stages and two servers fit in five seconds. */
const GRACE_MS = 1000;
const SIMULATED_INTERVAL_MS = 2000;

export interface Platform {
  readonly secrets: Secrets;
  readonly demo: Demo;
  readonly httpUrl: string;
  readonly mqttUrl: string;
  readonly mqttsUrl: string;
  /** With the path. */
  readonly mqttWsUrl: string;
  /** PEM file of the root that the TLS listener is trusted by. */
  readonly caFile: string;
  readonly natsUrl: string;
  /** With every right, as migrations use it. */
  readonly databaseUrl: string;
  readonly issuer: string;
}

interface Start {
  readonly config: StandaloneConfig;
  readonly ports: PlatformPorts;
  readonly status: StatusLines;
  /** What was started, oldest first; filled while starting, so that a failed start can be undone. */
  readonly started: SupervisedProcess[];
  /** Aborting gives the start up. */
  readonly signal: AbortSignal;
}

/**
 * Starts everything: servers and generated code side by side, then migrations and demo data, then our own processes.
 * Returns when each is ready; what it started is in `started` also when it throws.
 */
export async function startPlatform(start: Start): Promise<Platform> {
  const { config, ports, status } = start;
  const secrets = loadSecrets(config.dataDir);
  const httpUrl = `http://${config.publicHost}:${ports.http}`;
  const mqttUrl = `mqtt://${config.publicHost}:${ports.mqtt}`;
  const mqttsUrl = `mqtts://${config.publicHost}:${ports.mqtts}`;
  const mqttWsUrl = `ws://${config.publicHost}:${ports.mqttWs}/mqtt`;
  const [adminUrl, natsUrl, issuer] = await allOrNone(
    startDatabase(start, secrets),
    startBus(start),
    startIdentity(start, secrets, httpUrl),
    prepareCode(start),
  );

  status.set('database', 'busy', 'migrating');
  const applied = await migrate(adminUrl, join(PROJECT, 'prisma', 'migrations'));
  await allowLogins(adminUrl, secrets.roles);
  const secretKeys = [secrets.secretKey, ...secrets.previousSecretKeys];
  const keys = await prepareKeys(adminUrl, secrets, config.dataDir);
  const demo = await seedDemo({
    databaseUrl: adminUrl,
    secrets: { ...secrets, previousSecretKeys: [] },
    keys,
    dataDir: config.dataDir,
    devices: config.demo,
  });
  const tls = await ensureServerCertificate({
    databaseUrl: adminUrl,
    secretKeys,
    folder: folder(config.dataDir, 'certificates'),
    host: config.publicHost,
  });
  status.set('database', 'ok', applied.length > 0 ? `migrated: ${applied.join(', ')}` : 'schema up to date');

  const common = {
    NATS_URL: natsUrl,
    BUS_SHARDS: '16',
    FLEETGRAPH_SECRET_KEY: secrets.secretKey,
    FLEETGRAPH_SECRET_KEYS_PREVIOUS: secrets.previousSecretKeys.join(','),
    SHUTDOWN_DEADLINE_MS: String(GRACE_MS),
  };
  const worker = { ...common, DATABASE_URL: urlAs(adminUrl, 'worker', secrets.roles) };
  const objects = { OBJECTS_DIR: folder(config.dataDir, 'objects') };
  const api = {
    ...common,
    ...objects,
    DATABASE_URL: urlAs(adminUrl, 'app', secrets.roles),
    OPERATOR_DATABASE_URL: urlAs(adminUrl, 'operator', secrets.roles),
    HTTP_HOST: config.host,
    HTTP_PORT: String(ports.http),
    PUBLIC_URL: httpUrl,
    OIDC_ISSUER: issuer,
    OIDC_AUDIENCE: AUDIENCE,
    OIDC_CLIENT_ID: CLIENT_ID,
    OIDC_TENANT_CLAIM: 'tenant_id',
    OIDC_ROLES_CLAIM: 'roles',
    MQTT_PUBLIC_URL: mqttUrl,
    MQTTS_PUBLIC_URL: mqttsUrl,
    CONSOLE_DIR: join(PROJECT, 'web', 'dist'),
  };
  const gateway = {
    ...worker,
    MQTT_HOST: config.host,
    MQTT_PORT: String(ports.mqtt),
    MQTTS_PORT: String(ports.mqtts),
    MQTT_WS_PORT: String(ports.mqttWs),
    MQTT_WS_ORIGINS: httpUrl,
    MQTTS_CERT_FILE: tls.certificateFile,
    MQTTS_KEY_FILE: tls.keyFile,
  };
  await allOrNone(
    startOwn(start, 'api', 'api/main.ts', api, httpUrl),
    startOwn(start, 'gateway', 'workers/gateway/main.ts', gateway, `${mqttUrl}, ${mqttsUrl}, ${mqttWsUrl}`),
    ...WORKERS.map((name) =>
      startOwn(start, name, `workers/${name}/main.ts`, { ...worker, ...objects }, 'working'),
    ),
  );
  if (demo.simulated.length > 0) await startSimulator(start, demo, mqttUrl);
  const { caFile } = tls;
  const addresses = { httpUrl, mqttUrl, mqttsUrl, mqttWsUrl, natsUrl, issuer };
  return { secrets, demo, ...addresses, caFile, databaseUrl: adminUrl };
}

async function startDatabase(start: Start, secrets: Secrets): Promise<string> {
  const { config, ports, status } = start;
  if (config.externalDatabaseUrl !== undefined) {
    const { host, pathname } = new URL(config.externalDatabaseUrl);
    status.set('postgres', 'ok', `yours, ${host}${pathname} (DATABASE_URL)`);
    return config.externalDatabaseUrl;
  }
  const server = await openPostgres({
    dataDir: join(config.dataDir, 'postgres'),
    port: ports.postgres,
    password: secrets.postgres,
    ...supervision(start, 'postgres', `PostgreSQL 18, 127.0.0.1:${ports.postgres}`),
  });
  start.started.push(server.process);
  for (const notice of server.notices) status.note(notice);
  await ensureDatabase(server.url(), DATABASE);
  return server.url(DATABASE);
}

async function startBus(start: Start): Promise<string> {
  const { config, ports, status } = start;
  if (config.externalNatsUrl !== undefined) {
    status.set('nats', 'ok', `yours, ${config.externalNatsUrl.replace(/\/\/[^@/]*@/, '//')} (NATS_URL)`);
    return config.externalNatsUrl;
  }
  const server = await openNats({
    dataDir: join(config.dataDir, 'nats'),
    port: ports.nats,
    monitorPort: ports.natsMonitor,
    onFetch: (what) => status.set('nats', 'busy', `fetching ${what}`),
    ...supervision(start, 'nats', `nats-server with JetStream, 127.0.0.1:${ports.nats}`),
  });
  start.started.push(server.process);
  return server.url;
}

async function startIdentity(start: Start, secrets: Secrets, httpUrl: string): Promise<string> {
  const { config, ports } = start;
  const issuer = `http://${config.publicHost}:${ports.identity}`;
  const server = await openIdentity({
    dataDir: join(config.dataDir, 'identity'),
    host: config.host,
    port: ports.identity,
    healthPort: ports.health('identity'),
    issuer,
    people: demoPeople(secrets),
    consoleOrigins: [httpUrl, `http://localhost:${ports.http}`],
    machineSecret: secrets.machine,
    ...supervision(start, 'identity', issuer),
  });
  start.started.push(server.process);
  return server.issuer;
}

async function prepareCode({ config, status, signal }: Start): Promise<void> {
  const step = (name: string) => status.set('build', 'busy', name);
  await generateCode(step, signal);
  if (config.buildConsole) await buildConsole(step, signal);
  status.set('build', 'ok', 'generated code and console up to date');
}

async function startOwn(
  start: Start,
  name: string,
  main: string,
  env: Readonly<Record<string, string>>,
  where: string,
): Promise<void> {
  const { logFile, ...options } = supervision(start, name, where);
  const spec = nodeProcess({ name, main, env, healthPort: start.ports.health(name), logFile });
  start.started.push(await supervise(spec, options));
}

async function startSimulator(start: Start, demo: Demo, mqttUrl: string): Promise<void> {
  const devicesFile = join(folder(start.config.dataDir, 'simulator'), 'devices.json');
  writeFileSync(devicesFile, JSON.stringify(demo.simulated, undefined, 2), { mode: 0o600 });
  const env = {
    MQTT_URL: mqttUrl,
    SIMULATOR_DEVICES: devicesFile,
    SIMULATOR_INTERVAL_MS: String(SIMULATED_INTERVAL_MS),
  };
  await startOwn(start, 'simulator', 'simulator/main.ts', env, `${demo.simulated.length} devices publishing`);
}

/** What every part has in common: its log, its status line, and the end of it when the start is given up. */
function supervision({ config, status, signal }: Start, name: string, where: string) {
  return {
    logFile: join(folder(config.dataDir, 'logs'), `${name}.log`),
    onChange: (change: ProcessChange) => status.change(name, change, where),
    signal,
  };
}

function folder(dataDir: string, name: string): string {
  const path = join(dataDir, name);
  mkdirSync(path, { recursive: true });
  return path;
}

/** Waits for all, also when one fails, so that nothing starts behind the back of whoever cleans up. */
async function allOrNone<const Tasks extends readonly Promise<unknown>[]>(
  ...tasks: Tasks
): Promise<{ -readonly [Index in keyof Tasks]: Awaited<Tasks[Index]> }> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks);
}
