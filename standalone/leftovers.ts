import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a process runs. One that ended but was not reaped by its parent (state Z) does not. */
export function isRunning(pid: number): boolean {
  const state = procStat(pid)?.[0];
  if (state !== undefined) return state !== 'Z' && state !== 'X';
  if (existsSync('/proc/self/stat')) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, 'EPERM');
  }
}

/** What tells a process from a later one with the same number: its start time, or '' where `/proc` is missing. */
export function startTimeOf(pid: number): string {
  return procStat(pid)?.[19] ?? '';
}

/** The words a process was started with; empty when it is gone or belongs to somebody else. */
export function commandLineOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/**
 * Ends a process we do not parent, trying each signal in turn and waiting `graceMs` after each.
 * @throws Error when it outlives the last one.
 */
export async function endProcess(
  pid: number,
  signals: readonly NodeJS.Signals[],
  graceMs = 5000,
): Promise<void> {
  for (const signal of signals) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (isErrno(error, 'ESRCH')) return;
      throw error;
    }
    const deadline = Date.now() + graceMs;
    while (Date.now() < deadline) {
      if (!isRunning(pid)) return;
      await sleep(20);
    }
  }
  throw new Error(`process ${pid} does not end`);
}

/** Whether something thrown is a system error with this code, such as `ENOENT`. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Fields of `/proc/PID/stat` from the state on; the name before it may itself hold blanks and brackets. */
function procStat(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
