import { readdirSync, readFileSync } from 'node:fs';
import { commandLineOf } from '#standalone/leftovers.ts';

/** Every process that a test starts inherits it. */
export const RUN_VARIABLE = 'FLEETGRAPH_TEST_RUN';

/** The processes that a finished test run left behind, as `pid command line`. Empty where there is no `/proc`. */
export function findLeftovers(run: string): string[] {
  return processIds().flatMap((pid) =>
    pid !== process.pid && environmentOf(pid).includes(`${RUN_VARIABLE}=${run}`)
      ? [`${pid} ${commandLineOf(pid).join(' ').trim()}`]
      : [],
  );
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
