import type { CredentialState } from './credential-state.ts';

export type Connectivity = 'ONLINE' | 'OFFLINE' | 'UNKNOWN';
export type Freshness = 'FRESH' | 'STALE' | 'SILENT';

/** What is known of a device's presence. Times are milliseconds since the epoch. */
export interface PresenceState {
  readonly connection: Connectivity;
  /** The newest session heard of; 0 before the first. */
  readonly epoch: bigint;
  readonly connectionChangedAt: number | null;
  readonly freshness: Freshness;
  readonly lastSeenAt: number | null;
  readonly credential: CredentialState;
  /** Metrics that its template requires and that have not come although it has sent, in the order of their keys: it is not fresh then. */
  readonly missingMetrics: readonly string[];
}

/** One thing heard of a device. */
export type PresenceSignal =
  | { readonly kind: 'traffic'; readonly at: number }
  | { readonly kind: 'connected'; readonly at: number; readonly epoch: bigint }
  | { readonly kind: 'disconnected'; readonly at: number; readonly epoch: bigint }
  /** The device's own word (`status`, or its will), without a session behind it. */
  | { readonly kind: 'said'; readonly at: number; readonly connection: 'ONLINE' | 'OFFLINE' }
  /** The gateway that held this session has not renewed its lease. */
  | { readonly kind: 'lost'; readonly at: number; readonly epoch: bigint };

/** Missing this many expected messages makes a device stale, then silent. */
export const STALE_INTERVALS = 2;
const SILENT_INTERVALS = 10;

/** How fresh a device is that was last seen then and is expected to speak every `intervalSeconds`. */
export function freshnessAt(now: number, lastSeenAt: number | null, intervalSeconds: number): Freshness {
  if (lastSeenAt === null) return 'SILENT';
  const missed = (now - lastSeenAt) / (intervalSeconds * 1_000);
  if (missed <= STALE_INTERVALS) return 'FRESH';
  return missed <= SILENT_INTERVALS ? 'STALE' : 'SILENT';
}

/** When a device is no longer as fresh as it is, should nothing be heard of it; null when time changes nothing. */
export function fadesAt(
  { freshness, lastSeenAt }: Pick<PresenceState, 'freshness' | 'lastSeenAt'>,
  intervalSeconds: number,
): number | null {
  if (freshness === 'SILENT' || lastSeenAt === null) return null;
  const intervals = freshness === 'FRESH' ? STALE_INTERVALS : SILENT_INTERVALS;
  return lastSeenAt + intervals * intervalSeconds * 1_000;
}

/**
 * Folds a signal into the state. The order of arrival does not matter: of two sessions the higher epoch wins, and
 * within one session its end wins over its beginning, so a late disconnect never hides a newer connect.
 */
export function applySignal(state: PresenceState, signal: PresenceSignal): PresenceState {
  switch (signal.kind) {
    case 'traffic':
      return seen(state, signal.at);
    case 'connected': {
      const known = seen(state, signal.at);
      const newer =
        signal.epoch > state.epoch || (signal.epoch === state.epoch && state.connection === 'UNKNOWN');
      return newer ? connection({ ...known, epoch: signal.epoch }, 'ONLINE', signal.at) : known;
    }
    case 'disconnected':
      return signal.epoch >= state.epoch
        ? connection({ ...state, epoch: signal.epoch }, 'OFFLINE', signal.at)
        : state;
    case 'lost':
      return signal.epoch === state.epoch && state.connection === 'ONLINE'
        ? connection(state, 'UNKNOWN', signal.at)
        : state;
    case 'said': {
      // A session of our own gateway knows better; only a device behind another broker is taken at its word.
      if (state.epoch > 0n || signal.at < (state.connectionChangedAt ?? 0)) return state;
      return connection(
        signal.connection === 'ONLINE' ? seen(state, signal.at) : state,
        signal.connection,
        signal.at,
      );
    }
  }
}

/** The state with its freshness as of `now`. */
export function withFreshness(state: PresenceState, now: number, intervalSeconds: number): PresenceState {
  const freshness = atBest(freshnessAt(now, state.lastSeenAt, intervalSeconds), state);
  return freshness === state.freshness ? state : { ...state, freshness };
}

/** A device that lacks something is stale as long as it sends at all. */
const atBest = (freshness: Freshness, { missingMetrics }: PresenceState): Freshness =>
  freshness === 'FRESH' && missingMetrics.length > 0 ? 'STALE' : freshness;

/** The state behind what was heard: a device that was heard of is fresh unless it lacks something, and only the clock says that it no longer is. */
export function afterHearing(before: PresenceState, heard: PresenceState): PresenceState {
  return heard.lastSeenAt === before.lastSeenAt ? heard : { ...heard, freshness: atBest('FRESH', heard) };
}

/** Whether a subscriber would want to know of the change. */
export function presenceChanged(before: PresenceState, after: PresenceState): boolean {
  return (
    before.connection !== after.connection ||
    before.freshness !== after.freshness ||
    before.credential !== after.credential ||
    before.missingMetrics.join() !== after.missingMetrics.join()
  );
}

const seen = (state: PresenceState, at: number): PresenceState =>
  state.lastSeenAt !== null && state.lastSeenAt >= at ? state : { ...state, lastSeenAt: at };

const connection = (state: PresenceState, to: Connectivity, at: number): PresenceState =>
  state.connection === to ? state : { ...state, connection: to, connectionChangedAt: at };
