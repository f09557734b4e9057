import type { CredentialState } from './credential-state.ts';
import { type Connectivity, type Freshness, fadesAt, type PresenceState } from './presence.ts';

/** Presence as its history knows it. */
export interface Axes {
  readonly connection: Connectivity;
  readonly freshness: Freshness;
  readonly credential: CredentialState;
}

/** A moment at which presence changed. Milliseconds since the epoch. */
export interface AxesChange {
  readonly at: number;
  readonly before: Axes;
  readonly after: Axes;
}

const axesOf = ({ connection, freshness, credential }: PresenceState): Axes => ({
  connection,
  freshness,
  credential,
});

/**
 * How presence came from one state to another, each axis at its own time, oldest first: a device that is found silent has been
 * stale since two and silent since ten intervals after it was last seen, whenever that is found out.
 */
export function changesBetween(
  before: PresenceState,
  after: PresenceState,
  now: number,
  intervalSeconds: number,
): AxesChange[] {
  const steps: { readonly at: number; readonly set: Partial<Axes> }[] = [];
  if (before.connection !== after.connection)
    steps.push({ at: after.connectionChangedAt ?? now, set: { connection: after.connection } });
  if (before.credential !== after.credential) steps.push({ at: now, set: { credential: after.credential } });
  if (before.freshness !== after.freshness)
    for (const { at, freshness } of freshnessSteps(before, after, now, intervalSeconds))
      steps.push({ at, set: { freshness } });
  let axes = axesOf(before);
  return steps
    .map(({ at, set }) => ({ at: Math.min(at, now), set }))
    .sort((a, b) => a.at - b.at)
    .map(({ at, set }) => {
      const change = { at, before: axes, after: { ...axes, ...set } };
      axes = change.after;
      return change;
    });
}

function freshnessSteps(
  before: PresenceState,
  after: PresenceState,
  now: number,
  intervalSeconds: number,
): { readonly at: number; readonly freshness: Freshness }[] {
  if (after.freshness === 'FRESH' && before.missingMetrics.length > 0)
    return [{ at: now, freshness: 'FRESH' }];
  if (after.freshness === 'FRESH' || before.freshness === 'SILENT')
    return [{ at: after.lastSeenAt ?? now, freshness: after.freshness }];
  const fade = (freshness: Freshness) =>
    fadesAt({ freshness, lastSeenAt: after.lastSeenAt }, intervalSeconds) ?? now;
  return [
    ...(before.freshness === 'FRESH' ? [{ at: fade('FRESH'), freshness: 'STALE' as const }] : []),
    ...(after.freshness === 'SILENT' ? [{ at: fade('STALE'), freshness: 'SILENT' as const }] : []),
  ];
}

/** The time of a range in milliseconds: all of it, how much of it the device was there, and how much its data was fresh. */
export interface Uptime {
  readonly knownMs: number;
  readonly upMs: number;
  readonly freshMs: number;
}

/** Connected, or, where no session says so, heard of in time: a device that speaks HTTP has no connection. */
const isUp = ({ connection, freshness }: Axes): boolean =>
  connection === 'ONLINE' || (connection === 'UNKNOWN' && freshness === 'FRESH');

/**
 * How long a device was there in each of `count` equal parts of a range.
 * @param changes those in the range, oldest first
 * @param later what it was behind the range, and so all along when there are no changes
 */
export function uptimeOf(
  changes: readonly AxesChange[],
  later: Axes,
  range: { readonly from: number; readonly to: number },
  count: number,
): Uptime[] {
  const parts = Array.from({ length: count }, () => ({ knownMs: 0, upMs: 0, freshMs: 0 }));
  const endOf = (index: number) =>
    index === count - 1 ? range.to : range.from + ((index + 1) * (range.to - range.from)) / count;
  let at = range.from;
  let index = 0;
  const hold = (axes: Axes, until: number) => {
    while (at < until) {
      while (index < count - 1 && endOf(index) <= at) index++;
      const part = parts[index];
      const end = Math.min(until, endOf(index));
      if (!part || end <= at) return;
      part.knownMs += end - at;
      if (isUp(axes)) part.upMs += end - at;
      if (axes.freshness === 'FRESH') part.freshMs += end - at;
      at = end;
    }
  };
  for (const change of changes) hold(change.before, Math.min(change.at, range.to));
  hold(changes.at(-1)?.after ?? later, range.to);
  return parts;
}
