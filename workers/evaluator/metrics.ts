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
    silenceJudged: metrics.gauge(
      'silence_judged_until_timestamp_seconds',
      'As of when silence was judged last, in seconds since the epoch; 0 where another replica does. Falls behind when ingest or this worker does',
    ),
  };
}
