import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput } from '#api/graphql/errors.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import { completeDevice, type DeviceNode } from '../devices/service.ts';
import {
  BUCKET_SECONDS,
  type Bucket,
  bucketsIn,
  chooseBucket,
  type MetricSeries,
  toSeries,
} from './series.ts';
import {
  countReadings,
  type LatestValue,
  loadLatest,
  type ReadingRow,
  readBuckets,
  readReadings,
  type TimeRange,
} from './store.ts';

export { deviceConditions, type LiveFilterInput, readLiveFilter } from './live-filter.ts';
export type { ReadingRow } from './store.ts';

export const MAX_POINTS = 10_000;
const MAX_METRICS = 100;

export interface SeriesArgs extends TimeRange {
  readonly metrics?: readonly string[] | null | undefined;
  readonly bucket: 'AUTO' | 'RAW' | Bucket;
  readonly maxPoints: number;
}

/** The newest value of each metric, or of the metrics wanted, in the order of their names. */
export async function latestOf(
  operation: Operation,
  deviceId: number,
  metrics: readonly string[] | null | undefined,
): Promise<LatestValue[]> {
  requirePermission(operation, 'telemetry.read');
  const values = await loadLatest(operation, deviceId);
  return values.filter(({ metric }) => !metrics || metrics.includes(metric));
}

/**
 * One series a metric within [from, to). AUTO gives every value where there are at most `maxPoints`, else the narrowest
 * buckets that keep each series within `maxPoints`.
 * @throws GraphQLError with code BAD_USER_INPUT for a range, metrics or a bucket beyond the limits
 */
export async function seriesOf(
  operation: Operation,
  node: DeviceNode,
  args: SeriesArgs,
): Promise<MetricSeries[]> {
  requirePermission(operation, 'telemetry.read');
  const spanMs = args.to.getTime() - args.from.getTime();
  if (spanMs <= 0) throw badInput('from must be before to');
  if (args.maxPoints < 1 || args.maxPoints > MAX_POINTS)
    throw badInput(`maxPoints must be from 1 to ${MAX_POINTS}`);
  const metrics = readMetrics(args.metrics);
  const { id, expectedIntervalSeconds } = await completeDevice(operation, node);
  const bucketSeconds = await chooseWidth(operation, id, args, spanMs);
  const rows = await readBuckets(operation, id, args, metrics, bucketSeconds);
  const found = new Map(
    toSeries(rows, bucketSeconds, expectedIntervalSeconds).map((series) => [series.metric, series]),
  );
  if (!metrics) return [...found.values()];
  return metrics.map((metric) => found.get(metric) ?? { metric, bucketSeconds, points: [] });
}

/** Readings newest first. @throws GraphQLError with code BAD_USER_INPUT for a range that is the wrong way round */
export async function listReadings(
  operation: Operation,
  deviceId: number,
  args: PageArgs,
  range: { readonly from?: Date | null | undefined; readonly to?: Date | null | undefined },
): Promise<Page<ReadingRow>> {
  requirePermission(operation, 'telemetry.read');
  if (range.from && range.to && range.from >= range.to) throw badInput('from must be before to');
  return readReadings(operation, deviceId, args, range);
}

function readMetrics(wanted: readonly string[] | null | undefined): string[] | null {
  if (!wanted) return null;
  if (wanted.length > MAX_METRICS) throw badInput(`at most ${MAX_METRICS} metrics at once`);
  if (wanted.some((metric) => metric.includes('\0'))) throw badInput('a metric must not hold NUL');
  return [...new Set(wanted)];
}

/** Null for every value. */
async function chooseWidth(
  operation: Operation,
  deviceId: number,
  args: SeriesArgs,
  spanMs: number,
): Promise<number | null> {
  const { bucket, maxPoints } = args;
  if (bucket === 'AUTO' || bucket === 'RAW') {
    const readings = await countReadings(operation, deviceId, args, maxPoints + 1);
    if (readings <= maxPoints) return null;
    if (bucket === 'RAW')
      throw badInput(`there are more than ${maxPoints} readings in that range; use a bucket, or readings`);
    const width = BUCKET_SECONDS[chooseBucket(spanMs, maxPoints)];
    return width;
  }
  const seconds = BUCKET_SECONDS[bucket];
  const buckets = bucketsIn(spanMs, seconds);
  if (buckets > maxPoints)
    throw badInput(`${bucket} makes up to ${buckets} points of that range; maxPoints is ${maxPoints}`);
  return seconds;
}
