/**
 * What the banner says about the live stream.
 * `connected`: nothing to tell. `reconnecting`: the socket is away. `resumed`: it came back and nothing was missed.
 * `gap`: it came back, and `missed` events (null: nobody can count them) were not delivered.
 */
export type LivePhase = 'idle' | 'connected' | 'reconnecting' | 'resumed' | 'gap';

export type LiveState = {
  readonly phase: LivePhase;
  /** Attempts since the socket was last up; 0 while it is. */
  readonly attempt: number;
  /** True from a break until the stream has settled again: there is something to resume. */
  readonly resuming: boolean;
  /** Events known to be lost since the last dismissal; null when they cannot be counted. */
  readonly missed: number | null;
  readonly reason: string | null;
  /** When the phase began, in ms. */
  readonly sinceMs: number;
};

export type LiveInput =
  | { readonly type: 'opened' }
  /** The socket is gone. `planned`: only to present a fresh token, so nobody needs to be told yet. */
  | { readonly type: 'closed'; readonly planned: boolean }
  | { readonly type: 'gap'; readonly missed: number | null; readonly reason: string }
  /** Time has passed since `opened` without a gap: whatever was sent since the break has been delivered. */
  | { readonly type: 'settled' }
  /** The reader closed the notice, or it was shown long enough. */
  | { readonly type: 'dismissed' }
  | { readonly type: 'emptied' };

export const initialLiveState: LiveState = {
  phase: 'idle',
  attempt: 0,
  resuming: false,
  missed: 0,
  reason: null,
  sinceMs: 0,
};

function addMissed(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

/** The next state of the live stream. Pure: `nowMs` is the caller's clock. */
export function advance(state: LiveState, input: LiveInput, nowMs: number): LiveState {
  switch (input.type) {
    case 'closed': {
      const wasUp = state.phase === 'connected' || state.phase === 'resumed' || state.phase === 'gap';
      const quiet = input.planned && wasUp && state.attempt === 0;
      if (quiet) return { ...state, attempt: 1 };
      return {
        ...state,
        phase: 'reconnecting',
        attempt: state.attempt + 1,
        resuming: wasUp || state.resuming,
        sinceMs: state.phase === 'reconnecting' ? state.sinceMs : nowMs,
      };
    }
    case 'opened':
      if (state.phase === 'idle' || (state.phase === 'reconnecting' && !state.resuming)) {
        return { ...state, phase: 'connected', attempt: 0, sinceMs: nowMs };
      }
      return { ...state, attempt: 0 };
    case 'gap':
      return {
        ...state,
        phase: 'gap',
        missed: addMissed(state.missed, input.missed),
        reason: input.reason,
        resuming: false,
        sinceMs: nowMs,
      };
    case 'settled':
      if (state.phase !== 'reconnecting' || state.attempt > 0) return state;
      return { ...state, phase: state.reason === null ? 'resumed' : 'gap', resuming: false, sinceMs: nowMs };
    case 'dismissed':
      if (state.phase !== 'resumed' && state.phase !== 'gap') return state;
      return { ...state, phase: 'connected', missed: 0, reason: null, sinceMs: nowMs };
    case 'emptied':
      return { ...initialLiveState, sinceMs: nowMs };
  }
}

/** One subscription's place in the stream. */
export type Place = {
  /** Cursor of the newest event seen, undefined before the first. */
  readonly cursor: string | undefined;
};

/** Variables to subscribe with: the caller's own, and `after` once a cursor is known. */
export function resumeVariables(
  variables: Readonly<Record<string, unknown>>,
  place: Place,
): Record<string, unknown> {
  return place.cursor === undefined ? { ...variables } : { ...variables, after: place.cursor };
}

/** What one payload of a live subscription says about the stream itself. */
export type StreamNote = {
  readonly cursor: string | undefined;
  readonly gap: { readonly missed: number | null; readonly reason: string } | undefined;
};

/** Reads cursor and gap out of a payload's only root field. Payloads without them yield neither. */
export function readStreamNote(data: unknown): StreamNote {
  const nothing: StreamNote = { cursor: undefined, gap: undefined };
  if (typeof data !== 'object' || data === null) return nothing;
  const event: unknown = Object.values(data)[0];
  if (typeof event !== 'object' || event === null) return nothing;
  const cursor = 'cursor' in event && typeof event.cursor === 'string' ? event.cursor : undefined;
  if (!('__typename' in event) || event.__typename !== 'StreamGap') return { cursor, gap: undefined };
  const missed = 'missed' in event && typeof event.missed === 'number' ? event.missed : null;
  const reason = 'reason' in event && typeof event.reason === 'string' ? event.reason : 'UNKNOWN';
  return { cursor, gap: { missed, reason } };
}
