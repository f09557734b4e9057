import type { CertificateRefusal } from '#core/auth/certificate-check.ts';
import { PROPERTY } from './protocol/properties.ts';
import type { ProtocolVersion } from './protocol/read-connect.ts';
import { REASON } from './protocol/reason.ts';
import { connack4, connack5 } from './protocol/write-packets.ts';

export type RejectionReason =
  | 'protocol_version'
  | 'malformed'
  | 'client_id'
  | 'bad_credentials'
  | 'authentication_method'
  | 'not_active'
  | 'will'
  | 'unavailable'
  | 'overtaken'
  | 'connect_rate'
  | `certificate_${Lowercase<CertificateRefusal>}`;

/** What a CONNACK says, in 3.1.1 (table 3.1; undefined for what it has no words for) and in 5. */
const ANSWERS = {
  VERSION: [1, REASON.UNSUPPORTED_VERSION],
  CLIENT_ID: [2, REASON.CLIENT_ID_NOT_VALID],
  UNAVAILABLE: [3, REASON.SERVER_UNAVAILABLE],
  CREDENTIALS: [4, REASON.BAD_CREDENTIALS],
  NOT_AUTHORIZED: [5, REASON.NOT_AUTHORIZED],
  TOO_LARGE: [5, REASON.PACKET_TOO_LARGE],
  PAYLOAD_FORMAT: [5, REASON.PAYLOAD_FORMAT_INVALID],
  RATE: [3, REASON.CONNECTION_RATE_EXCEEDED],
  QUOTA: [5, REASON.QUOTA_EXCEEDED],
  METHOD: [undefined, REASON.BAD_AUTHENTICATION_METHOD],
  MALFORMED: [undefined, REASON.MALFORMED_PACKET],
  PROTOCOL: [undefined, REASON.PROTOCOL_ERROR],
} as const;

export type RejectionAnswer = keyof typeof ANSWERS;

/** A CONNECT that was not let in, and what its sender is told (nothing where its protocol has no words for it). */
export class Rejection {
  readonly reason: RejectionReason;
  readonly why: string;
  readonly connack: Buffer | undefined;

  constructor(reason: RejectionReason, why: string, connack?: Buffer) {
    this.reason = reason;
    this.why = why;
    this.connack = connack;
  }
}

/** @param told what a client of MQTT 5 is told; left out, `why` */
export function reject(
  version: ProtocolVersion,
  reason: RejectionReason,
  answer: RejectionAnswer,
  why: string,
  told = why,
): Rejection {
  const [code, reasonCode] = ANSWERS[answer];
  if (version === 5)
    return new Rejection(reason, why, connack5(reasonCode, [[PROPERTY.REASON_STRING, told]]));
  return new Rejection(reason, why, code === undefined ? undefined : connack4(code));
}
