/** One place on a line: a raw value, or a bucket's mean with its extremes. A null mean is a gap. */
export type ChartPoint = {
  readonly atMs: number;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly count: number;
};

/** What was loaded for one metric; `bucketMs` is null for raw points. Points ascend in time. */
export type History = { readonly bucketMs: number | null; readonly points: readonly ChartPoint[] };

/** A value from the live stream; `arrivedMs` is this browser's clock. */
export type LivePoint = { readonly atMs: number; readonly value: number; readonly arrivedMs: number };

export type Interval = { readonly fromMs: number; readonly toMs: number };

/** What a chart can draw of a value: numbers, and booleans as 1 and 0. */
export function toChartNumber(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return typeof value === 'boolean' ? Number(value) : undefined;
}

/**
 * Live points that a history asked for at `requestedMs` need not contain. A point that arrived earlier was committed
 * earlier, so the history has it; one that arrived later may be in both, which merging tolerates.
 */
export function pruneLive(live: readonly LivePoint[], requestedMs: number): LivePoint[] {
  return live.filter((point) => point.arrivedMs >= requestedMs);
}

function single(atMs: number, value: number): ChartPoint {
  return { atMs, mean: value, min: value, max: value, count: 1 };
}

function fold(bucket: ChartPoint | undefined, atMs: number, value: number): ChartPoint {
  if (!bucket || bucket.mean === null) return single(atMs, value);
  return {
    atMs,
    count: bucket.count + 1,
    mean: bucket.mean + (value - bucket.mean) / (bucket.count + 1),
    min: Math.min(bucket.min ?? value, value),
    max: Math.max(bucket.max ?? value, value),
  };
}

function mergeRaw(points: readonly ChartPoint[], live: readonly LivePoint[]): ChartPoint[] {
  const known = new Set(points.map((point) => `${point.atMs} ${point.mean}`));
  const added = live.filter((point) => !known.has(`${point.atMs} ${point.value}`));
  return [...points, ...added.map((point) => single(point.atMs, point.value))];
}

function mergeBuckets(
  points: readonly ChartPoint[],
  live: readonly LivePoint[],
  bucketMs: number,
): ChartPoint[] {
  const buckets = new Map(points.map((point) => [point.atMs, point]));
  // Buckets begin where the server's begin: a day may start at another hour than UTC's.
  const offset = (points[0]?.atMs ?? 0) % bucketMs;
  for (const { atMs, value } of live) {
    const start = Math.floor((atMs - offset) / bucketMs) * bucketMs + offset;
    buckets.set(start, fold(buckets.get(start), start, value));
  }
  return [...buckets.values()];
}

/**
 * One ascending line out of history and live points. Raw points stay single; in a bucketed history each live point goes
 * into its bucket. A live point already in a raw history is not drawn twice. Behind the history, silence longer than
 * `gapMs` becomes a gap; inside it, gaps are the server's to say.
 */
export function mergeSeries(
  history: History | undefined,
  live: readonly LivePoint[],
  gapMs: number,
): ChartPoint[] {
  const points = history?.points ?? [];
  const bucketMs = history?.bucketMs ?? null;
  const merged = bucketMs === null ? mergeRaw(points, live) : mergeBuckets(points, live, bucketMs);
  merged.sort((a, b) => a.atMs - b.atMs);
  const historyEndMs = points.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
  const longestMs = Math.max(gapMs, 2.5 * (bucketMs ?? 0));
  return merged.flatMap((point, index) => {
    const before = merged[index - 1];
    const silent =
      before && before.mean !== null && point.mean !== null && point.atMs - before.atMs > longestMs;
    if (!silent || point.atMs <= historyEndMs) return [point];
    return [{ atMs: (before.atMs + point.atMs) / 2, mean: null, min: null, max: null, count: 0 }, point];
  });
}

/** Where a line is interrupted: from the last point before each gap to the first one after it. */
export function findGaps(points: readonly ChartPoint[]): Interval[] {
  const gaps: Interval[] = [];
  let lastMs: number | undefined;
  let open = false;
  for (const point of points) {
    if (point.mean === null) {
      open = lastMs !== undefined;
      continue;
    }
    if (open && lastMs !== undefined) gaps.push({ fromMs: lastMs, toMs: point.atMs });
    lastMs = point.atMs;
    open = false;
  }
  return gaps;
}

/** Points between two instants, and the nearest one on either side so that lines reach the edges. */
export function clip(points: readonly ChartPoint[], { fromMs, toMs }: Interval): readonly ChartPoint[] {
  const first = points.findIndex((point) => point.atMs >= fromMs);
  if (first === -1) return points.slice(-1);
  const last = points.findLastIndex((point) => point.atMs <= toMs);
  return points.slice(Math.max(0, first - 1), last + 2);
}
