import type { Consumption } from '#core/bus/consume.ts';
import { UPLINK_STREAMS, type UplinkStream } from '#core/bus/uplink-streams.ts';
import type { Metrics } from '#core/runtime/metrics.ts';
import type { Service } from '#core/runtime/run-service.ts';
import type { Discovery } from './discovery.ts';
import type { LatestFollower } from './latest.ts';
import type { SequenceFolder } from './sequences.ts';

export interface IngestServiceDeps {
  /** Begins to pull frames of a stream. */
  readonly follow: (stream: UplinkStream) => Consumption;
  readonly latest: LatestFollower;
  readonly sequences: SequenceFolder;
  readonly discovery: Discovery;
  readonly metrics: Metrics;
}

/** What this process does, under one roof. */
export function createIngestService(deps: IngestServiceDeps): Service {
  let consumptions: readonly Consumption[] = [];
  deps.metrics.gauge(
    'frames_held',
    'Frames pulled and without a fate; at its limit the database is too slow',
    [],
    () => consumptions.reduce((sum, { held }) => sum + held, 0),
  );
  return {
    async start() {
      consumptions = UPLINK_STREAMS.map((stream) => deps.follow(stream));
      deps.latest.start();
      deps.sequences.start();
      deps.discovery.start();
    },
    async stop(deadlineMs) {
      const outcomes = await Promise.all(consumptions.map((each) => each.stop(deadlineMs)));
      await Promise.all([deps.latest.stop(), deps.sequences.stop(), deps.discovery.stop()]);
      return { abandoned: outcomes.reduce((sum, { abandoned }) => sum + abandoned, 0) };
    },
    ready: () => consumptions.length > 0 && consumptions.every((each) => each.running()),
  };
}
