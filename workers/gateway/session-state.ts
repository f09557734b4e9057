import type { Admission } from './admission.ts';
import { type DownlinkOptions, DownlinkSession } from './downlink-session.ts';
import { Inbox } from './inbox.ts';
import type { KeptState } from './kept-state.ts';

/** What of a session outlives its connection. */
export interface SessionState {
  readonly clientId: string;
  readonly downlink: DownlinkSession;
  readonly inbox: Inbox;
  /** How long it is kept after the connection; 0 for not at all. A client may change it as it leaves. */
  keepSeconds: number;
  /** It is in the table, as far as is known here. */
  written: boolean;
}

/** A session that begins, or goes on from where another gateway wrote it down. */
export function createSessionState(
  { tenant, device, clientId, keepSeconds }: Admission,
  options: DownlinkOptions,
  kept?: KeptState,
): SessionState {
  const downlink = new DownlinkSession(tenant, device, options);
  if (kept) downlink.restore(kept);
  return { clientId, downlink, inbox: new Inbox(kept?.unreleased), keepSeconds, written: kept !== undefined };
}
