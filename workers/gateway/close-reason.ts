import { REASON } from './protocol/reason.ts';

/** Why a connection ended, and what a client of MQTT 5 is told; undefined where it knows, or cannot be told. */
const TOLD = {
  client_disconnect: undefined,
  /** It said goodbye and asked for its will to be said. */
  client_disconnect_with_will: undefined,
  connection_lost: undefined,
  keep_alive_expired: REASON.KEEP_ALIVE_TIMEOUT,
  taken_over: REASON.SESSION_TAKEN_OVER,
  refused: REASON.UNSPECIFIED,
  protocol_error: REASON.PROTOCOL_ERROR,
  handshake_refused: undefined,
  handshake_timeout: undefined,
  credential_revoked: REASON.NOT_AUTHORIZED,
  not_stored: REASON.SERVER_BUSY,
  slow_consumer: REASON.QUOTA_EXCEEDED,
  /** Its own rate; for its tenant's it is told QUOTA_EXCEEDED. */
  rate_exceeded: REASON.MESSAGE_RATE_TOO_HIGH,
  gateway_stopping: REASON.SERVER_SHUTTING_DOWN,
} as const satisfies Readonly<Record<string, number | undefined>>;

export type CloseReason = keyof typeof TOLD;

export const reasonToldOf = (reason: CloseReason): number | undefined => TOLD[reason];
