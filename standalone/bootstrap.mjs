// Runs before anything is installed, on whatever Node the machine has: plain JavaScript, no dependencies.
// `node standalone/bootstrap.mjs start|test [arguments]` installs the packages when the lockfile changed, then hands
// over to the pinned Node that npm installed with them.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = [20, 19];
const PROJECT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const MODULES = path.join(PROJECT, 'node_modules');
const STAMP = path.join(MODULES, '.fleetgraph-stamp');
const PINNED_NODE = path.join(MODULES, 'node', 'bin', 'node');
const LOCK = path.join(PROJECT, '.cache', 'install.lock');
const COMMANDS = {
  start: 'standalone/main.ts',
  test: 'tests/run.ts',
  conserve: 'standalone/conserve/main.ts',
  secrets: 'standalone/secrets/main.ts',
};

const [command, ...rest] = process.argv.slice(2);

function main() {
  const version = process.versions.node.split('.').map(Number);
  if (version[0] < OLDEST_NODE[0] || (version[0] === OLDEST_NODE[0] && version[1] < OLDEST_NODE[1])) {
    throw new Failure(
      `Fleetgraph needs Node ${OLDEST_NODE.join('.')} or newer to install itself; this is ${process.versions.node}.`,
    );
  }
  if (!Object.hasOwn(COMMANDS, command))
    throw new Failure(`usage: node standalone/bootstrap.mjs ${Object.keys(COMMANDS).join('|')}`);
  if (!isInstalled()) underLock(install);
  handOver();
}

/** Whether what lies in node_modules is what the lockfile says, and holds a Node that runs. */
function isInstalled() {
  if (!fs.existsSync(PINNED_NODE)) return false;
  if (read(STAMP) === wantedStamp()) return true;
  if (!agreesWithLockfile()) return false;
  fs.writeFileSync(STAMP, wantedStamp());
  return true;
}

/** An install made by hand counts: npm writes down what it installed. */
function agreesWithLockfile() {
  const hidden = read(path.join(MODULES, '.package-lock.json'));
  if (hidden === undefined) return false;
  const installed = JSON.parse(hidden).packages;
  const wanted = JSON.parse(fs.readFileSync(path.join(PROJECT, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(([name, entry]) => {
    const found = installed[name];
    if (found) return found.version === entry.version && found.integrity === entry.integrity;
    return name === '' || entry.optional === true || entry.peer === true;
  });
}

function wantedStamp() {
  const lockfile = fs.readFileSync(path.join(PROJECT, 'package-lock.json'));
  return `${createHash('sha256').update(lockfile).digest('hex')} ${process.platform}-${process.arch}`;
}

function install() {
  if (isInstalled()) return;
  const began = Date.now();
  process.stderr.write('Installing packages (once, and after each change of the lockfile) …\n');
  const refused = runNpm('ci');
  // Where a registry lacks a package for some other platform, `ci` calls the lockfile incomplete; `install` leaves
  // such a package out, as it should, and with --no-save it changes nothing in the lockfile.
  const failure = refused && lockfileIsCurrent() ? runNpm('install', '--no-save') : refused;
  if (failure) throw new Failure(`npm could not install the packages:\n${failure}`);
  if (!fs.existsSync(PINNED_NODE)) {
    throw new Failure(
      'npm installed the packages but not Node itself: it refused install scripts. Try: npm rebuild node',
    );
  }
  fs.writeFileSync(STAMP, wantedStamp());
  process.stderr.write(`Installed in ${Math.round((Date.now() - began) / 1000)} s.\n`);
}

/** What npm had to say when it failed. The user's own settings decide neither what is installed nor what is shown. */
function runNpm(...words) {
  const npm = npmCommand();
  const settings = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error', '--ignore-scripts=false'];
  const scope = ['--include=dev', '--include=optional', '--global=false'];
  const run = spawnSync(npm[0], [...npm.slice(1), ...words, ...settings, ...scope], {
    cwd: PROJECT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_ENV: 'development' },
  });
  if (run.error) return `npm could not be started: ${run.error.message}`;
  return run.status === 0 ? undefined : `${run.stdout}${run.stderr}`;
}

/** Whether the lockfile was made for this package.json. */
function lockfileIsCurrent() {
  const own = JSON.parse(fs.readFileSync(path.join(PROJECT, 'package.json'), 'utf8'));
  const locked = JSON.parse(fs.readFileSync(path.join(PROJECT, 'package-lock.json'), 'utf8')).packages[''];
  const same = (kind) => JSON.stringify(own[kind] ?? {}) === JSON.stringify(locked[kind] ?? {});
  return same('dependencies') && same('devDependencies');
}

/** The npm that called us, else the one on the PATH. */
function npmCommand() {
  const caller = process.env.npm_execpath;
  return caller && /npm-cli\.js$/.test(caller) ? [process.execPath, caller] : ['npm'];
}

/** One install at a time for each clone. The lock of a process that is gone is taken over. */
function underLock(task) {
  fs.mkdirSync(path.dirname(LOCK), { recursive: true });
  for (let told = false; !takeLock(); told = true) {
    if (!told) process.stderr.write('Waiting for another install in this folder …\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  }
  try {
    task();
  } finally {
    fs.rmSync(LOCK, { force: true });
  }
}

function takeLock() {
  try {
    fs.writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const holder = Number(read(LOCK) || 0);
  if (holder === 0 || isRunning(holder)) return false;
  fs.rmSync(LOCK, { force: true });
  return false;
}

function isRunning(pid) {
  const stat = read(`/proc/${pid}/stat`);
  if (stat !== undefined) return !/\) [ZX]/.test(stat);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs the command on the pinned Node, tied to us: it is asked to stop when we, or the npm above us, are killed. */
function handOver() {
  const node = [PINNED_NODE, '--enable-source-maps', '--disable-warning=ExperimentalWarning'];
  const words = [...node, path.join(PROJECT, COMMANDS[command]), ...rest];
  const tied = process.platform === 'linux' && fs.existsSync('/usr/bin/setpriv');
  const line = tied ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM', '--', ...words] : words;
  const child = spawn(line[0], line.slice(1), { stdio: 'inherit', env: process.env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`could not run ${line[0]}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal ? 1 : code;
    clearInterval(watch);
  });
  const npm = npmAboveUs();
  const watch = setInterval(() => {
    if (npm !== undefined && !isRunning(npm)) child.kill('SIGTERM');
  }, 500);
}

/** The npm that runs us, directly or through a shell: when it is killed, nobody could stop us any more. */
function npmAboveUs() {
  if (!process.env.npm_lifecycle_event) return undefined;
  const name = (pid) => read(`/proc/${pid}/comm`) ?? '';
  const parentOf = (pid) => Number(/\) \S (\d+)/.exec(read(`/proc/${pid}/stat`) ?? '')?.[1] ?? 0);
  return [process.ppid, parentOf(process.ppid)].find((pid) => /^(npm|node)/.test(name(pid)));
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Something the caller can mend: shown without a stack. */
class Failure extends Error {}

try {
  main();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
