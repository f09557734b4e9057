import { useMemo, useState } from 'react';
import { Chart, type ChartData } from '../../ui/chart.tsx';
import { absoluteTime, clockTime } from '../../ui/time.ts';
import { type ChartPoint, clip, findGaps, type Interval } from './chart-series.ts';
import { formatMean, formatValue } from './value.ts';

type MetricChartProps = {
  metric: string;
  points: readonly ChartPoint[];
  /** The newest value as the device sent it; undefined when the range does not end now. */
  current: unknown;
  /** Drawn as on and off. */
  stepped: boolean;
  range: Interval;
  streamGaps: readonly Interval[];
  syncKey: string;
  onZoom: (range: Interval) => void;
};

function toColumns(points: readonly ChartPoint[]): ChartData {
  return [
    points.map((point) => point.atMs / 1_000),
    points.map((point) => point.mean),
    points.map((point) => point.min),
    points.map((point) => point.max),
  ];
}

function extremes(points: readonly ChartPoint[]): { min: number; max: number } | undefined {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const point of points) {
    if (point.min !== null && point.min < min) min = point.min;
    if (point.max !== null && point.max > max) max = point.max;
  }
  return min <= max ? { min, max } : undefined;
}

/** One metric: its line, its value now or under the cursor, and the range it moved in. */
export function MetricChart({
  metric,
  points,
  current,
  stepped,
  range,
  streamGaps,
  syncKey,
  onZoom,
}: MetricChartProps) {
  const [hovered, setHovered] = useState<number | null>(null);
  const shown = useMemo(() => clip(points, range), [points, range]);
  const data = useMemo(() => toColumns(shown), [shown]);
  const gaps = useMemo(() => [...findGaps(shown), ...streamGaps], [shown, streamGaps]);
  const bounds = useMemo(() => extremes(shown), [shown]);
  const newest = shown.findLast((point) => point.mean !== null);
  const focus = (hovered === null ? undefined : shown[hovered]) ?? newest;
  const spread = bounds ? bounds.max - bounds.min : 0;
  const show = (value: number) => (stepped ? formatValue(value >= 0.5) : formatMean(value, spread));
  const atRest = hovered === null && current !== undefined;
  const longRange = range.toMs - range.fromMs > 86_400_000;
  const label =
    newest?.mean != null && bounds
      ? `${metric}: ${show(newest.mean)} at ${absoluteTime(newest.atMs)}, between ${show(bounds.min)} and ${show(bounds.max)} in this range`
      : `${metric}: no values in this range`;
  return (
    <section aria-label={metric} className="min-w-0 rounded-lg border border-line bg-surface shadow-1">
      <header className="flex items-baseline gap-2 px-3.5 pt-2.5">
        <h2 className="min-w-0 flex-1 truncate font-medium text-ink-2 text-sm">{metric}</h2>
        {hovered !== null && focus && (
          <span className="text-ink-3 text-xs">
            {longRange ? absoluteTime(focus.atMs) : clockTime(focus.atMs)}
          </span>
        )}
        <span className="font-semibold text-lg leading-5">
          {atRest ? formatValue(current) : focus?.mean != null ? show(focus.mean) : '–'}
        </span>
      </header>
      <Chart
        data={data}
        range={range}
        gaps={gaps}
        stepped={stepped}
        height={150}
        label={label}
        syncKey={syncKey}
        onHover={setHovered}
        onZoom={onZoom}
      />
    </section>
  );
}
