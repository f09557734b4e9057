import { type BusMessage, done, type Fate, retry } from '#core/bus/consume.ts';
import { readAddressed } from '#core/bus/downlink.ts';
import { buildTopic, isDownlinkLeaf } from '#core/mqtt/topics.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { DownMessage } from './broker-connection.ts';
import type { BridgeMetrics } from './metrics.ts';

export interface DownlinkDeps {
  readonly log: Logger;
  readonly metrics: BridgeMetrics;
  /** See `BrokerConnection.publish`. */
  publish(message: DownMessage): Promise<number | undefined>;
}

const AGAIN_MS = 500;

/**
 * Hands what is meant for devices to the broker, whichever of them are connected there: it keeps what is retained and
 * drops the rest for whom it does not know. A message is done when the broker has acknowledged it.
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
    const { tenant, device, leaf, ...content } = envelope;
    const code = await deps.publish({ ...content, topic: buildTopic(tenant, device, leaf) });
    if (code === undefined) {
      metrics.downlink.inc({ outcome: 'again' });
      return retry(AGAIN_MS, 'the broker did not acknowledge it');
    }
    metrics.downlink.inc({ outcome: code < 0x80 ? 'sent' : 'refused' });
    if (code >= 0x80) log.error({ tenant, device, leaf, code }, 'the broker refused a message for a device');
    return done;
  };
  return (messages: readonly BusMessage[]) => Promise.all(messages.map(sendOne));
}
