import { type Packet, parser } from 'mqtt-packet';
import { errorMessage } from '#core/runtime/errors.ts';
import { PacketError } from './packet-reader.ts';

/** The types of MQTT control packets: the upper four bits of the first byte (MQTT 3.1.1, 2.2.1). */
export const PACKET = {
  CONNECT: 1,
  PUBLISH: 3,
  PUBACK: 4,
  SUBSCRIBE: 8,
  UNSUBSCRIBE: 10,
  PINGREQ: 12,
  DISCONNECT: 14,
} as const;

/**
 * Parses one whole packet by its first byte and its body; for every kind but PUBLISH, which is read in place.
 * @throws PacketError when it is not a valid MQTT 3.1.1 packet
 */
export function parsePacket(header: number, body: Buffer): Packet {
  const found: { packet?: Packet; error?: unknown } = {};
  const reader = parser({ protocolVersion: 4 });
  reader.on('packet', (packet) => {
    found.packet = packet;
  });
  reader.on('error', (error: unknown) => {
    found.error = error;
  });
  try {
    reader.parse(Buffer.concat([Buffer.from([header]), remainingLength(body.length), body]));
  } catch (error) {
    found.error = error;
  }
  if (found.error !== undefined) throw new PacketError('PACKET_MALFORMED', errorMessage(found.error));
  if (!found.packet) throw new PacketError('PACKET_MALFORMED', 'the packet contradicts its own length');
  return found.packet;
}

function remainingLength(length: number): Buffer {
  const bytes: number[] = [];
  for (let rest = length; ; rest >>>= 7) {
    if (rest < 0x80) {
      bytes.push(rest);
      return Buffer.from(bytes);
    }
    bytes.push((rest & 0x7f) | 0x80);
  }
}
