import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeProcess } from '#standalone/node-process.ts';
import { freePort } from '#standalone/ports.ts';
import { type SupervisedProcess, supervise } from '#standalone/supervise.ts';
import type { TestDatabase } from './database.ts';
import { TEST_SECRET } from './seed.ts';

export type ProcessName = 'api' | 'gateway' | 'ingest' | 'evaluator' | 'relay' | 'janitor' | 'bridge';

export interface TestProcesses extends AsyncDisposable {
  readonly mqttPort: number;
  readonly httpPort: number;
  readonly folder: string;
  get(name: ProcessName): SupervisedProcess;
  /** The port that serves a process's `/metrics`. */
  healthPort(name: ProcessName): number;
}

export interface ProcessesOptions {
  readonly database: Pick<TestDatabase, 'appUrl' | 'workerUrl'>;
  readonly natsUrl: string;
  readonly start: readonly ProcessName[];
  /** Over ours, for every process. */
  readonly env?: Readonly<Record<string, string>>;
}

const mainOf = (name: ProcessName) => (name === 'api' ? 'api/main.ts' : `workers/${name}/main.ts`);

/** Longer than a process gives itself to end what it has begun. */
const STOP_WITHIN_MS = 15_000;

/** Starts processes of ours as children that are restarted when they fall, on free ports. */
export async function startProcesses(options: ProcessesOptions): Promise<TestProcesses> {
  const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-processes-'));
  const mqttPort = await freePort();
  const httpPort = await freePort();
  const started = new Map<ProcessName, SupervisedProcess>();
  const health = new Map<ProcessName, number>();
  const env = {
    NATS_URL: options.natsUrl,
    BUS_SHARDS: '16',
    FLEETGRAPH_SECRET_KEY: TEST_SECRET,
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'info',
    MQTT_HOST: '127.0.0.1',
    MQTT_PORT: String(mqttPort),
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: String(httpPort),
    PUBLIC_URL: `http://127.0.0.1:${httpPort}`,
    MQTT_PUBLIC_URL: `mqtt://127.0.0.1:${mqttPort}`,
    OIDC_ISSUER: 'http://127.0.0.1:9',
    OIDC_AUDIENCE: 'urn:fleetgraph:api',
    OIDC_CLIENT_ID: 'fleetgraph-console',
    OIDC_TENANT_CLAIM: 'tenant_id',
    OIDC_ROLES_CLAIM: 'roles',
    CONSOLE_DIR: join(folder, 'console'),
    OBJECTS_DIR: join(folder, 'objects'),
    ...options.env,
  };
  const stopAll = async () => {
    await Promise.all([...started.values()].map((child) => child.stop(STOP_WITHIN_MS)));
    if (process.env['TEST_KEEP_LOGS'] === undefined) rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(
      options.start.map(async (name) => {
        const healthPort = await freePort();
        const spec = nodeProcess({
          name,
          main: mainOf(name),
          env: {
            ...env,
            DATABASE_URL: name === 'api' ? options.database.appUrl : options.database.workerUrl,
          },
          healthPort,
          logFile: join(folder, `${name}.log`),
        });
        health.set(name, healthPort);
        started.set(name, await supervise(spec));
      }),
    );
  } catch (error) {
    await stopAll();
    throw error;
  }
  return {
    mqttPort,
    httpPort,
    folder,
    get(name) {
      const child = started.get(name);
      if (!child) throw new Error(`${name} was not started`);
      return child;
    },
    healthPort: (name) => health.get(name) ?? 0,
    [Symbol.asyncDispose]: stopAll,
  };
}
