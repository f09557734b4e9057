import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProcessSpec } from './supervise.ts';

/** The folder that holds package.json. */
export const PROJECT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

export interface NodeProcess {
  readonly name: string;
  /** Path of its `main.ts` from the project's folder. */
  readonly main: string;
  /** Added to our own environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly healthPort: number;
  readonly logFile: string;
}

/**
 * Most of what a message leaves behind in memory is dead before the next collection when the young generation is large enough:
 * with Node's own 16 MiB it is copied about, which costs a fifth of all CPU under load. Likewise the old generation is not marked
 * every second while it is smaller than 512 MiB: a young generation of 64 MiB and buffers count against that. Memory at rest does not
 * change.
 */
const NODE_OPTIONS = ['--max-semi-space-size=64', '--initial-old-space-size=512'];

/** How to run one of our own programs: ready when its `/readyz` says so, on the Node that runs us. */
export function nodeProcess({ name, main, env, healthPort, logFile }: NodeProcess): ProcessSpec {
  const readyUrl = `http://127.0.0.1:${healthPort}/readyz`;
  return {
    name,
    command: process.execPath,
    args: ['--enable-source-maps', ...NODE_OPTIONS, join(PROJECT, main)],
    cwd: PROJECT,
    env: { ...childEnvironment(), ...env, HEALTH_HOST: '127.0.0.1', HEALTH_PORT: String(healthPort) },
    logFile,
    isReady: () =>
      fetch(readyUrl, { signal: AbortSignal.timeout(1000) }).then(
        (response) => response.ok,
        () => false,
      ),
  };
}

/** Our environment without what npm and a test runner put into it; the project's own tools come first on the PATH. */
export function childEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).flatMap(([name, value]): [string, string][] =>
    value === undefined || /^(npm_|INIT_CWD$|VITEST|NODE_OPTIONS$|NODE_ENV$)/.test(name)
      ? []
      : [[name, value]],
  );
  const path = [join(PROJECT, 'node_modules', '.bin'), process.env.PATH ?? '/usr/bin:/bin'].join(delimiter);
  return { ...Object.fromEntries(kept), PATH: path };
}
