import type { Metrics } from '#core/runtime/metrics.ts';

export type BridgeMetrics = ReturnType<typeof declareMetrics>;

/** What the bridge has open or waiting, asked for at each scrape. */
export interface BridgeGauges {
  subscribed(): number;
  unacknowledged(): number;
  pendingBytes(): number;
  paused(): number;
}

export function declareMetrics(metrics: Metrics, gauges: BridgeGauges) {
  metrics.gauge('subscribed', 'Connections that the broker hands messages to.', [], gauges.subscribed);
  metrics.gauge(
    'unacknowledged',
    'Messages taken from the broker without an answer so far.',
    [],
    gauges.unacknowledged,
  );
  metrics.gauge(
    'pending_bytes',
    'Waiting for JetStream. Rising: the bus is slow or away.',
    [],
    gauges.pendingBytes,
  );
  metrics.gauge('paused', '1 while the broker is not read for overload.', [], gauges.paused);
  return {
    messages: metrics.counter('messages_total', 'Messages taken from the broker, by kind.', ['kind']),
    acknowledged: metrics.counter(
      'pubacks_total',
      'PUBACKs sent; each stands for a message stored in JetStream.',
    ),
    refused: metrics.counter('refused_total', 'Messages that were not taken, by reason.', ['reason']),
    disconnects: metrics.counter('disconnects_total', 'Connections to the broker that ended, by reason.', [
      'reason',
    ]),
    downlink: metrics.counter('downlink_total', 'Messages for devices, by what became of them.', ['outcome']),
  };
}
