import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './logger.ts';

/** A task on a clock. `stop` waits for the run in progress. */
export interface Clock {
  stop(): Promise<void>;
}

/**
 * Runs `task` about every `intervalMs` (± 10 % jitter), never twice at once; the first run is immediate.
 * What it throws is logged and the next run comes on time.
 */
export function every(
  intervalMs: number,
  name: string,
  log: Logger,
  task: (signal: AbortSignal) => Promise<void>,
): Clock {
  const aborter = new AbortController();
  const loop = async () => {
    while (!aborter.signal.aborted) {
      try {
        await task(aborter.signal);
      } catch (error) {
        if (!aborter.signal.aborted) log.error({ err: error, clock: name }, 'clock task failed');
      }
      await sleep(intervalMs * (0.9 + Math.random() * 0.2), undefined, { signal: aborter.signal }).catch(
        () => undefined,
      );
    }
  };
  const running = loop();
  return {
    async stop() {
      aborter.abort();
      await running;
    },
  };
}
