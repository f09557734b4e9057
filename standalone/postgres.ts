import { spawn } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { type Account, guarded, unprivilegedAccount } from './guard.ts';
import { endProcess, isRunning } from './leftovers.ts';
import { giveTo, locatePostgres, type PostgresHome, removePostgresData } from './postgres-home.ts';
import { type SupervisedProcess, type SuperviseOptions, supervise } from './supervise.ts';

const SUPERUSER = 'postgres';

export interface PostgresOptions extends SuperviseOptions {
  /** Made by `initdb` when it does not exist. See `locatePostgres` for where it lies under a private home. */
  readonly dataDir: string;
  readonly port: number;
  /** The superuser's; fixed when the data directory is made. */
  readonly password: string;
  readonly logFile: string;
  /** False trades surviving a power cut for speed. A killed process loses nothing either way. Default true. */
  readonly durable?: boolean;
  /** Further settings of postgresql.conf, over ours. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

export interface PostgresServer extends AsyncDisposable {
  readonly port: number;
  readonly process: SupervisedProcess;
  /** Where things lie elsewhere than asked, and why; for the status line. */
  readonly notices: readonly string[];
  /** As the superuser. Default database: `postgres`. */
  url(database?: string): string;
  /** Default deadline 5 000 ms. */
  stop(deadlineMs?: number): Promise<void>;
  /** Stops and forgets everything stored. */
  destroy(): Promise<void>;
}

/**
 * Starts the embedded PostgreSQL on loopback, supervised, as user `postgres` when we are root. A server that an
 * earlier life of ours left on this directory is stopped first.
 * @throws Error with the end of its log when it does not start.
 */
export async function openPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const account = unprivilegedAccount();
  const home = locatePostgres(options.dataDir, account);
  await createCluster(home, account, options);
  const server = await supervise(
    {
      name: 'postgres',
      command: join(home.programs, 'bin', 'postgres'),
      args: ['-D', home.dataDir, ...settingsOf(options).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
      cwd: dirname(home.dataDir),
      account,
      logFile: options.logFile,
      // SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait until every client has left.
      stopSignal: 'SIGINT',
      orphanSignal: 'SIGINT',
      readyTimeoutMs: 60_000,
      beforeStart: () => clearLeftover(home.dataDir),
      isReady: async () => readPidFile(home.dataDir)?.status === 'ready',
    },
    options,
  );
  return {
    port: options.port,
    process: server,
    notices: home.notices,
    url: (database = 'postgres') => {
      const login = `${SUPERUSER}:${encodeURIComponent(options.password)}`;
      return `postgresql://${login}@127.0.0.1:${options.port}/${database}`;
    },
    stop: (deadlineMs) => server.stop(deadlineMs),
    async destroy() {
      await server.stop();
      removePostgresData(home);
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** Settings for one machine shared with everything else: memory by its size, checkpoints rare, nothing but loopback. */
function settingsOf(options: PostgresOptions): [string, string | number][] {
  const memoryMb = totalmem() / 1024 / 1024;
  const bounded = (value: number, min: number, max: number) =>
    `${Math.round(Math.min(max, Math.max(min, value)))}MB`;
  return Object.entries({
    listen_addresses: '127.0.0.1',
    port: options.port,
    unix_socket_directories: '',
    max_connections: 120,
    shared_buffers: bounded(memoryMb / 32, 64, 512),
    effective_cache_size: bounded(memoryMb / 2, 256, 16_384),
    work_mem: '8MB',
    maintenance_work_mem: bounded(memoryMb / 64, 64, 512),
    wal_level: 'minimal',
    max_wal_senders: 0,
    wal_buffers: '16MB',
    min_wal_size: '256MB',
    max_wal_size: '2GB',
    checkpoint_timeout: '10min',
    random_page_cost: 1.1,
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_min_duration_statement: '1s',
    ...(options.durable === false && { fsync: 'off', full_page_writes: 'off' }),
    ...options.settings,
  });
}

/** Makes the data directory unless it exists. One that was left half made is made again. */
async function createCluster(
  home: PostgresHome,
  account: Account | undefined,
  options: PostgresOptions,
): Promise<void> {
  if (existsSync(join(home.dataDir, 'PG_VERSION'))) return;
  const partial = `${home.dataDir}.new`;
  rmSync(partial, { recursive: true, force: true });
  giveTo(account, partial);
  const passwordDir = mkdtempSync(join(dirname(home.dataDir), '.initdb-'));
  const passwordFile = join(passwordDir, 'password');
  try {
    giveTo(account, passwordDir);
    writeFileSync(passwordFile, options.password, { mode: 0o600 });
    if (account) chownSync(passwordFile, account.uid, account.gid);
    const initdb = guarded(
      join(home.programs, 'bin', 'initdb'),
      [
        ...['-D', partial, `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
        ...['--encoding=UTF8', '--locale=C.UTF-8', '--data-checksums', '--no-instructions'],
        ...(options.durable === false ? ['--no-sync'] : []),
      ],
      'SIGKILL',
      account,
    );
    await run(initdb.command, initdb.args, dirname(home.dataDir));
  } finally {
    rmSync(passwordDir, { recursive: true, force: true });
  }
  renameSync(partial, home.dataDir);
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`initdb failed (${code}):\n${output.trimEnd()}`);
}

/** Ends a server that still runs on this directory and removes the file of one that does not. */
async function clearLeftover(dataDir: string): Promise<void> {
  const pid = readPidFile(dataDir)?.pid;
  if (pid === undefined) return;
  if (isRunning(pid) && isServerOf(pid, dataDir)) await endProcess(pid, ['SIGINT', 'SIGQUIT', 'SIGKILL']);
  rmSync(join(dataDir, 'postmaster.pid'), { force: true });
}

/** A server works inside its data directory; any other program with this number is a stranger. */
function isServerOf(pid: number, dataDir: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataDir);
  } catch {
    return false;
  }
}

/** `postmaster.pid`: the pid is line 1, the status line 8 (PostgreSQL's `pidfile.h`). */
function readPidFile(dataDir: string): { pid: number; status: string } | undefined {
  try {
    const lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), status: (lines[7] ?? '').trim() };
  } catch {
    return undefined;
  }
}
