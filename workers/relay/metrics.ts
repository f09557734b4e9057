import type { Metrics } from '#core/runtime/metrics.ts';

export type RelayMetrics = ReturnType<typeof declareMetrics>;

export function declareMetrics(metrics: Metrics) {
  return {
    relayed: metrics.counter('messages_total', 'Outbox messages published'),
    shards: metrics.gauge(
      'shards',
      'Shards this replica relays; 0 on every replica means that changes are not announced',
    ),
  };
}
