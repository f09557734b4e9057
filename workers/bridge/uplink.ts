import type { UserProperties } from 'mqtt-packet';
import type { FrameItem } from '#core/bus/messages.ts';
import {
  MAX_USER_PROPERTIES,
  MAX_USER_PROPERTY_BYTES,
  packUserProperties,
  type UserProperty,
  withoutToken,
} from '#core/bus/user-properties.ts';
import { withoutProvisionToken } from '#core/fleet/provision-token.ts';
import { KIND_OF_LEAF, readUplinkTopic } from '#core/mqtt/topics.ts';

/** A message as the broker hands it on. */
export interface BrokerMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly userProperties?: UserProperties | undefined;
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
    userProperties: message.userProperties && carried(message.userProperties),
  };
}

/** As many of the leading ones as a message may carry: the device has its acknowledgement, so the rest is left out. */
function carried(said: UserProperties): Uint8Array | undefined {
  const properties = Object.entries(said).flatMap(([name, values]) =>
    [values].flat().map((value): UserProperty => [name, value]),
  );
  const kept = withoutToken(properties).slice(0, MAX_USER_PROPERTIES);
  let packed = packUserProperties(kept);
  while (packed.length > MAX_USER_PROPERTY_BYTES) {
    kept.pop();
    packed = packUserProperties(kept);
  }
  return packed.length > 0 ? packed : undefined;
}
