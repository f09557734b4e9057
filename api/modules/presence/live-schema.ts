import { builder } from '#api/graphql/builder.ts';
import { streamGapRef } from '#api/live/gap-schema.ts';
import { afterCursor, changeCursor, liveCost, resumable, snapshotCursor } from '#api/live/live-field.ts';
import { deviceRef } from '../devices/schema.ts';
import { followPresence, type PresenceChange, type PresenceSnapshot } from './live.ts';
import { presenceRef } from './schema.ts';

const toDate = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

const snapshotRef = builder.objectRef<PresenceSnapshot>('PresenceSnapshot').implement({
  description:
    'Every wanted device as it is; the first event of a subscription without `after`, and again behind a gap. More than 1 000 devices come in several events.',
  fields: (t) => ({
    cursor: t.expose('cursor', snapshotCursor),
    devices: t.field({
      type: [deviceRef],
      description: 'The devices.',
      resolve: ({ rows }) => [...rows],
    }),
  }),
});

const changeRef = builder.objectRef<PresenceChange>('PresenceChange').implement({
  description: 'The presence of a device has changed.',
  fields: (t) => ({
    cursor: t.expose('cursor', changeCursor),
    device: t.field({
      type: deviceRef,
      description: 'Whose presence.',
      resolve: ({ event }) => ({ id: event.deviceId, key: event.device }),
    }),
    presence: t.field({
      type: presenceRef,
      description: 'As it is behind the change.',
      resolve: ({ event }) => ({
        deviceId: event.deviceId,
        connection: event.connection,
        freshness: event.freshness,
        credential: event.credential,
        lastSeenAt: toDate(event.lastSeenAt),
        connectionChangedAt: toDate(event.connectionChangedAt),
        missingMetrics: event.missingMetrics ?? [],
      }),
    }),
    at: t.field({ type: 'DateTime', description: 'When it changed.', resolve: ({ event }) => event.at }),
  }),
});

const eventUnion = builder.unionType('PresenceEvent', {
  description: 'What a presence subscription delivers.',
  types: [snapshotRef, changeRef, streamGapRef],
  resolveType: ({ type }) => type,
});

const filterInput = builder.inputType('PresenceFilter', {
  description:
    'Devices that meet every condition given. A list means any of its values; at most 1 000 of them.',
  fields: (t) => ({
    deviceIds: t.idList({ description: 'One of these devices.' }),
    siteKeys: t.stringList({ description: 'At one of these sites.' }),
  }),
});

builder.subscriptionField('presence', (t) =>
  t.field({
    type: eventUnion,
    description: resumable('Changes of presence as they happen.'),
    complexity: liveCost,
    args: {
      where: t.arg({ type: filterInput, description: 'Which devices; all of the tenant by default.' }),
      after: t.arg(afterCursor),
    },
    subscribe: (_root, args, operation) => followPresence(operation, args),
    resolve: (payload) => payload,
  }),
);
