import type { ClientLimits } from './admission.ts';
import { PROPERTY } from './protocol/properties.ts';
import type { ConnectPacket } from './protocol/read-connect.ts';
import { REASON } from './protocol/reason.ts';
import { connack4, connack5 } from './protocol/write-packets.ts';
import { TOPIC_ALIAS_MAXIMUM } from './publish-properties.ts';

/** What the gateway grants at most. */
export interface ServerLimits {
  readonly maxSessionSeconds: number;
  readonly maxKeepAliveSeconds: number;
  /** Messages of a client of MQTT 5 that are not acknowledged. */
  readonly receiveMaximum: number;
  readonly maxPacketBytes: number;
}

/** What was agreed with a client beside who it is. */
export interface Terms {
  readonly keepSeconds: number;
  readonly maxKeepSeconds: number;
  readonly silenceMs: number;
  readonly limits: ClientLimits;
  welcome(sessionPresent: boolean): Buffer;
}

const NO_LIMITS: ClientLimits = {
  receiveMaximum: 65_535,
  maxPacketBytes: Number.POSITIVE_INFINITY,
  topicAliasMaximum: 0,
  wantsReasons: false,
};

/** A promise of silence of at most this factor times the keep-alive (MQTT 3.1.1, 3.1.2.10). */
const SILENCE_FACTOR = 1.5;

/**
 * Brings what a client asks for and what the gateway grants together.
 * @param assigned the client id that it was given because it brought none
 */
export function agree(packet: ConnectPacket, server: ServerLimits, assigned: string | undefined): Terms {
  const { keepAliveSeconds: wanted, properties } = packet;
  const silenceMs = (keepAlive: number) => keepAlive * 1_000 * SILENCE_FACTOR;
  if (packet.version === 4) {
    return {
      keepSeconds: packet.clean ? 0 : server.maxSessionSeconds,
      maxKeepSeconds: server.maxSessionSeconds,
      silenceMs: silenceMs(wanted),
      limits: NO_LIMITS,
      welcome: (sessionPresent) => connack4(REASON.SUCCESS, sessionPresent),
    };
  }
  const expiry = properties.number(PROPERTY.SESSION_EXPIRY) ?? 0;
  const keepSeconds = Math.min(expiry, server.maxSessionSeconds);
  const keepAlive = wanted === 0 || wanted > server.maxKeepAliveSeconds ? server.maxKeepAliveSeconds : wanted;
  return {
    keepSeconds,
    maxKeepSeconds: server.maxSessionSeconds,
    silenceMs: silenceMs(keepAlive),
    limits: {
      receiveMaximum: properties.number(PROPERTY.RECEIVE_MAXIMUM) ?? NO_LIMITS.receiveMaximum,
      maxPacketBytes: properties.number(PROPERTY.MAXIMUM_PACKET_SIZE) ?? NO_LIMITS.maxPacketBytes,
      topicAliasMaximum: properties.number(PROPERTY.TOPIC_ALIAS_MAXIMUM) ?? 0,
      wantsReasons: properties.number(PROPERTY.REQUEST_PROBLEM_INFORMATION) !== 0,
    },
    // Maximum QoS is left out: that is how 2 is said.
    welcome: (sessionPresent) =>
      connack5(
        REASON.SUCCESS,
        [
          [PROPERTY.SESSION_EXPIRY, keepSeconds === expiry ? undefined : keepSeconds],
          [PROPERTY.RECEIVE_MAXIMUM, server.receiveMaximum],
          [PROPERTY.RETAIN_AVAILABLE, 1],
          [PROPERTY.MAXIMUM_PACKET_SIZE, server.maxPacketBytes],
          [PROPERTY.ASSIGNED_CLIENT_ID, assigned],
          [PROPERTY.TOPIC_ALIAS_MAXIMUM, TOPIC_ALIAS_MAXIMUM],
          [PROPERTY.WILDCARD_SUBSCRIPTION_AVAILABLE, 1],
          [PROPERTY.SUBSCRIPTION_ID_AVAILABLE, 1],
          [PROPERTY.SHARED_SUBSCRIPTION_AVAILABLE, 0],
          [PROPERTY.SERVER_KEEP_ALIVE, keepAlive === wanted ? undefined : keepAlive],
        ],
        sessionPresent,
      ),
  };
}
