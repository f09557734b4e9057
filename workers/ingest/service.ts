import type { Consumption } from '#core/bus/consume.ts';
import type { Metrics } from '#core/runtime/metrics.ts';
import type { Service } from '#core/runtime/run-service.ts';
import type { LatestFollower } from './latest.ts';
import type { SequenceFolder } from './sequences.ts';

export interface IngestServiceDeps {
  /** Begins to pull frames. */
  readonly follow: () => Consumption;
  readonly latest: LatestFollower;
  readonly sequences: SequenceFolder;
  readonly metrics: Metrics;
}

/** What this process does, under one roof. */
export function createIngestService(deps: IngestServiceDeps): Service {
  let consumption: Consumption | undefined;
  deps.metrics.gauge(
    'frames_held',
    'Frames pulled and without a fate; at its limit the database is too slow',
    [],
    () => consumption?.held ?? 0,
  );
  return {
    async start() {
      consumption = deps.follow();
      deps.latest.start();
      deps.sequences.start();
    },
    async stop(deadlineMs) {
      const outcome = (await consumption?.stop(deadlineMs)) ?? { abandoned: 0 };
      await Promise.all([deps.latest.stop(), deps.sequences.stop()]);
      return outcome;
    },
    ready: () => consumption?.running() ?? false,
  };
}
