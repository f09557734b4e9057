import type { DownlinkSession } from './downlink-session.ts';
import type { Inbox } from './inbox.ts';

/** What of a session outlives its connection. */
export interface SessionState {
  readonly clientId: string;
  readonly downlink: DownlinkSession;
  readonly inbox: Inbox;
  /** How long it is kept after the connection; 0 for not at all. A client may change it as it leaves. */
  keepSeconds: number;
}
