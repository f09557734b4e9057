/** Consecutive numbers that were received. */
export interface SequenceRange {
  readonly from: number;
  readonly to: number;
  /** When the first of them arrived. Milliseconds since the epoch, at the edge. */
  readonly since: number;
}

/** Numbers between two that were received. */
export interface SequenceGap {
  readonly from: number;
  readonly to: number;
  /** When numbers on both sides of it had arrived. */
  readonly firstSeenAt: number;
}

/** What is known of the numbers a device has given its messages in one of its lives (`boot`). */
export interface SequenceState {
  /** Ascending, neither overlapping nor touching; at most `MAX_RANGES`. */
  readonly ranges: readonly SequenceRange[];
  /** Below it numbers are no longer told apart; null until there were too many ranges. */
  readonly floor: number | null;
  /** How many numbers were missing below the floor when it rose. */
  readonly forgotten: number;
  /** Distinct numbers. */
  readonly received: number;
  /** Messages whose number had been received before. */
  readonly duplicates: number;
  /** Messages that arrived after one with a higher number. */
  readonly outOfOrder: number;
  /** Gaps that were made known and are not healed. */
  readonly open: readonly SequenceGap[];
  /** When the newest message arrived. */
  readonly lastAt: number;
  /** When gaps that are not known yet will be looked at again; null while there are none. */
  readonly settlesAt: number | null;
}

/** A number and when it arrived at the edge. */
export interface Observation {
  readonly seq: number;
  readonly at: number;
}

/** The most stretches of numbers that are told apart in one life of a device. */
export const MAX_RANGES = 64;
/** A gap younger than this may only be a matter of order. */
export const SETTLING_MS = 10_000;

export const NO_SEQUENCE: SequenceState = {
  ranges: [],
  floor: null,
  forgotten: 0,
  received: 0,
  duplicates: 0,
  outOfOrder: 0,
  open: [],
  lastAt: 0,
  settlesAt: null,
};

/**
 * Adds what arrived. Whatever the order, the repetition and the split into calls, ranges, gaps, `received` and `duplicates` come out
 * the same, as long as no more than `MAX_RANGES` stretches are apart at any time. `outOfOrder` goes by the time of arrival: the
 * same for any order within one call, and for any split that keeps the order of arrival.
 */
export function observe(state: SequenceState, observations: readonly Observation[]): SequenceState {
  const ranges = [...state.ranges];
  let { floor, forgotten, received, duplicates, outOfOrder, lastAt } = state;
  for (const { seq, at } of inOrderOfArrival(observations)) {
    lastAt = Math.max(lastAt, at);
    if (floor !== null && seq < floor) {
      received++;
      outOfOrder++;
      continue;
    }
    const last = ranges.at(-1);
    if (last && seq < last.to && !isCovered(ranges, seq)) outOfOrder++;
    if (cover(ranges, seq, at)) received++;
    else duplicates++;
    const [lowest, next] = ranges;
    if (ranges.length > MAX_RANGES && lowest && next) {
      forgotten += next.from - lowest.to - 1;
      floor = next.from;
      ranges.shift();
    }
  }
  const open = floor === null ? state.open : state.open.filter((gap) => gap.to >= (floor ?? 0));
  return { ...state, ranges, floor, forgotten, received, duplicates, outOfOrder, open, lastAt };
}

/** What is missing, lowest first. */
export function gapsOf(ranges: readonly SequenceRange[]): SequenceGap[] {
  /** When the first of everything from this range on arrived. */
  const sinceAbove = ranges.map(() => 0);
  let above = Number.POSITIVE_INFINITY;
  for (let index = ranges.length - 1; index >= 0; index--) {
    above = Math.min(above, ranges[index]?.since ?? above);
    sinceAbove[index] = above;
  }
  let below = Number.POSITIVE_INFINITY;
  return ranges.slice(0, -1).flatMap((range, index) => {
    below = Math.min(below, range.since);
    const next = ranges[index + 1];
    if (!next) return [];
    return [
      { from: range.to + 1, to: next.from - 1, firstSeenAt: Math.max(below, sinceAbove[index + 1] ?? 0) },
    ];
  });
}

/** How many numbers are missing, those below the floor included. */
export function countMissing({ ranges, forgotten }: SequenceState): number {
  return gapsOf(ranges).reduce((sum, gap) => sum + gap.to - gap.from + 1, forgotten);
}

/** How many numbers of a gap, as it was made known, are missing still. */
export function missingOf(gap: SequenceGap, ranges: readonly SequenceRange[]): number {
  return ranges.reduce(
    (missing, { from, to }) => missing - Math.max(0, Math.min(to, gap.to) - Math.max(from, gap.from) + 1),
    gap.to - gap.from + 1,
  );
}

export interface Settled {
  readonly state: SequenceState;
  /** Gaps that have had their time and are now to be made known. */
  readonly opened: readonly SequenceGap[];
  /** Gaps made known before, none of whose numbers is missing any longer. */
  readonly healed: readonly SequenceGap[];
}

/**
 * Decides which gaps are to be made known at `now`: those that are older than `SETTLING_MS` by the arrival of their neighbours, and
 * not before as much time has passed since it was first asked, for what is missing may only wait to be stored.
 */
export function settle(state: SequenceState, now: number): Settled {
  if (state.ranges.length <= 1 && state.open.length === 0) {
    return {
      state: state.settlesAt === null ? state : { ...state, settlesAt: null },
      opened: [],
      healed: [],
    };
  }
  const healed = state.open.filter((gap) => missingOf(gap, state.ranges) === 0);
  const unhealed = state.open.filter((gap) => !healed.includes(gap));
  const waiting = gapsOf(state.ranges).filter(
    (gap) => !unhealed.some((known) => known.from <= gap.from && gap.to <= known.to),
  );
  const due = state.settlesAt !== null && state.settlesAt <= now;
  const opened = due ? waiting.filter((gap) => gap.firstSeenAt + SETTLING_MS <= now) : [];
  const again = due ? null : state.settlesAt;
  const settlesAt = waiting.length > opened.length ? (again ?? now + SETTLING_MS) : null;
  const open = [...unhealed, ...opened].sort((a, b) => a.from - b.from);
  return { state: { ...state, open, settlesAt }, opened, healed };
}

/** Stable: of what arrived in the same millisecond the order given stays. */
function inOrderOfArrival(observations: readonly Observation[]): readonly Observation[] {
  const ordered = observations.every((each, index) => each.at >= (observations[index - 1]?.at ?? each.at));
  return ordered ? observations : [...observations].sort((a, b) => a.at - b.at);
}

/** The place of the first range that ends at or behind a number. */
function placeOf(ranges: readonly SequenceRange[], seq: number): number {
  const last = ranges.at(-1);
  if (!last || last.to < seq) return ranges.length;
  let low = 0;
  for (let high = ranges.length - 1; low < high; ) {
    const middle = (low + high) >> 1;
    if ((ranges[middle]?.to ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isCovered(ranges: readonly SequenceRange[], seq: number): boolean {
  const range = ranges[placeOf(ranges, seq)];
  return range !== undefined && range.from <= seq;
}

/** Adds a number to the ranges, joining those it touches. False when it was there already. */
function cover(ranges: SequenceRange[], seq: number, at: number): boolean {
  const last = ranges.at(-1);
  if (last && seq === last.to + 1) {
    ranges[ranges.length - 1] = { from: last.from, to: seq, since: Math.min(at, last.since) };
    return true;
  }
  const place = placeOf(ranges, seq);
  const above = ranges[place];
  if (above && above.from <= seq) {
    if (at < above.since) ranges[place] = { ...above, since: at };
    return false;
  }
  const below = ranges[place - 1];
  const touchesBelow = below?.to === seq - 1 ? below : undefined;
  const touchesAbove = above?.from === seq + 1 ? above : undefined;
  const joined = {
    from: touchesBelow?.from ?? seq,
    to: touchesAbove?.to ?? seq,
    since: Math.min(at, touchesBelow?.since ?? at, touchesAbove?.since ?? at),
  };
  ranges.splice(touchesBelow ? place - 1 : place, (touchesBelow ? 1 : 0) + (touchesAbove ? 1 : 0), joined);
  return true;
}
