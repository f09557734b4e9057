import { type BusMessage, done, type Fate, retry } from '#core/bus/consume.ts';
import { type DownlinkEnvelope, readAddressed } from '#core/bus/downlink.ts';
import { buildTopic, isDownlinkLeaf } from '#core/mqtt/topics.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { DownMessage } from './broker-connection.ts';
import type { BridgeMetrics } from './metrics.ts';

export interface DownlinkDeps {
  /** What a device should be as the tables have it now, and nothing of it where nothing is wanted. */
  findDesired(device: { readonly tenant: string; readonly device: string }): Promise<DownlinkEnvelope>;
  readonly log: Logger;
  readonly metrics: BridgeMetrics;
  /** See `BrokerConnection.publish`. */
  publish(message: DownMessage): Promise<number | undefined>;
}

const AGAIN_MS = 500;
/** So often a state is published again because it has changed meanwhile; then others have their turn. */
const MAX_ROUNDS = 5;

/**
 * Hands what is meant for devices to the broker, whichever of them are connected there: it keeps what is retained and
 * drops the rest for whom it does not know. A message is done when the broker has acknowledged it.
 *
 * Of what states something the message only says that it has changed: published is what the tables have, again until that is
 * what was published last. So whoever publishes last, here or at a replica, leaves the newest with the broker.
 */
export function createDownlinkHandler(deps: DownlinkDeps) {
  const { log, metrics } = deps;
  const sendOne = async (message: BusMessage): Promise<Fate> => {
    const envelope = readAddressed(message.bytes);
    if (!envelope || !isDownlinkLeaf(envelope.leaf)) {
      metrics.downlink.inc({ outcome: 'malformed' });
      log.warn({ stream: 'DOWNLINK', sequence: message.sequence }, 'not a downlink message');
      return done;
    }
    return envelope.version === undefined ? publish(envelope) : publishState(envelope);
  };

  const publishState = async ({ tenant, device }: DownlinkEnvelope): Promise<Fate> => {
    let state = await deps.findDesired({ tenant, device });
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const fate = await publish(state);
      if (fate !== done) return fate;
      const published = state.version;
      state = await deps.findDesired({ tenant, device });
      if (state.version === published) return done;
    }
    return retry(0, 'what the device should be changes all the time');
  };

  const publish = async (envelope: DownlinkEnvelope): Promise<Fate> => {
    const { tenant, device, retain, qos, payload } = envelope;
    if (!isDownlinkLeaf(envelope.leaf)) return done;
    const properties = propertiesOf(envelope, Date.now());
    if (!properties) {
      metrics.downlink.inc({ outcome: 'expired' });
      return done;
    }
    const topic = buildTopic(tenant, device, envelope.leaf);
    const code = await deps.publish({ topic, qos, retain, payload, properties });
    if (code === undefined) {
      metrics.downlink.inc({ outcome: 'again' });
      return retry(AGAIN_MS, 'the broker did not acknowledge it');
    }
    metrics.downlink.inc({ outcome: code < 0x80 ? 'sent' : 'refused' });
    if (code >= 0x80)
      log.error({ tenant, device, leaf: envelope.leaf, code }, 'the broker refused a message for a device');
    return done;
  };
  return (messages: readonly BusMessage[]) => Promise.all(messages.map(sendOne));
}

/** What MQTT 5 says beside a message; undefined for one that has expired. */
function propertiesOf(
  { expiresAt, contentType, userProperties = [] }: DownlinkEnvelope,
  now: number,
): DownMessage['properties'] {
  if (expiresAt !== undefined && expiresAt <= now) return undefined;
  const user: Record<string, string[]> = Object.create(null);
  for (const [name, value] of userProperties) {
    user[name] ??= [];
    user[name].push(value);
  }
  return {
    ...(expiresAt !== undefined && { messageExpiryInterval: Math.ceil((expiresAt - now) / 1_000) }),
    ...(contentType !== undefined && { contentType }),
    ...(userProperties.length > 0 && { userProperties: user }),
  };
}
