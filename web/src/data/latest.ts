/** The newest value of one metric. */
export type Latest = {
  readonly metric: string;
  readonly value: unknown;
  readonly at: string;
  readonly receivedAt: string;
};

/**
 * Folds incoming values into the ones held: per metric the later `at` wins, at the same instant the incoming one.
 * Sorted by metric. Returns `held` itself when nothing changes.
 */
export function mergeLatest(held: readonly Latest[], incoming: readonly Latest[]): readonly Latest[] {
  const byMetric = new Map(held.map((value) => [value.metric, value]));
  let changed = false;
  for (const value of incoming) {
    const current = byMetric.get(value.metric);
    if (current && Date.parse(current.at) > Date.parse(value.at)) continue;
    byMetric.set(value.metric, value);
    changed = true;
  }
  if (!changed) return held;
  return [...byMetric.values()].sort((a, b) => (a.metric < b.metric ? -1 : a.metric > b.metric ? 1 : 0));
}

/** The entries of a reading's `metrics`; nothing when it is not an object. */
export function readMetrics(metrics: unknown): [metric: string, value: unknown][] {
  if (typeof metrics !== 'object' || metrics === null || Array.isArray(metrics)) return [];
  return Object.entries(metrics);
}
