import { readdirSync, readFileSync } from 'node:fs';
import { commandLineOf } from '#standalone/leftovers.ts';

/** Every process that a test starts inherits it. */
export const RUN_VARIABLE = 'FLEETGRAPH_TEST_RUN';

/** The processes whose environment holds `variable=value`, ourselves excepted. Empty where there is no `/proc`. */
export function findProcesses(variable: string, value: string): number[] {
  return processIds().filter(
    (pid) => pid !== process.pid && environmentOf(pid).includes(`${variable}=${value}`),
  );
}

/** The processes that a finished test run left behind, as `pid command line`. */
export function findLeftovers(run: string): string[] {
  return findProcesses(RUN_VARIABLE, run).map((pid) => `${pid} ${commandLineOf(pid).join(' ').trim()}`);
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** Unreadable means somebody else's. */
function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
