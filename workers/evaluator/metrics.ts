import type { Metrics } from '#core/runtime/metrics.ts';

export type EvaluatorMetrics = ReturnType<typeof declareMetrics>;

export function declareMetrics(metrics: Metrics) {
  return {
    changes: metrics.counter(
      'presence_changes_total',
      'Devices whose presence changed, by what they are now',
      ['connection', 'freshness', 'credential'],
    ),
    messages: metrics.counter(
      'messages_total',
      'Messages of EVENTS by fate; a rising retry means that a neighbour is failing',
      ['fate'],
    ),
  };
}
