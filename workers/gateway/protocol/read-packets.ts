import type { PacketBody } from './packet-body.ts';
import { malformed, unexpected } from './packet-error.ts';
import { ALLOWED, NO_PROPERTIES, PROPERTY, readProperties } from './properties.ts';
import type { ProtocolVersion } from './read-connect.ts';
import { REASON } from './reason.ts';

/** The types of MQTT control packets: the upper four bits of the first byte. */
export const PACKET = {
  CONNECT: 1,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  UNSUBSCRIBE: 10,
  PINGREQ: 12,
  DISCONNECT: 14,
  AUTH: 15,
} as const;

export interface Subscription {
  readonly filter: string;
  readonly qos: number;
  /** See `RETAIN_HANDLING`; 0 with MQTT 3.1.1. */
  readonly retainHandling: number;
  /** Messages come with the retain flag that they were published with. */
  readonly retainAsPublished: boolean;
}

export interface SubscribePacket {
  readonly packetId: number;
  readonly subscriptions: readonly Subscription[];
  /** What the client wants to be told with each message; undefined for nothing. */
  readonly identifier: number | undefined;
}

/** @throws PacketError */
export function readSubscribe(body: PacketBody, version: ProtocolVersion): SubscribePacket {
  const packetId = readPacketId(body);
  const properties = version === 5 ? readProperties(body, ALLOWED.SUBSCRIBE) : NO_PROPERTIES;
  const subscriptions: Subscription[] = [];
  while (body.left > 0) {
    const filter = body.text();
    const options = body.byte();
    const qos = options & 3;
    const retainHandling = (options >> 4) & 3;
    const reserved = version === 5 ? options & 0xc0 : options & 0xfc;
    if (qos === 3 || reserved !== 0) throw malformed('subscription options that do not exist');
    if (retainHandling === 3) throw unexpected('a retain handling of 3');
    if ((options & 4) !== 0 && filter.startsWith('$share/'))
      throw unexpected('a shared subscription that is not local');
    subscriptions.push({ filter, qos, retainHandling, retainAsPublished: (options & 8) !== 0 });
  }
  if (subscriptions.length === 0) throw unexpected('a SUBSCRIBE without a filter');
  return { packetId, subscriptions, identifier: properties.number(PROPERTY.SUBSCRIPTION_ID) };
}

export interface UnsubscribePacket {
  readonly packetId: number;
  readonly filters: readonly string[];
}

/** @throws PacketError */
export function readUnsubscribe(body: PacketBody, version: ProtocolVersion): UnsubscribePacket {
  const packetId = readPacketId(body);
  if (version === 5) readProperties(body, ALLOWED.UNSUBSCRIBE);
  const filters: string[] = [];
  while (body.left > 0) filters.push(body.text());
  if (filters.length === 0) throw unexpected('an UNSUBSCRIBE without a filter');
  return { packetId, filters };
}

/** A PUBACK, PUBREC, PUBREL or PUBCOMP. */
export interface Acknowledgement {
  readonly packetId: number;
  readonly reason: number;
}

/** @throws PacketError */
export function readAcknowledgement(body: PacketBody, version: ProtocolVersion): Acknowledgement {
  const packetId = readPacketId(body);
  let reason: number = REASON.SUCCESS;
  if (version === 5 && body.left > 0) {
    reason = body.byte();
    if (body.left > 0) readProperties(body, ALLOWED.ACKNOWLEDGEMENT);
  }
  body.finish();
  return { packetId, reason };
}

export interface DisconnectPacket {
  readonly reason: number;
  /** A new one for the session; undefined leaves it. */
  readonly sessionExpirySeconds: number | undefined;
}

/** @throws PacketError */
export function readDisconnect(body: PacketBody, version: ProtocolVersion): DisconnectPacket {
  if (version === 4 || body.left === 0) {
    body.finish();
    return { reason: REASON.SUCCESS, sessionExpirySeconds: undefined };
  }
  const reason = body.byte();
  const properties = body.left > 0 ? readProperties(body, ALLOWED.DISCONNECT) : NO_PROPERTIES;
  body.finish();
  return { reason, sessionExpirySeconds: properties.number(PROPERTY.SESSION_EXPIRY) };
}

function readPacketId(body: PacketBody): number {
  const packetId = body.word();
  if (packetId === 0) throw unexpected('packet id 0');
  return packetId;
}

/** @throws PacketError when the lower four bits of a first byte are not what this type has */
export function checkFlags(header: number): void {
  const type = header >> 4;
  const wanted = type === PACKET.PUBREL || type === PACKET.SUBSCRIBE || type === PACKET.UNSUBSCRIBE ? 2 : 0;
  if ((header & 0x0f) !== wanted) throw malformed('flags that this packet does not have');
}
