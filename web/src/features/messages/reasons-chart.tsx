import { useEffect, useMemo, useState } from 'react';
import { useQuery } from 'urql';
import { useClock } from '../../ui/clock.ts';
import { absoluteTime } from '../../ui/time.ts';
import { reasonsDocument } from './documents.ts';
import { type QuarantineView, reasonOf, toQuarantineFilter } from './quarantine-view.ts';

const ranges = [
  { hours: 24, label: '24 hours' },
  { hours: 24 * 7, label: '7 days' },
  { hours: 24 * 30, label: '30 days' },
] as const;
const hourMs = 3_600_000;
const height = 72;

type ReasonsChartProps = {
  view: QuarantineView;
  /** Rises when it is to be counted again. */
  asked: number;
  onReason: (reason: string) => void;
};

/** How many messages were turned away over time, and why: a bar a bucket, a number a reason. */
export function ReasonsChart({ view, asked, onReason }: ReasonsChartProps) {
  const [hours, setHours] = useState<number>(24);
  const minute = useClock((nowMs) => Math.ceil(nowMs / 60_000));
  const to = new Date(minute * 60_000).toISOString();
  const from = new Date(minute * 60_000 - hours * hourMs).toISOString();
  const where = useMemo(() => toQuarantineFilter(view), [view]);
  const [{ data }, ask] = useQuery({ query: reasonsDocument, variables: { from, to, where } });
  useEffect(() => {
    if (asked > 0) ask({ requestPolicy: 'network-only' });
  }, [asked, ask]);
  const series = data?.quarantineReasons ?? [];
  const times = series[0]?.points.map((point) => point.at) ?? [];
  const bars = times.map((at, index) => ({
    at,
    count: series.reduce((sum, { points }) => sum + (points[index]?.count ?? 0), 0),
  }));
  const most = Math.max(1, ...bars.map((bar) => bar.count));
  const total = series.reduce((sum, each) => sum + each.total, 0);
  return (
    <section aria-label="Reasons over time" className="border-line border-b px-4 py-3 sm:px-5">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <h2 className="font-semibold text-sm">
          {total.toLocaleString()} turned away, last {ranges.find((range) => range.hours === hours)?.label}
        </h2>
        <select
          aria-label="Time range"
          value={hours}
          onChange={(event) => setHours(Number(event.target.value))}
          className="ml-auto h-8 rounded-md border border-line bg-surface px-2 text-sm shadow-1"
        >
          {ranges.map((range) => (
            <option key={range.hours} value={range.hours}>
              {range.label}
            </option>
          ))}
        </select>
      </div>
      {total > 0 && (
        <>
          <svg
            role="img"
            aria-label={`At most ${most} in one bar`}
            viewBox={`0 0 ${Math.max(1, bars.length)} ${height}`}
            preserveAspectRatio="none"
            className="mt-2 h-18 w-full text-warn"
          >
            {bars.map((bar, index) => (
              <rect
                key={bar.at}
                x={index + 0.1}
                width={0.8}
                y={height - (bar.count / most) * height}
                height={(bar.count / most) * height}
                fill="currentColor"
              >
                <title>{`${absoluteTime(Date.parse(bar.at))}: ${bar.count}`}</title>
              </rect>
            ))}
          </svg>
          <ul className="mt-2 flex flex-wrap gap-x-4 gap-y-1">
            {series.map((each) => (
              <li key={each.reason}>
                <button
                  type="button"
                  onClick={() => onReason(each.reason)}
                  className="rounded-sm text-ink-2 text-sm hover:text-accent"
                >
                  {reasonOf(each.reason)}{' '}
                  <span className="font-mono text-ink-3 text-xs">{each.total.toLocaleString()}</span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
