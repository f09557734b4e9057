import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A system user that a server runs as. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface Guarded {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The command line that runs `command` tied to this process: when we die, however we die, the kernel sends it
 * `orphanSignal`. With an account it also gives up our identity first. Where `setpriv` does not exist (outside
 * Linux) the command runs untied, and an account is refused.
 */
export function guarded(
  command: string,
  args: readonly string[],
  orphanSignal: NodeJS.Signals,
  account?: Account,
): Guarded {
  const setpriv = findProgram('setpriv');
  if (setpriv === undefined) {
    if (account)
      throw new Error(`running as user ${account.name} needs the program setpriv (package util-linux)`);
    return { command, args };
  }
  const identity = account ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'] : [];
  return {
    command: setpriv,
    args: [...identity, '--pdeathsig', orphanSignal.replace(/^SIG/, ''), '--', command, ...args],
  };
}

/**
 * The account that servers refusing to run as root use instead: `postgres` where it exists, else `nobody`.
 * Undefined when we are not root and need none.
 */
export function unprivilegedAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const found = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    if (found.status !== 0) continue;
    const gid = Number(execFileSync('id', ['-g', name], { encoding: 'utf8' }));
    return { name, uid: Number(found.stdout), gid };
  }
  throw new Error(
    'PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as',
  );
}

/** Whether the account may enter a directory, every directory above it included. */
export function canEnter(account: Account | undefined, directory: string): boolean {
  const test = ['-c', 'test -x "$1"', 'sh', directory];
  const run = guarded('/bin/sh', test, 'SIGKILL', account);
  return spawnSync(run.command, run.args).status === 0;
}

/** Where a program lies on the PATH. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/bin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Whether a path names something this process may execute. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
