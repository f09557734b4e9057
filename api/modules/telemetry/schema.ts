import { builder } from '#api/graphql/builder.ts';
import { pageCost } from '#api/graphql/cost.ts';
import { encodeGlobalId } from '#api/graphql/global-ids.ts';
import type { MeasuringFault, MetricFlags } from '#core/fleet/measuring.ts';
import { deviceRef } from '../devices/schema.ts';
import { locationRef, toLocation } from '../sites/schema.ts';
import type { MetricSeries, SeriesPoint } from './series.ts';
import { latestOf, listReadings, seriesOf } from './service.ts';
import type { LatestValue, ReadingRow } from './store.ts';

export const measuringFaultEnum = builder.enumType('MeasuringFault', {
  description: "What is wrong with a value by its device's template and sensors.",
  values: {
    UNKNOWN_METRIC: { description: 'Neither the template nor a sensor names the metric.' },
    WRONG_TYPE: { description: 'It is of another type, such as a text instead of a number.' },
    OUT_OF_RANGE: { description: 'Below the least or above the greatest number that can be true.' },
    NOT_IN_ENUM: { description: 'It is not among the values that the metric takes.' },
  } satisfies Readonly<Record<MeasuringFault, object>>,
});

interface MetricFlag {
  readonly metric: string;
  readonly fault: MeasuringFault;
}

export const metricFlagRef = builder.objectRef<MetricFlag>('MetricFlag').implement({
  description: 'A metric of a reading whose value is not as it should be.',
  fields: (t) => ({
    metric: t.exposeString('metric', { description: 'Key of the metric.' }),
    fault: t.expose('fault', { type: measuringFaultEnum, description: 'What is wrong with its value.' }),
  }),
});

/** In the order of the metrics' keys. */
export const toMetricFlags = (flags: MetricFlags | null | undefined): MetricFlag[] =>
  Object.entries(flags ?? {})
    .map(([metric, fault]) => ({ metric, fault }))
    .sort((a, b) => (a.metric < b.metric ? -1 : 1));

export const latestValueRef = builder.objectRef<LatestValue>('LatestValue').implement({
  description: 'The newest value of one metric.',
  fields: (t) => ({
    metric: t.exposeString('metric', { description: 'Key of the metric.' }),
    value: t.field({
      type: 'JSON',
      description: 'Number, boolean or string.',
      resolve: ({ value }) => value,
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was measured, as the device says.' }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime', description: 'When it arrived at the platform.' }),
    flag: t.field({
      type: measuringFaultEnum,
      nullable: true,
      description: 'What is wrong with the value; null when nothing is, or nobody said what it should be.',
      resolve: ({ flag }) => flag ?? null,
    }),
  }),
});

const seriesBucketEnum = builder.enumType('SeriesBucket', {
  description: 'Width of the points of a series. Buckets begin at whole multiples since 1970-01-01T00:00Z.',
  values: {
    AUTO: {
      description:
        'Every value where there are few, else the narrowest bucket that keeps within `maxPoints`.',
    },
    RAW: { description: 'Every value.' },
    SECOND_10: { description: '10 seconds.' },
    MINUTE_1: { description: '1 minute.' },
    MINUTE_5: { description: '5 minutes.' },
    MINUTE_15: { description: '15 minutes.' },
    HOUR_1: { description: '1 hour.' },
    HOUR_6: { description: '6 hours.' },
    DAY_1: { description: '1 day, UTC.' },
  },
});

const seriesPointRef = builder.objectRef<SeriesPoint>('SeriesPoint').implement({
  description:
    'One bucket (or one raw value): start, and count, min, max, mean and last of its values; true counts as 1, false as 0. A count of 0 marks a gap; min, max and mean are also null where every value is text.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'Start of the bucket, or time of the value.' }),
    count: t.exposeInt('count', { description: 'Values in the bucket; 0 marks a gap.' }),
    min: t.exposeFloat('min', { nullable: true, description: 'Smallest value.' }),
    max: t.exposeFloat('max', { nullable: true, description: 'Largest value.' }),
    mean: t.exposeFloat('mean', { nullable: true, description: 'Mean of the values; null marks a gap.' }),
    last: t.field({
      type: 'JSON',
      nullable: true,
      description: 'Newest value.',
      resolve: ({ last }) => last,
    }),
  }),
});

const metricSeriesRef = builder.objectRef<MetricSeries>('MetricSeries').implement({
  description: 'The course of one metric.',
  fields: (t) => ({
    metric: t.exposeString('metric', { description: 'Key of the metric.' }),
    bucketSeconds: t.exposeInt('bucketSeconds', {
      nullable: true,
      description: 'Width of one bucket in seconds; null for raw points.',
    }),
    points: t.field({
      type: [seriesPointRef],
      description: 'Oldest first. A stretch without values has one empty point at its beginning.',
      resolve: ({ points }) => [...points],
    }),
  }),
});

export const readingRef = builder.objectRef<ReadingRow>('Reading').implement({
  description: 'One message of a device as it is stored.',
  fields: (t) => ({
    id: t.id({
      description: 'Opaque, unique across all types.',
      resolve: ({ deviceId, ts, messageId }) =>
        encodeGlobalId('Reading', `${deviceId}.${ts.getTime()}.${messageId}`),
    }),
    at: t.field({
      type: 'DateTime',
      description: 'When it was measured, as the device says.',
      resolve: ({ ts }) => ts,
    }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime', description: 'When it arrived at the platform.' }),
    storedAt: t.expose('storedAt', { type: 'DateTime', description: 'When it was written to the database.' }),
    messageId: t.exposeString('messageId', {
      description: 'Identifies it among the readings of the device at that time.',
    }),
    metrics: t.field({
      type: 'JSON',
      description: 'An object of metric keys and values.',
      resolve: ({ metrics }) => metrics,
    }),
    flags: t.field({
      type: [metricFlagRef],
      description: 'Metrics whose values are not as they should be, in the order of their keys.',
      resolve: ({ flags }) => toMetricFlags(flags),
    }),
    location: t.field({
      type: locationRef,
      nullable: true,
      description: 'Where it was measured.',
      resolve: toLocation,
    }),
  }),
});

const readingConnectionRef = builder.connectionObject(
  { type: readingRef, name: 'ReadingConnection', description: 'A page of readings.' },
  { name: 'ReadingEdge', description: 'A reading in a page.' },
);

/** What a series costs for each 100 points it may have. */
const COST_PER_100_POINTS = 2;

builder.objectFields(deviceRef, (t) => ({
  latest: t.field({
    type: [latestValueRef],
    description: 'The newest value of each metric, in the order of their keys.',
    complexity: { field: 1, multiplier: 5 },
    args: { metrics: t.arg.stringList({ description: 'Only these metrics.' }) },
    resolve: (device, { metrics }, operation) => latestOf(operation, device.id, metrics),
  }),
  series: t.field({
    type: [metricSeriesRef],
    description:
      'The course of metrics over time, one series each, thinned without losing minima and maxima.',
    complexity: ({ maxPoints, metrics }) => ({
      field:
        10 + Math.ceil((maxPoints ?? 1000) / 100) * COST_PER_100_POINTS * Math.max(1, metrics?.length ?? 5),
      multiplier: 1,
    }),
    args: {
      metrics: t.arg.stringList({
        description: 'Only these metrics, in this order; every metric by default.',
      }),
      from: t.arg({ type: 'DateTime', required: true, description: 'Begin, inclusive.' }),
      to: t.arg({ type: 'DateTime', required: true, description: 'End, exclusive.' }),
      bucket: t.arg({
        type: seriesBucketEnum,
        required: true,
        defaultValue: 'AUTO',
        description: 'Width of the points.',
      }),
      maxPoints: t.arg.int({
        required: true,
        defaultValue: 1000,
        description: 'The most points a series may have; 1 to 10 000.',
      }),
    },
    resolve: (device, args, operation) => seriesOf(operation, device, args),
  }),
  readings: t.connection(
    {
      type: readingRef,
      description: 'Readings as they are stored, newest first.',
      complexity: pageCost,
      args: {
        from: t.arg({ type: 'DateTime', description: 'Begin, inclusive; open by default.' }),
        to: t.arg({ type: 'DateTime', description: 'End, exclusive; open by default.' }),
      },
      resolve: (device, { from, to, ...page }, operation) =>
        listReadings(operation, device.id, page, { from, to }),
    },
    readingConnectionRef,
  ),
}));
