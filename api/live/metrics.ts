import type { Counter } from 'prom-client';
import type { Metrics } from '#core/runtime/metrics.ts';
import { LIVE_KINDS, type LiveKind } from './filter.ts';

/** What the live part of the API counts. */
export interface LiveMetrics {
  readonly catchUps: Counter;
  readonly overflows: Counter;
  readonly gaps: Counter<'reason'>;
  readonly conflated: Counter;
  /** So many events were handed to a subscription. */
  delivered(kind: LiveKind, events: number): void;
  /** Changes of what waits in the queues. */
  queued(events: number, bytes: number): void;
  /** A subscriber came (1) or went (-1). */
  subscribed(kind: LiveKind, change: 1 | -1): void;
}

export function createLiveMetrics(metrics: Metrics, feeds: () => number): LiveMetrics {
  let [events, bytes] = [0, 0];
  metrics.gauge(
    'live_queued_events',
    'Events waiting for subscribers; a rising value means slow subscribers',
    [],
    () => events,
  );
  metrics.gauge('live_queued_bytes', 'Bytes of the events waiting for subscribers', [], () => bytes);
  const delivered = metrics.counter('live_delivered_total', 'Events handed to subscriptions', ['kind']);
  const deliveredOf = new Map(LIVE_KINDS.map((kind) => [kind, delivered.labels(kind)]));
  const subscribers = metrics.gauge('live_subscribers', 'Open live subscriptions', ['kind']);
  metrics.gauge('live_feeds', 'Shards followed by this process', [], feeds);
  return {
    catchUps: metrics.counter('live_catch_ups_total', 'Times a subscriber was served from the stream itself'),
    overflows: metrics.counter(
      'live_overflows_total',
      'Times a subscriber’s queue was full; it was served from the stream then',
    ),
    gaps: metrics.counter(
      'live_gaps_total',
      'Gaps told to subscribers; a rising value means that the window is too short',
      ['reason'],
    ),
    conflated: metrics.counter('live_conflated_total', 'Readings merged into a newer one because of maxHz'),
    delivered: (kind, events) => deliveredOf.get(kind)?.inc(events),
    queued(eventChange, byteChange) {
      events += eventChange;
      bytes += byteChange;
    },
    subscribed: (kind, change) => subscribers.inc({ kind }, change),
  };
}
