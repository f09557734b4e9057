import type { Client, CombinedError } from 'urql';
import { readMetrics } from '../../data/latest.ts';
import type { DeviceSeriesQuery, TelemetrySubscription } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';
import { telemetryDocument } from '../../live/documents.ts';
import {
  type ChartPoint,
  type History,
  type Interval,
  type LivePoint,
  mergeSeries,
  pruneLive,
  toChartNumber,
} from './chart-series.ts';
import { boundsOf, type TimeRange } from './time-range.ts';

const deviceSeriesDocument = graphql(`
  query DeviceSeries($id: ID!, $from: DateTime!, $to: DateTime!, $maxPoints: Int!) {
    device(by: { id: $id }) {
      id
      series(from: $from, to: $to, bucket: AUTO, maxPoints: $maxPoints) {
        metric
        bucketSeconds
        points {
          at
          count
          min
          max
          mean
          last
        }
      }
    }
  }
`);

const maxPoints = 600;
/** Charts are drawn at most four times a second, however fast readings arrive. */
const drawEveryMs = 250;
/** More live points than this in one line are better read back as buckets. */
const maxLivePoints = 4_000;
/** The history is loaded again when a moving range has left this share of it behind, but not more often than once a minute. */
const reloadShare = 0.2;
const reloadAtLeastMs = 60_000;

export type ChartFeedState = {
  /** By metric, in alphabetical order. */
  readonly lines: readonly { readonly metric: string; readonly points: readonly ChartPoint[] }[];
  /** Where the live stream could not deliver; the history has been asked again since. */
  readonly streamGaps: readonly Interval[];
  readonly loading: boolean;
  readonly error: CombinedError | undefined;
};

export type ChartFeed = {
  /** The first subscriber starts the feed, the last one leaving stops it. */
  subscribe(listener: () => void): () => void;
  getState(): ChartFeedState;
  reload(): void;
};

type ChartFeedOptions = {
  /** Client with the live stream. */
  readonly client: Client;
  /** Client without a cache: series are large and never asked twice the same. */
  readonly direct: Client;
  readonly deviceId: string;
  readonly range: TimeRange;
  readonly expectedIntervalSeconds: number;
};

function readHistory(series: NonNullable<DeviceSeriesQuery['device']>['series'][number]): History {
  return {
    bucketMs: series.bucketSeconds === null ? null : series.bucketSeconds * 1_000,
    points: series.points.map(({ at, count, min, max, mean, last }) => {
      const value = mean ?? (count > 0 ? (toChartNumber(last) ?? null) : null);
      return { atMs: Date.parse(at), count, mean: value, min: min ?? value, max: max ?? value };
    }),
  };
}

/** Every metric of one device over a time range: its history, continued by the live stream. */
export function createChartFeed({
  client,
  direct,
  deviceId,
  range,
  ...options
}: ChartFeedOptions): ChartFeed {
  const gapMs = Math.max(3 * options.expectedIntervalSeconds * 1_000, 5_000);
  const listeners = new Set<() => void>();
  let histories = new Map<string, History>();
  const live = new Map<string, LivePoint[]>();
  let streamGaps: Interval[] = [];
  let state: ChartFeedState = { lines: [], streamGaps: [], loading: true, error: undefined };
  let loadedMs = 0;
  let lastEventMs = Date.now();
  let drawTimer: ReturnType<typeof setTimeout> | undefined;
  let stop: (() => void) | undefined;
  let generation = 0;

  const publish = (change: Partial<ChartFeedState> = {}) => {
    const metrics = [...new Set([...histories.keys(), ...live.keys()])].sort();
    const lines = metrics.map((metric) => ({
      metric,
      points: mergeSeries(histories.get(metric), live.get(metric) ?? [], gapMs),
    }));
    state = {
      ...state,
      lines: lines.filter(({ points }) => points.some(({ mean }) => mean !== null)),
      streamGaps,
      ...change,
    };
    for (const listener of listeners) listener();
  };
  const publishSoon = () => {
    drawTimer ??= setTimeout(() => {
      drawTimer = undefined;
      publish();
    }, drawEveryMs);
  };

  const load = async () => {
    const mine = ++generation;
    const requestedMs = Date.now();
    const { fromMs, toMs } = boundsOf(range, requestedMs);
    loadedMs = requestedMs;
    const variables = {
      id: deviceId,
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
      maxPoints,
    };
    const { data, error } = await direct.query(deviceSeriesDocument, variables);
    if (mine !== generation || !stop) return;
    if (data?.device) {
      histories = new Map(data.device.series.map((series) => [series.metric, readHistory(series)]));
      for (const [metric, points] of live) live.set(metric, pruneLive(points, requestedMs));
    }
    publish({ loading: false, error: data?.device ? undefined : error });
  };

  const isWorn = (points: readonly LivePoint[]): boolean => {
    const { fromMs, toMs } = boundsOf(range, Date.now());
    const ageMs = Date.now() - loadedMs;
    return points.length > maxLivePoints
      ? ageMs > 5_000
      : ageMs > Math.max(reloadAtLeastMs, (toMs - fromMs) * reloadShare);
  };

  const take = (event: TelemetrySubscription['telemetry']) => {
    const arrivedMs = Date.now();
    if (event.__typename === 'StreamGap') {
      streamGaps = [...streamGaps.slice(-20), { fromMs: lastEventMs, toMs: arrivedMs }];
      void load();
    }
    lastEventMs = arrivedMs;
    if (event.__typename !== 'TelemetryReading') return;
    const atMs = Date.parse(event.at);
    let worn = false;
    for (const [metric, raw] of readMetrics(event.metrics)) {
      const value = toChartNumber(raw);
      if (value === undefined) continue;
      const points = live.get(metric) ?? [];
      points.push({ atMs, value, arrivedMs });
      live.set(metric, points);
      worn ||= isWorn(points);
    }
    if (worn) void load();
    publishSoon();
  };

  const start = () => {
    const source = client.subscription(telemetryDocument, { where: { deviceIds: [deviceId] } });
    const subscription =
      range.kind === 'live' ? source.subscribe(({ data }) => data && take(data.telemetry)) : undefined;
    stop = () => {
      subscription?.unsubscribe();
      clearTimeout(drawTimer);
      drawTimer = undefined;
      stop = undefined;
    };
    void load();
  };

  return {
    subscribe(listener) {
      listeners.add(listener);
      if (!stop) start();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop?.();
      };
    },
    getState: () => state,
    reload() {
      publish({ loading: true, error: undefined });
      void load();
    },
  };
}
