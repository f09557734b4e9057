import { builder } from '#api/graphql/builder.ts';
import { streamGapRef } from '#api/live/gap-schema.ts';
import { afterCursor, changeCursor, liveCost, resumable, snapshotCursor } from '#api/live/live-field.ts';
import { deviceRef } from '../devices/schema.ts';
import { followShadows, type ShadowChange, type ShadowSnapshot } from './live.ts';
import { shadowRef, sideEnum } from './schema.ts';
import { loadDocument, loadShadow } from './store.ts';

const snapshotRef = builder.objectRef<ShadowSnapshot>('ShadowSnapshot').implement({
  description:
    'Every wanted device that has a shadow; the first event of a subscription without `after`, and again behind a gap. More than 1 000 devices come in several events.',
  fields: (t) => ({
    cursor: t.expose('cursor', snapshotCursor),
    devices: t.field({
      type: [deviceRef],
      description: 'The devices.',
      resolve: ({ rows }) => [...rows],
    }),
  }),
});

const changeRef = builder.objectRef<ShadowChange>('ShadowChange').implement({
  description: 'A side of a device’s shadow has a new version.',
  fields: (t) => ({
    cursor: t.expose('cursor', changeCursor),
    device: t.field({
      type: deviceRef,
      description: 'Whose shadow.',
      resolve: ({ event }) => ({ id: event.deviceId, key: event.device }),
    }),
    side: t.field({ type: sideEnum, description: 'Which side.', resolve: ({ event }) => event.side }),
    version: t.int({ description: 'Its new version.', resolve: ({ event }) => event.version }),
    document: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The side as it is in this version; null when that is not kept any more.',
      resolve: ({ event }, _args, operation) =>
        loadDocument(operation, `${event.deviceId}/${event.side}/${event.version}`),
    }),
    answers: t.int({
      nullable: true,
      description: 'Of a report: the desired version that the device says it answers.',
      resolve: ({ event }) => event.answers || null,
    }),
    actor: t.string({
      nullable: true,
      description: 'Who wants it so, as the audit log names them; null for the device itself.',
      resolve: ({ event }) => event.actor,
    }),
    at: t.field({ type: 'DateTime', description: 'When it changed.', resolve: ({ event }) => event.at }),
    shadow: t.field({
      type: shadowRef,
      description: 'Both sides as they are by now, which may be newer than this change.',
      resolve: ({ event }, _args, operation) => loadShadow(operation, event.deviceId),
    }),
  }),
});

const eventUnion = builder.unionType('ShadowEvent', {
  description: 'What a subscription to shadows delivers.',
  types: [snapshotRef, changeRef, streamGapRef],
  resolveType: ({ type }) => type,
});

const filterInput = builder.inputType('ShadowFilter', {
  description:
    'Devices that meet every condition given. A list means any of its values; at most 1 000 of them.',
  fields: (t) => ({
    deviceIds: t.idList({ description: 'One of these devices.' }),
    deviceKeys: t.stringList({ description: 'One of the devices with these keys.' }),
    siteKeys: t.stringList({ description: 'At one of these sites.' }),
  }),
});

builder.subscriptionField('shadows', (t) =>
  t.field({
    type: eventUnion,
    description: resumable('Changes of shadows as they happen.'),
    complexity: liveCost,
    args: {
      where: t.arg({ type: filterInput, description: 'Which devices; all of the tenant by default.' }),
      after: t.arg(afterCursor),
    },
    subscribe: (_root, args, operation) => followShadows(operation, args),
    resolve: (payload) => payload,
  }),
);
