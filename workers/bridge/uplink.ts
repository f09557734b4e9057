import type { FrameItem } from '#core/bus/messages.ts';
import { withoutProvisionToken } from '#core/fleet/provision-token.ts';
import { KIND_OF_LEAF, readUplinkTopic } from '#core/mqtt/topics.ts';

/** A message as the broker hands it on. */
export interface BrokerMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly dup: boolean;
}

/**
 * What goes into a frame; undefined where the topic is no device's. Who may publish where is for the broker to know (it asks
 * `/internal/mqtt/acl`): here the topic is taken at its word. What is wrong with the payload is for ingest to find, because
 * the device has its acknowledgement from the broker already.
 * @param meterTenant whose the topics are that name no tenant
 */
export function readUplink(
  message: BrokerMessage,
  now: number,
  meterTenant: string | undefined,
): FrameItem | undefined {
  const owned = readUplinkTopic(message.topic);
  const tenant = owned?.tenant ?? meterTenant;
  if (!owned || tenant === undefined) return undefined;
  return {
    tenant,
    device: owned.device,
    kind: KIND_OF_LEAF[owned.leaf],
    dialect: owned.dialect,
    source: 'bridge',
    dup: message.dup,
    receivedAt: now,
    payload: withoutProvisionToken(message.payload),
  };
}
