import type { ReasonCount } from './store.ts';

/** How often a reason occurred over time. */
export interface ReasonSeries {
  readonly reason: string;
  readonly total: number;
  readonly points: readonly { readonly at: Date; readonly count: number }[];
}

const WIDTHS = [60, 300, 900, 3_600, 6 * 3_600, 86_400, 7 * 86_400] as const;
const MAX_POINTS = 200;

/** The narrowest width, in seconds, that cuts a span into at most 200 buckets. */
export function bucketFor(spanMs: number): number {
  return WIDTHS.find((width) => spanMs / 1_000 / width <= MAX_POINTS) ?? WIDTHS[WIDTHS.length - 1] ?? 86_400;
}

/** One series a reason with a point in every bucket of [from, to), the most frequent reason first. */
export function toReasonSeries(
  rows: readonly ReasonCount[],
  from: Date,
  to: Date,
  bucketSeconds: number,
): ReasonSeries[] {
  const width = bucketSeconds * 1_000;
  const first = Math.floor(from.getTime() / width);
  const last = Math.floor((to.getTime() - 1) / width);
  const series = [...Map.groupBy(rows, (row) => row.reason)].map(([reason, counted]) => {
    const counts = new Map(counted.map(({ at, count }) => [Math.floor(at.getTime() / width), count]));
    const points = Array.from({ length: last - first + 1 }, (_, index) => {
      return { at: new Date((first + index) * width), count: counts.get(first + index) ?? 0 };
    });
    return { reason, total: counted.reduce((sum, { count }) => sum + count, 0), points };
  });
  return series.sort((a, b) => b.total - a.total || (a.reason < b.reason ? -1 : 1));
}
