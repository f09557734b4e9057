import {
  PROPERTY,
  type PropertyToWrite,
  propertyBytes,
  textBytes,
  type UserProperty,
  varintBytes,
} from './properties.ts';
import type { ProtocolVersion } from './read-connect.ts';

function packet(header: number, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([header]), varintBytes(length), ...parts]);
}

const word = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);

/** A CONNACK of MQTT 3.1.1. */
export const connack4 = (code: number, sessionPresent = false): Buffer =>
  Buffer.from([0x20, 2, sessionPresent ? 1 : 0, code]);

/** A CONNACK of MQTT 5. */
export const connack5 = (
  reason: number,
  properties: readonly PropertyToWrite[],
  sessionPresent = false,
): Buffer => packet(0x20, Buffer.from([sessionPresent ? 1 : 0, reason]), propertyBytes(properties));

/** One code a filter, in the order of the SUBSCRIBE. */
export const suback = (version: ProtocolVersion, packetId: number, codes: readonly number[]): Buffer =>
  packet(0x90, word(packetId), version === 5 ? propertyBytes([]) : NOTHING, Buffer.from(codes));

/** One code a filter in MQTT 5; 3.1.1 has none. */
export const unsuback = (version: ProtocolVersion, packetId: number, codes: readonly number[]): Buffer =>
  version === 5
    ? packet(0xb0, word(packetId), propertyBytes([]), Buffer.from(codes))
    : packet(0xb0, word(packetId));

/**
 * A PUBACK (0x40), PUBREC (0x50) or PUBCOMP (0x70) that is more than a plain yes; MQTT 5 only.
 * @param why left out when undefined
 */
export const acknowledgement = (
  header: number,
  packetId: number,
  reason: number,
  why: string | undefined,
): Buffer =>
  why === undefined
    ? packet(header, word(packetId), Buffer.from([reason]))
    : packet(header, word(packetId), Buffer.from([reason]), propertyBytes([[PROPERTY.REASON_STRING, why]]));

/** The plain yes of either version. */
export const plainAcknowledgement = (header: number, packetId: number): Buffer =>
  Buffer.from([header, 2, packetId >> 8, packetId & 0xff]);

/** What the server says before it closes a connection of MQTT 5. */
export const disconnect5 = (reason: number, why: string | undefined): Buffer =>
  packet(0xe0, Buffer.from([reason]), propertyBytes([[PROPERTY.REASON_STRING, why]]));

export interface PublishToWrite {
  readonly topic: string;
  readonly payload: Buffer;
  /** 0 for QoS 0. */
  readonly packetId: number;
  readonly dup: boolean;
  readonly retain: boolean;
  readonly properties: readonly PropertyToWrite[];
  readonly user: readonly UserProperty[];
}

/** A PUBLISH of QoS 0 or 1. */
export function publish(version: ProtocolVersion, said: PublishToWrite): Buffer {
  const { packetId } = said;
  return packet(
    0x30 | (said.dup ? 8 : 0) | (packetId > 0 ? 2 : 0) | (said.retain ? 1 : 0),
    textBytes(said.topic),
    packetId > 0 ? word(packetId) : NOTHING,
    version === 5 ? propertyBytes(said.properties, said.user) : NOTHING,
    said.payload,
  );
}

const NOTHING = Buffer.alloc(0);
