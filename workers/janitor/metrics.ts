import type { Metrics } from '#core/runtime/metrics.ts';

export type JanitorMetrics = ReturnType<typeof declareMetrics>;

export function declareMetrics(metrics: Metrics) {
  return {
    dropped: metrics.counter('partitions_dropped_total', 'Partitions that had expired as a whole'),
    deleted: metrics.counter('readings_deleted_total', 'Readings older than their own tenant keeps them'),
  };
}
