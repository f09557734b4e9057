import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno, isRunning, startTimeOf } from './leftovers.ts';

/**
 * Keeps two platforms from using one folder. Taken over from a process that is gone.
 * @throws Error naming the process that holds it.
 */
export function takeInstanceLock(folder: string): Disposable {
  const path = join(folder, 'lock');
  const mine = `${process.pid} ${startTimeOf(process.pid)}`;
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, mine);
  try {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      if (tryLink(draft, path)) return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
      const [pid = 0, started = ''] = readHolder(path);
      if (isRunning(pid) && startTimeOf(pid) === started) {
        throw new Error(`already running on ${folder} (process ${pid}); choose another folder with --data`);
      }
      rmSync(path, { force: true });
    }
    throw new Error(`could not take the lock ${path}`);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A hard link appears whole or not at all, so that nobody reads an empty lock. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

function readHolder(path: string): [number, string] {
  try {
    const [pid = '', started = ''] = readFileSync(path, 'utf8').split(' ');
    return [Number(pid), started];
  } catch {
    return [0, ''];
  }
}
