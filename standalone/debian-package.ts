import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from './guard.ts';

const execute = promisify(execFile);
const SOURCES = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const TIMEOUT_MS = 180_000;

/** A Debian release to take packages from, such as `trixie`; `native` is the one this machine runs. */
export type Suite = 'native' | (string & {});

/**
 * Fetches packages with the machine's own package client, verified by its keyring, and unpacks them into `target`
 * without root and without touching the system: lists and downloads live beside the target and are removed.
 * The mirror is the one this machine is configured for.
 * @throws Error when this is no Debian, the suite lacks a package, or the mirror does not answer within 3 minutes.
 */
export async function unpackDebianPackages(
  packages: readonly string[],
  suite: Suite,
  target: string,
): Promise<void> {
  if (!findProgram('apt-get') || !findProgram('dpkg'))
    throw new Error('this machine has no apt-get and dpkg');
  const work = `${target}.${process.pid}`;
  const downloads = join(work, 'downloads');
  const root = join(work, 'root');
  for (const folder of ['lists/partial', 'cache/archives/partial', 'parts', 'downloads', 'root']) {
    mkdirSync(join(work, folder), { recursive: true });
  }
  try {
    writeFileSync(join(work, 'sources.list'), `${sourceLine(suite)}\n`);
    const options = [
      ...[
        '-q',
        '-o',
        `Dir::Etc::sourcelist=${join(work, 'sources.list')}`,
        '-o',
        `Dir::Etc::sourceparts=${work}/parts`,
      ],
      ...[
        '-o',
        `Dir::State::lists=${work}/lists`,
        '-o',
        `Dir::Cache=${work}/cache`,
        '-o',
        'APT::Sandbox::User=',
      ],
      ...['-o', 'Acquire::Languages=none', '-o', 'Acquire::Retries=2', '-o', 'APT::Get::List-Cleanup=false'],
    ];
    await execute('apt-get', [...options, 'update'], { timeout: TIMEOUT_MS });
    await execute('apt-get', [...options, 'download', ...packages], { cwd: downloads, timeout: TIMEOUT_MS });
    for (const file of readdirSync(downloads)) {
      await execute('dpkg', ['-x', join(downloads, file), root], { timeout: TIMEOUT_MS });
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(root, target);
  } catch (cause) {
    throw new Error(`could not fetch ${packages.join(', ')} from ${suite}: ${firstLine(cause)}`, { cause });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function sourceLine(suite: Suite): string {
  return `deb [signed-by=${KEYRING}] ${mirror()} ${suite === 'native' ? codename() : suite} main`;
}

/** The address of the Debian mirror that this machine is configured for, in either format of its sources. */
function mirror(): string {
  for (const path of SOURCES) {
    const text = readOptional(path);
    const address = /^URIs:\s*(\S+)/m.exec(text) ?? /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+\S+\s+main/m.exec(text);
    if (address?.[1]) return address[1];
  }
  throw new Error('no Debian mirror is configured on this machine');
}

function codename(): string {
  const name = /^VERSION_CODENAME=(\S+)/m.exec(readOptional('/etc/os-release'))?.[1];
  if (!name) throw new Error('this machine does not say which Debian release it runs');
  return name;
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function firstLine(cause: unknown): string {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const text =
    'stderr' in error && typeof error.stderr === 'string' && error.stderr ? error.stderr : error.message;
  return text.trim().split('\n')[0] ?? '';
}
