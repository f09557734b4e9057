import type { ItemKind } from '#core/bus/messages.ts';
import { LATENCY_SECONDS, type Metrics } from '#core/runtime/metrics.ts';

/** What the gateway has open or waiting, asked for at each scrape. */
export interface GatewayGauges {
  connections(): number;
  sessions(): number;
  pendingBytes(): number;
  paused(): number;
  heldBack(): number;
}

/**
 * What is counted once a message is counted in plain numbers here, and handed to the registry by `publish`, once a
 * second: a labelled counter would cost more than the message.
 */
export interface MessageTally {
  readonly accepted: Record<ItemKind, number>;
  payloadBytes: number;
  pubacks: number;
  qos0Lost: number;
  /** Answers that became due since the start; how busy the gateway is, and no metric. */
  answersDue: number;
  publish(): void;
}

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

export function createGatewayMetrics(metrics: Metrics, gauges: GatewayGauges) {
  const messages = metrics.counter('messages_total', 'Messages taken from devices, by kind.', ['kind']);
  const payload = metrics.counter('payload_bytes_total', 'Payload taken from devices.');
  const pubacks = metrics.counter(
    'pubacks_total',
    'PUBACKs and PUBRECs sent that stand for a message stored in JetStream.',
  );
  const qos0 = metrics.counter(
    'qos0_lost_total',
    'QoS 0 messages taken but never stored. Rising: the bus gave up.',
  );
  metrics.gauge('connections', 'Open sockets, handshakes included.', [], () => gauges.connections());
  metrics.gauge('sessions', 'Devices connected here.', [], () => gauges.sessions());
  metrics.gauge('pending_bytes', 'Waiting for JetStream. Rising: the bus is slow or away.', [], () =>
    gauges.pendingBytes(),
  );
  metrics.gauge(
    'held_back_connects',
    'Refusals held back from who failed often. Rising: somebody guesses passwords.',
    [],
    () => gauges.heldBack(),
  );
  metrics.gauge('paused_connections', 'Sockets not read for overload.', [], () => gauges.paused());
  return {
    connects: metrics.counter(
      'connects_total',
      'CONNECTs by outcome. Rising refusals: wrong or revoked credentials.',
      ['outcome'],
    ),
    disconnects: metrics.counter('disconnects_total', 'Connections that ended, by reason.', ['reason']),
    refused: metrics.counter(
      'refused_total',
      'Publishes refused, by reason; one of MQTT 3.1.1 closed its connection.',
      ['reason'],
    ),
    throttled: metrics.counter('throttled_total', 'Sessions ended for sending too much, by whose limit.', [
      'limit',
    ]),
    downlink: metrics.counter('downlink_total', 'Messages to devices, by outcome.', ['outcome']),
    storeSeconds: metrics.histogram(
      'store_seconds',
      'From reading a message to its PUBACK, one message in sixteen.',
      LATENCY_SECONDS,
    ),
    credentialLookups: metrics.counter('credential_lookups_total', 'How credentials were found.', [
      'outcome',
    ]),
    tally: createTally((kind, count) => messages.inc({ kind }, count), {
      payloadBytes: (count) => payload.inc(count),
      pubacks: (count) => pubacks.inc(count),
      qos0Lost: (count) => qos0.inc(count),
    }),
  };
}

function createTally(
  addMessages: (kind: string, count: number) => void,
  add: Record<'payloadBytes' | 'pubacks' | 'qos0Lost', (count: number) => void>,
): MessageTally {
  const accepted: Record<ItemKind, number> = {
    telemetry: 0,
    heartbeat: 0,
    status: 0,
    connected: 0,
    disconnected: 0,
    shadow_reported: 0,
    command_ack: 0,
    ota_status: 0,
    command_sent: 0,
  };
  const kinds = Object.keys(accepted) as ItemKind[];
  const tally: MessageTally = {
    accepted,
    payloadBytes: 0,
    pubacks: 0,
    qos0Lost: 0,
    answersDue: 0,
    publish() {
      for (const kind of kinds) {
        if (accepted[kind] > 0) addMessages(kind, accepted[kind]);
        accepted[kind] = 0;
      }
      for (const name of ['payloadBytes', 'pubacks', 'qos0Lost'] as const) {
        if (tally[name] > 0) add[name](tally[name]);
        tally[name] = 0;
      }
    },
  };
  return tally;
}
