/** Widths a series can have, in seconds, narrowest first. */
export const BUCKET_SECONDS = {
  SECOND_10: 10,
  MINUTE_1: 60,
  MINUTE_5: 300,
  MINUTE_15: 900,
  HOUR_1: 3_600,
  HOUR_6: 21_600,
  DAY_1: 86_400,
} as const;

export type Bucket = keyof typeof BUCKET_SECONDS;

const NARROWEST_FIRST: readonly Bucket[] = [
  'SECOND_10',
  'MINUTE_1',
  'MINUTE_5',
  'MINUTE_15',
  'HOUR_1',
  'HOUR_6',
  'DAY_1',
];

/** One bucket, or one value with a count of 1. Numbers are null where no value in it is a number or a boolean. */
export interface BucketRow {
  readonly metric: string;
  readonly at: Date;
  readonly count: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly last: unknown;
}

export interface SeriesPoint {
  readonly at: Date;
  readonly count: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly last: unknown;
}

export interface MetricSeries {
  readonly metric: string;
  readonly bucketSeconds: number | null;
  readonly points: readonly SeriesPoint[];
}

/** How many buckets of this width a span touches at most. */
export const bucketsIn = (spanMs: number, bucketSeconds: number): number =>
  Math.ceil(spanMs / (bucketSeconds * 1000)) + 1;

/** The narrowest bucket that keeps a span within `maxPoints`; the widest when none does. */
export function chooseBucket(spanMs: number, maxPoints: number): Bucket {
  return NARROWEST_FIRST.find((bucket) => bucketsIn(spanMs, BUCKET_SECONDS[bucket]) <= maxPoints) ?? 'DAY_1';
}

/** Expected intervals that may pass between two raw values before it is a gap. */
const RAW_TOLERANCE = 2.5;
/** The same between two buckets, whose width adds tolerance of its own. */
const BUCKET_TOLERANCE = 1.5;

/**
 * Sorts rows (ordered by metric and time) into one series a metric and marks each gap with one empty point, where the
 * next value was due. A gap is a stretch without values that is longer than the device's interval explains.
 */
export function toSeries(
  rows: readonly BucketRow[],
  bucketSeconds: number | null,
  expectedIntervalSeconds: number,
): MetricSeries[] {
  const stepMs = (bucketSeconds ?? expectedIntervalSeconds) * 1000;
  const allowedMs =
    bucketSeconds === null
      ? expectedIntervalSeconds * RAW_TOLERANCE * 1000
      : Math.max(1, Math.ceil((expectedIntervalSeconds * BUCKET_TOLERANCE) / bucketSeconds)) * stepMs;
  return [...Map.groupBy(rows, (row) => row.metric)].map(([metric, own]) => {
    const points: SeriesPoint[] = [];
    let previous: number | undefined;
    for (const { metric: _, ...point } of own) {
      const at = point.at.getTime();
      if (previous !== undefined && at - previous > allowedMs) points.push(emptyPoint(previous + stepMs));
      points.push(point);
      previous = at;
    }
    return { metric, bucketSeconds, points };
  });
}

const emptyPoint = (at: number): SeriesPoint => ({
  at: new Date(at),
  count: 0,
  min: null,
  max: null,
  mean: null,
  last: null,
});
