import { builder } from '#api/graphql/builder.ts';
import { streamGapRef } from '#api/live/gap-schema.ts';
import { deviceRef } from '../devices/schema.ts';
import { type LocationShape, locationRef } from '../sites/schema.ts';
import { type DeviceLatest, followTelemetry, type TelemetryReading, type TelemetrySnapshot } from './live.ts';
import { latestValueRef, metricFlagRef, toMetricFlags } from './schema.ts';

const deviceLatestRef = builder.objectRef<DeviceLatest>('DeviceLatest').implement({
  description: 'The newest values of one device.',
  fields: (t) => ({
    device: t.field({ type: deviceRef, description: 'Whose values.', resolve: ({ device }) => device }),
    values: t.field({
      type: [latestValueRef],
      description: 'In the order of their metrics.',
      resolve: ({ values }) => [...values],
    }),
  }),
});

const snapshotRef = builder.objectRef<TelemetrySnapshot>('TelemetrySnapshot').implement({
  description:
    'The newest value of each metric as of `cursor`; the first event of a subscription without `after`. More than 1 000 devices come in several events, before any reading.',
  fields: (t) => ({
    cursor: t.expose('cursor', { type: 'Cursor', description: 'Everything behind it follows.' }),
    devices: t.field({
      type: [deviceLatestRef],
      description: 'Devices that have values.',
      resolve: ({ rows }) => [...rows],
    }),
  }),
});

const readingRef = builder.objectRef<TelemetryReading>('TelemetryReading').implement({
  description: 'A reading that was just stored.',
  fields: (t) => ({
    cursor: t.expose('cursor', { type: 'Cursor', description: 'Resumes behind this reading.' }),
    device: t.field({
      type: deviceRef,
      description: 'Who sent it.',
      resolve: ({ event }) => ({ id: event.deviceId, key: event.device }),
    }),
    at: t.field({
      type: 'DateTime',
      description: 'When it was measured, as the device says.',
      resolve: ({ event }) => event.ts,
    }),
    receivedAt: t.field({
      type: 'DateTime',
      description: 'When it arrived at the platform.',
      resolve: ({ event }) => event.receivedAt,
    }),
    messageId: t.string({
      description: 'Identifies it among the readings of the device at that time.',
      resolve: ({ event }) => event.id,
    }),
    metrics: t.field({
      type: 'JSON',
      description: 'An object of metric keys and values.',
      resolve: ({ event }) => event.metrics,
    }),
    flags: t.field({
      type: [metricFlagRef],
      description: 'Metrics whose values are not as they should be, in the order of their keys.',
      resolve: ({ event }) => toMetricFlags(event.flags),
    }),
    location: t.field({
      type: locationRef,
      nullable: true,
      description: 'Where it was measured.',
      resolve: ({ event: { lat, lng } }): LocationShape | null =>
        lat === undefined || lng === undefined ? null : { latitude: lat, longitude: lng },
    }),
  }),
});

const eventUnion = builder.unionType('TelemetryEvent', {
  description: 'What a telemetry subscription delivers.',
  types: [snapshotRef, readingRef, streamGapRef],
  resolveType: ({ type }) => type,
});

const filterInput = builder.inputType('TelemetryFilter', {
  description:
    'Readings that meet every condition given. A list means any of its values; at most 1 000 of them.',
  fields: (t) => ({
    deviceIds: t.idList({ description: 'Of one of these devices, by id.' }),
    deviceKeys: t.stringList({
      description: 'Of one of these devices, by key; also ones that do not exist yet.',
    }),
    siteKeys: t.stringList({ description: 'Of devices at one of these sites.' }),
    metrics: t.stringList({ description: 'With one of these metrics; the others are left out.' }),
  }),
});

builder.subscriptionField('telemetry', (t) =>
  t.field({
    type: eventUnion,
    description:
      'Readings as they are stored, each once and in order. Reconnect with the newest `cursor` as `after` to get everything since, or a StreamGap.',
    complexity: { field: 20, multiplier: 5 },
    args: {
      where: t.arg({ type: filterInput, description: 'Which ones; all of the tenant by default.' }),
      after: t.arg({
        type: 'Cursor',
        description: 'Continue exactly behind this cursor, without a snapshot.',
      }),
      maxHz: t.arg.float({
        description:
          'At most this many events a second for each device, above 0 and at most 100; values in between are merged, the newest of each metric wins.',
      }),
    },
    subscribe: (_root, args, operation) => followTelemetry(operation, args),
    resolve: (payload) => payload,
  }),
);

builder.queryField('liveWindow', (t) =>
  t.field({
    type: builder.objectRef<{ oldestAt: Date | undefined }>('LiveWindow').implement({
      description: 'What the live stream keeps.',
      fields: (window) => ({
        oldestAt: window.field({
          type: 'DateTime',
          nullable: true,
          description:
            'Publication of the oldest event that can still be delivered; null while there is none.',
          resolve: ({ oldestAt }) => oldestAt,
        }),
      }),
    }),
    description: 'How far back a live subscription can resume.',
    resolve: (_root, _args, { platform }) => platform.live.streamState(),
  }),
);
