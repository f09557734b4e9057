import type { Pool } from '#core/db/pool.ts';
import { stepQuarantineJob } from '#core/db/quarantine-jobs.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { JanitorMetrics } from './metrics.ts';
import { toReplayFrames } from './replay-frames.ts';

export interface QuarantineJobsDeps {
  readonly pool: Pool;
  readonly shards: number;
  /** How often a job is looked for, in milliseconds. */
  readonly pollMs: number;
  readonly log: Logger;
  readonly metrics: JanitorMetrics;
}

/** Works off what people asked to be replayed or discarded, oldest first. Every replica does; they share the jobs. */
export function startQuarantineJobs(deps: QuarantineJobsDeps): Clock {
  return every(deps.pollMs, 'quarantine jobs', deps.log, async (signal) => {
    while (!signal.aborted) {
      const step = await stepQuarantineJob(deps.pool, (tenant, rows, fix) =>
        toReplayFrames(tenant, rows, fix, deps.shards, Date.now()),
      );
      if (!step) return;
      deps.metrics.quarantineRows.inc(step.handled);
    }
  });
}
