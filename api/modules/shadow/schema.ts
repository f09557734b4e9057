import { builder } from '#api/graphql/builder.ts';
import { pageCost } from '#api/graphql/cost.ts';
import { SHADOW_STATUSES, shadowDelta, shadowStatus } from '#core/fleet/shadow.ts';
import { loadActorName } from '../audit/service.ts';
import { deviceRef } from '../devices/schema.ts';
import { findShadow, findShadowAt, listShadowHistory } from './service.ts';
import type { ShadowRow, ShadowVersionRow } from './store.ts';

const STATUS_DESCRIPTIONS = {
  IN_SYNC: 'Everything that is desired is reported.',
  PENDING: 'Something is not, and the device has not answered the newest version.',
  DIVERGED: 'Something is not, although it has.',
  NEVER_REPORTED: 'The device has said nothing yet.',
} as const;

const statusEnum = builder.enumType('ShadowStatus', {
  description: 'How what a device says compares to what is desired of it.',
  values: Object.fromEntries(
    SHADOW_STATUSES.map((status) => [status, { description: STATUS_DESCRIPTIONS[status] }]),
  ),
});

export const sideEnum = builder.enumType('ShadowSide', {
  description: 'One of the two sides of a shadow.',
  values: {
    DESIRED: { description: 'What the device should be.' },
    REPORTED: { description: 'What it says it is.' },
  },
});

export const shadowRef = builder.objectRef<ShadowRow>('DeviceShadow').implement({
  description: 'What a device should be, and what it says it is.',
  fields: (t) => ({
    desired: t.field({
      type: 'JSON',
      description: 'What it should be; an empty object at first.',
      resolve: ({ desired }) => desired,
    }),
    desiredVersion: t.exposeInt('desiredVersion', {
      description: 'Grows by one with every change; 0 at first. Hand it back as `expectedVersion`.',
    }),
    desiredAt: t.expose('desiredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last changed; null when never.',
    }),
    reported: t.field({
      type: 'JSON',
      description: 'What it says it is, whole; an empty object at first.',
      resolve: ({ reported }) => reported,
    }),
    reportedVersion: t.exposeInt('reportedVersion', {
      description: 'Grows by one with every report that says something new; 0 at first.',
    }),
    reportedAt: t.expose('reportedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its newest report arrived; null when never.',
    }),
    answeredVersion: t.exposeInt('answeredVersion', {
      description: 'The newest desired version that it has answered; 0 for none.',
    }),
    delta: t.field({
      type: 'JSON',
      description:
        'What of `desired` is not reported so, under the same keys; lists as a whole. Empty when nothing is.',
      resolve: ({ desired, reported }) => shadowDelta(desired, reported),
    }),
    status: t.field({
      type: statusEnum,
      description: 'Both sides compared.',
      resolve: (shadow) => shadowStatus(shadow),
    }),
  }),
});

const versionRef = builder.objectRef<ShadowVersionRow>('ShadowVersion').implement({
  description: 'One side of a shadow as it was from a moment on.',
  fields: (t) => ({
    side: t.field({ type: sideEnum, description: 'Which side.', resolve: ({ side }) => side }),
    version: t.exposeInt('version', { description: 'Its version.' }),
    document: t.field({
      type: 'JSON',
      description: 'All of it.',
      resolve: ({ document }) => document,
    }),
    answers: t.exposeInt('answers', {
      nullable: true,
      description: 'Of a report: the desired version that the device says it answers.',
    }),
    actor: t.exposeString('actor', {
      nullable: true,
      description: 'Who wanted it so, by their id in the audit log; null for the device itself.',
    }),
    actorName: t.string({
      nullable: true,
      description: 'What the audit log last called them; the same as `actor` where it does not name them.',
      resolve: ({ actor }, _args, operation) => (actor === null ? null : loadActorName(operation, actor)),
    }),
    at: t.expose('at', { type: 'DateTime', description: 'Since when.' }),
  }),
});

const versionConnectionRef = builder.connectionObject(
  { type: versionRef, name: 'ShadowVersionConnection', description: 'A page of a shadow’s history.' },
  { name: 'ShadowVersionEdge', description: 'A version in a page.' },
);

builder.objectFields(deviceRef, (t) => ({
  shadow: t.field({
    type: shadowRef,
    description: 'What it should be, and what it says it is.',
    complexity: 2,
    resolve: (device, _args, operation) => findShadow(operation, device.id),
  }),
  shadowAt: t.field({
    type: shadowRef,
    description:
      'Both sides as they were at a time. The history is kept as long as readings, and of each side at most 1 000 versions.',
    complexity: 10,
    args: { at: t.arg({ type: 'DateTime', required: true, description: 'When.' }) },
    resolve: (device, { at }, operation) => findShadowAt(operation, device.id, at),
  }),
  shadowHistory: t.connection(
    {
      type: versionRef,
      description: 'Its versions, newest first.',
      complexity: pageCost,
      args: { side: t.arg({ type: sideEnum, description: 'Of one side only.' }) },
      resolve: (device, { side, ...page }, operation) => listShadowHistory(operation, page, device.id, side),
    },
    versionConnectionRef,
  ),
}));
