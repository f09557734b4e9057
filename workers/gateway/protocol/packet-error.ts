import { FleetgraphError } from '#core/runtime/errors.ts';
import { REASON } from './reason.ts';

/** What a connection may do wrong so that it cannot go on, and how MQTT 5 calls it. */
const REASON_OF = {
  PACKET_MALFORMED: REASON.MALFORMED_PACKET,
  PACKET_UNEXPECTED: REASON.PROTOCOL_ERROR,
  PACKET_TOO_LARGE: REASON.PACKET_TOO_LARGE,
  TOPIC_ALIAS_INVALID: REASON.TOPIC_ALIAS_INVALID,
  RECEIVE_MAXIMUM_EXCEEDED: REASON.RECEIVE_MAXIMUM_EXCEEDED,
} as const;

/** The bytes on a connection are not MQTT, break its rules, or are more than we take. The connection ends. */
export class PacketError extends FleetgraphError {
  /** For a client that speaks MQTT 5. */
  readonly reason: number;

  constructor(code: keyof typeof REASON_OF, message: string) {
    super(code, message);
    this.reason = REASON_OF[code];
  }
}

export const malformed = (message: string): PacketError => new PacketError('PACKET_MALFORMED', message);
export const unexpected = (message: string): PacketError => new PacketError('PACKET_UNEXPECTED', message);
