import { foldFrames, readSums } from '#core/db/conservation.ts';
import type { Pool } from '#core/db/pool.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { JanitorMetrics } from './metrics.ts';

export interface SumsDeps {
  readonly pool: Pool;
  readonly intervalMs: number;
  readonly log: Logger;
  readonly metrics: JanitorMetrics;
}

/** Metrics show this many tenants, the busiest ones. */
const MAX_TENANTS = 1_000;
/** The name of what belongs to no tenant that exists; no slug. */
const NOBODY = '(unknown)';

/** Keeps the sums of what became of readings up to date, and shows them as metrics. Every replica may do it at once. */
export function startSums({ pool, intervalMs, log, metrics }: SumsDeps): Clock {
  return every(intervalMs, 'sums', log, async () => {
    metrics.folded.inc(await foldFrames(pool));
    const sums = await readSums(pool, MAX_TENANTS);
    metrics.readings.reset();
    metrics.difference.reset();
    for (const { tenant = NOBODY, accepted, ...fates } of sums) {
      metrics.readings.set({ tenant, outcome: 'accepted' }, accepted);
      const { stored, duplicate, quarantined, deadLettered } = fates;
      for (const [outcome, count] of Object.entries({
        stored,
        duplicate,
        quarantined,
        dead_lettered: deadLettered,
      }))
        metrics.readings.set({ tenant, outcome }, count);
      metrics.difference.set({ tenant }, accepted - stored - duplicate - quarantined - deadLettered);
    }
  });
}
