import type { Bounds, Profile } from './measuring.ts';
import { inDatabaseOrder } from './metric-order.ts';

/** What is done with one value of a reading. */
export interface PlannedValue {
  /** Which one it is, in the order in which they were sent. */
  readonly place: number;
  /** What stands before it in JSON text. */
  readonly before: Uint8Array;
  /** Undefined: any value is good. */
  readonly bounds: Bounds | undefined;
  /** Undefined: it stays as it was sent. */
  readonly scale: { readonly factor: number; readonly offset: number } | undefined;
}

/** How the values of readings with the same names are stored, where every one of them is as it should be. */
export interface MeasuringPlan {
  /** The names under which they are stored, in the order in which they were sent, joined by commas. */
  readonly shape: string;
  /** In the order in which the database keeps them. */
  readonly values: readonly PlannedValue[];
  /** Of all that stands before values and behind the last. */
  readonly bytes: number;
}

/**
 * What `applyProfile` does with readings of these metrics as long as nothing is wrong with their values. Undefined where it depends on
 * more than each value alone: two names lead to one metric, or one of them is flagged, discovered or turned away.
 */
export function planOf(names: readonly string[], profile: Profile | undefined): MeasuringPlan | undefined {
  const planned = names.map((raw, place) => {
    const rule = profile?.rules.get(raw);
    const bounds = profile?.invalidValues === 'ACCEPT' ? undefined : rule?.bounds;
    const scale = rule?.scales ? { factor: rule.scale, offset: rule.offset } : undefined;
    return { place, metric: rule?.metric ?? raw, known: rule?.bounds !== undefined, bounds, scale };
  });
  if (new Set(planned.map(({ metric }) => metric)).size < names.length) return undefined;
  const asksOfUnknown = profile && (profile.unknownMetrics !== 'ACCEPT' || profile.discovers);
  if (asksOfUnknown && planned.some(({ known }) => !known)) return undefined;
  const ordered = planned.toSorted((a, b) => inDatabaseOrder(a.metric, b.metric));
  const values = ordered.map(({ place, metric, bounds, scale }, index) => {
    const before = Uint8Array.from(Buffer.from(`${index === 0 ? '{' : ','}"${metric}":`, 'latin1'));
    return { place, before, bounds, scale };
  });
  const bytes = values.reduce((sum, { before }) => sum + before.length, 1);
  return { shape: planned.map(({ metric }) => metric).join(), values, bytes };
}
