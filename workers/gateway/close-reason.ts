import { REASON } from './protocol/reason.ts';

/** What a client of MQTT 5 is told when its connection ends. */
interface Told {
  readonly reason: number;
  readonly why: string;
}

/** Why a connection ended; undefined where the client knows, or cannot be told. */
const TOLD = {
  client_disconnect: undefined,
  /** It said goodbye and asked for its will to be said. */
  client_disconnect_with_will: undefined,
  connection_lost: undefined,
  keep_alive_expired: {
    reason: REASON.KEEP_ALIVE_TIMEOUT,
    why: 'silent for longer than the keep-alive allows',
  },
  taken_over: { reason: REASON.SESSION_TAKEN_OVER, why: 'a newer connection of this device began' },
  refused: { reason: REASON.UNSPECIFIED, why: 'refused' },
  protocol_error: { reason: REASON.PROTOCOL_ERROR, why: 'the protocol was broken' },
  handshake_refused: undefined,
  handshake_timeout: undefined,
  credential_revoked: {
    reason: REASON.NOT_AUTHORIZED,
    why: 'the credential, the device or its tenant may not come in any more',
  },
  not_stored: { reason: REASON.SERVER_BUSY, why: 'a message could not be stored in time; send it again' },
  slow_consumer: { reason: REASON.QUOTA_EXCEEDED, why: 'does not read what it is sent' },
  /** Its own rate; for its tenant's it is told QUOTA_EXCEEDED. */
  rate_exceeded: { reason: REASON.MESSAGE_RATE_TOO_HIGH, why: 'sends more than it may' },
  gateway_stopping: { reason: REASON.SERVER_SHUTTING_DOWN, why: 'connect again' },
} as const satisfies Readonly<Record<string, Told | undefined>>;

export type CloseReason = keyof typeof TOLD;

export const toldOf = (reason: CloseReason): Told | undefined => TOLD[reason];
