import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder.ts';
import { type Suite, unpackDebianPackages } from './debian-package.ts';
import { findProgram } from './guard.ts';

/** 2.10 and newer give a reason with a terminated message and let the disk be synced oftener. */
const WANTED = { major: 2, minor: 10 };
/** Tried in this order: the first Debian release with a wanted version, which also runs on older ones; then ours. */
const SUITES: readonly Suite[] = ['trixie', 'native'];

export interface NatsProgram {
  readonly path: string;
  /** For example `2.10.27`. */
  readonly version: string;
  /** 2.10 or newer. */
  readonly modern: boolean;
}

/**
 * Finds nats-server: `NATS_SERVER_BIN`, the PATH, the copy we fetched before, then Debian's package, fetched without
 * root and kept in the user's cache. `onFetch` is told before anything is fetched.
 * @throws Error with the ways to install it by hand.
 */
export async function findNatsProgram(
  onFetch: (what: string) => void = () => undefined,
): Promise<NatsProgram> {
  const named = process.env.NATS_SERVER_BIN;
  if (named) {
    const program = probe(named);
    if (!program) throw new Error(`NATS_SERVER_BIN=${named} is not a nats-server that runs here`);
    return program;
  }
  const installed = findProgram('nats-server');
  const found = [installed, ...SUITES.map(cachedPath)].flatMap((path) => (path ? [probe(path)] : []));
  const first = found.find((program) => program !== undefined);
  return first ?? fetchNats(onFetch);
}

async function fetchNats(onFetch: (what: string) => void): Promise<NatsProgram> {
  const failures: string[] = [];
  for (const suite of SUITES) {
    onFetch(`nats-server from Debian (${suite})`);
    const failure = await unpackDebianPackages(
      ['nats-server'],
      suite,
      cacheFolder('nats-server', suite),
    ).then(
      () => undefined,
      (error: unknown) => String(error),
    );
    const program = failure === undefined ? probe(cachedPath(suite)) : undefined;
    if (program) return program;
    failures.push(failure ?? `the program of ${suite} does not run on this machine`);
  }
  throw new Error(
    [
      'nats-server is missing and could not be fetched:',
      ...failures.map((line) => `  - ${line}`),
      'Any one of these helps:',
      '  - install it: apt-get install nats-server, or your system’s package of that name',
      '  - NATS_SERVER_BIN=/path/to/nats-server npm start',
      '  - NATS_URL=nats://host:4222 npm start, to use a running server with JetStream',
    ].join('\n'),
  );
}

function cachedPath(suite: Suite): string {
  return join(cacheFolder('nats-server'), suite, 'usr', 'sbin', 'nats-server');
}

function probe(path: string): NatsProgram | undefined {
  if (path.includes('/') && !existsSync(path)) return undefined;
  const output = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  const match = /v(\d+)\.(\d+)\.\d+/.exec(output.stdout ?? '');
  if (!match) return undefined;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  const modern = major > WANTED.major || (major === WANTED.major && minor >= WANTED.minor);
  return { path, version: match[0].slice(1), modern };
}
