import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { commandLineOf, endProcess, isRunning } from './leftovers.ts';
import { findNatsProgram } from './nats-program.ts';
import { type SupervisedProcess, type SuperviseOptions, supervise } from './supervise.ts';

const GIB = 1024 ** 3;

export interface NatsOptions extends SuperviseOptions {
  /** Holds the streams, the configuration and the pid file; made when absent. */
  readonly dataDir: string;
  readonly port: number;
  /** Serves `/healthz`, `/varz`, `/jsz` on loopback. */
  readonly monitorPort: number;
  readonly logFile: string;
  /** Ceiling of all streams on disk. Default: half of what the disk has free, at most 16 GiB. */
  readonly maxStoreBytes?: number;
  /** Told when the program is not on this machine and has to be fetched. */
  readonly onFetch?: (what: string) => void;
}

export interface NatsServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly monitorUrl: string;
  readonly version: string;
  readonly process: SupervisedProcess;
  /** Default deadline 5 000 ms. */
  stop(deadlineMs?: number): Promise<void>;
}

/**
 * Starts nats-server with JetStream on loopback, supervised. A server that an earlier life of ours left on this
 * directory is stopped first.
 * @throws Error when no nats-server can be found or fetched, or it does not start.
 */
export async function openNats(options: NatsOptions): Promise<NatsServer> {
  const program = await findNatsProgram(options.onFetch);
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const configFile = join(dataDir, 'nats.conf');
  const pidFile = join(dataDir, 'nats.pid');
  writeFileSync(configFile, configuration(options, dataDir, pidFile, program.modern));
  const monitorUrl = `http://127.0.0.1:${options.monitorPort}`;
  const server = await supervise(
    {
      name: 'nats',
      command: program.path,
      args: ['-c', configFile],
      logFile: options.logFile,
      orphanSignal: 'SIGTERM',
      beforeStart: () => clearLeftover(pidFile, configFile),
      isReady: () => isHealthy(`${monitorUrl}/healthz`),
    },
    options,
  );
  return {
    port: options.port,
    url: `nats://127.0.0.1:${options.port}`,
    monitorUrl,
    version: program.version,
    process: server,
    stop: (deadlineMs) => server.stop(deadlineMs),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function configuration(options: NatsOptions, dataDir: string, pidFile: string, modern: boolean): string {
  const disk = statfsSync(dataDir);
  const maxStore = options.maxStoreBytes ?? Math.min(16 * GIB, Math.floor((disk.bavail * disk.bsize) / 2));
  return `# Written at every start.
server_name: fleetgraph
host: "127.0.0.1"
port: ${options.port}
http: "127.0.0.1:${options.monitorPort}"
pid_file: ${JSON.stringify(pidFile)}
max_payload: 1MB
max_connections: 1024
jetstream {
  store_dir: ${JSON.stringify(join(dataDir, 'jetstream'))}
  max_memory_store: 268435456
  max_file_store: ${maxStore}
${modern ? '  sync_interval: 10s\n' : ''}}
`;
}

async function isHealthy(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(1000) }).then(
    (response) => response.ok,
    () => false,
  );
}

async function clearLeftover(pidFile: string, configFile: string): Promise<void> {
  const pid = readPid(pidFile);
  if (pid === undefined) return;
  if (isRunning(pid) && commandLineOf(pid).includes(configFile))
    await endProcess(pid, ['SIGTERM', 'SIGKILL']);
  rmSync(pidFile, { force: true });
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return Number.isNaN(pid) ? undefined : pid;
  } catch {
    return undefined;
  }
}
