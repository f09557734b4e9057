import { ChartLine, RadioTower } from 'lucide-react';
import { useMemo, useState, useSyncExternalStore } from 'react';
import { Link } from 'react-router';
import { useClient } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { Button } from '../../ui/button.tsx';
import { useClock } from '../../ui/clock.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { createChartFeed } from './chart-feed.ts';
import { useDevice } from './device-detail.ts';
import { devicePath } from './device-link.ts';
import { LatestTable } from './latest-table.tsx';
import { MetricChart } from './metric-chart.tsx';
import { RangePicker } from './range-picker.tsx';
import { boundsOf, fixedRange, timeRangeCodec } from './time-range.ts';

/** Charts drawn before the reader asks for the rest. */
const firstCharts = 8;

/** The device now: charts of every numeric metric with the live stream at their end, and the latest values. */
export function DeviceLive() {
  const device = useDevice();
  const client = useClient();
  const { direct } = useAccount();
  const [range, setRange] = useUrlState(timeRangeCodec);
  const [showAll, setShowAll] = useState(false);
  const { id, expectedIntervalSeconds } = device;
  const feed = useMemo(
    () => createChartFeed({ client, direct, deviceId: id, range, expectedIntervalSeconds }),
    [client, direct, id, range, expectedIntervalSeconds],
  );
  const { lines, streamGaps, loading, error } = useSyncExternalStore(feed.subscribe, feed.getState);
  // A moving chart moves by about a pixel at a time.
  const stepMs = range.kind === 'fixed' ? 60_000 : Math.max(1_000, range.span.ms / 900);
  const nowMs = useClock((ms) => Math.floor(ms / stepMs) * stepMs);
  const bounds = useMemo(() => boundsOf(range, nowMs + stepMs), [range, nowMs, stepMs]);
  const newest = useMemo(
    () => new Map(device.latest.map(({ metric, value }) => [metric, value])),
    [device.latest],
  );
  const shown = showAll ? lines : lines.slice(0, firstCharts);

  return (
    <div className="grid gap-4 p-4 sm:p-5 xl:grid-cols-[minmax(0,1fr)_20rem] xl:items-start">
      <div className="flex min-w-0 flex-col gap-3">
        <RangePicker range={range} onChange={(next) => setRange(next, { push: next.kind === 'fixed' })} />
        <div data-testid="live-chart" className="grid gap-3 md:grid-cols-2">
          {loading && lines.length === 0 && <ChartSkeletons />}
          {shown.map(({ metric, points }) => (
            <MetricChart
              key={metric}
              metric={metric}
              points={points}
              current={range.kind === 'live' ? newest.get(metric) : undefined}
              stepped={typeof newest.get(metric) === 'boolean'}
              range={bounds}
              streamGaps={streamGaps}
              syncKey={id}
              onZoom={({ fromMs, toMs }) => setRange(fixedRange(fromMs, toMs), { push: true })}
            />
          ))}
        </div>
        {lines.length > shown.length && (
          <Button className="self-center" onClick={() => setShowAll(true)}>
            Show all {lines.length} charts
          </Button>
        )}
        {!loading && error && lines.length === 0 && <ErrorPanel error={error} onRetry={feed.reload} />}
        {!loading && !error && lines.length === 0 && (
          <NothingToDraw deviceKey={device.key} seen={device.presence.lastSeenAt !== null} />
        )}
      </div>
      <LatestTable latest={device.latest} />
    </div>
  );
}

function ChartSkeletons() {
  return Array.from({ length: 4 }, (_, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
    <div key={index} className="rounded-lg border border-line bg-surface p-3.5 shadow-1">
      <Skeleton className="w-24" />
      <Skeleton className="mt-3 h-32 w-full" />
    </div>
  ));
}

function NothingToDraw({ deviceKey, seen }: { deviceKey: string; seen: boolean }) {
  const { viewer } = useAccount();
  if (seen) {
    return (
      <EmptyState
        icon={ChartLine}
        title="No numbers in this range"
        action={
          <Link to="?range=30d" className="font-medium text-accent hover:underline">
            Show the last 30 days
          </Link>
        }
      >
        The device has sent before. Choose a longer range to see it.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={RadioTower}
      title="Waiting for the first message"
      action={
        mayWriteDevices(viewer.role) && (
          <Link to={devicePath(deviceKey, 'credentials')} className="font-medium text-accent hover:underline">
            See its credentials
          </Link>
        )
      }
    >
      Charts appear here with the first reading, without reloading the page.
    </EmptyState>
  );
}
