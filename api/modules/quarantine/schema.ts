import { builder } from '#api/graphql/builder.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { encodeGlobalId } from '#api/graphql/global-ids.ts';
import { readUserProperties, type UserProperty } from '#core/bus/user-properties.ts';
import { deviceRef } from '../devices/schema.ts';
import { findDevice } from '../devices/service.ts';
import { replayOutcomeEnum } from './job-schema.ts';
import { type PayloadBytes, payloadText } from './payload.ts';
import type { ReasonSeries } from './reasons.ts';
import { findQuarantined, findQuarantinedAgain, listQuarantine, reasonsOverTime } from './service.ts';
import type { QuarantineRow } from './store.ts';

export const quarantinedMessageRef = builder.objectRef<QuarantineRow>('QuarantinedMessage');

const quarantineStatusEnum = builder.enumType('QuarantineStatus', {
  description: 'What was done about a message that was turned away.',
  values: {
    OPEN: { description: 'Nothing yet.' },
    REPLAYING: { description: 'It is on its way through the pipeline again.' },
    REPLAYED: { description: 'It went through the pipeline again; `replay` says how that ended.' },
    DISCARDED: { description: 'Somebody gave it up.' },
  },
});

export const payloadRef = builder.objectRef<PayloadBytes>('MessagePayload').implement({
  description: 'The bytes of a message as they came, without secrets.',
  fields: (t) => ({
    text: t.string({
      nullable: true,
      description: 'As text; null when the bytes are not UTF-8.',
      resolve: payloadText,
    }),
    base64: t.string({
      description: 'As base64, whatever they are.',
      resolve: ({ bytes }) => bytes.toString('base64'),
    }),
    bytes: t.int({ description: 'How many bytes.', resolve: ({ bytes }) => bytes.length }),
  }),
});

const userPropertyRef = builder.objectRef<UserProperty>('UserProperty').implement({
  description: 'What the sender of a message said beside it, by MQTT 5. Names may repeat.',
  fields: (t) => ({
    name: t.string({ description: 'As the sender wrote it.', resolve: ([name]) => name }),
    value: t.string({ description: 'As the sender wrote it.', resolve: ([, value]) => value }),
  }),
});

const replayRef = builder.objectRef<QuarantineRow>('QuarantineReplay').implement({
  description: 'How sending a message again ended.',
  fields: (t) => ({
    at: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was committed; null while it is on its way.',
      resolve: (row) => row.resolvedAt,
    }),
    outcome: t.field({
      type: replayOutcomeEnum,
      nullable: true,
      description: 'How it ended; null while it is on its way.',
      resolve: (row) => row.outcome,
    }),
    reason: t.string({
      nullable: true,
      description: 'Why it was turned away again.',
      resolve: (row) => row.outcomeReason,
    }),
    readingId: t.id({
      nullable: true,
      description: 'The reading that it became, or that was there already.',
      resolve: ({ readingDeviceId, readingTs, readingMessageId }) =>
        readingDeviceId && readingTs && readingMessageId
          ? encodeGlobalId('Reading', `${readingDeviceId}.${readingTs.getTime()}.${readingMessageId}`)
          : null,
    }),
    message: t.field({
      type: quarantinedMessageRef,
      nullable: true,
      description: 'Where it is now, when it was turned away again.',
      resolve: (row, _args, operation) => findQuarantinedAgain(operation, row),
    }),
  }),
});

builder.node(quarantinedMessageRef, {
  description: 'A message, or one reading of it, that was turned away. Nothing of it is lost.',
  id: { resolve: (row) => row.id },
  loadWithoutCache: (id, operation) => findQuarantined(operation, id),
  fields: (t) => ({
    status: t.field({
      type: quarantineStatusEnum,
      description: 'What was done about it.',
      resolve: (row) => row.status,
    }),
    reason: t.exposeString('reason', { description: 'Why, as a stable code such as BAD_JSON.' }),
    detail: t.exposeString('detail', { description: 'What is wrong, in a sentence.' }),
    field: t.exposeString('field', {
      nullable: true,
      description:
        'Where in the payload, as a JSON path without `$.`: `metrics.temperature`, `[3].ts`; null for the whole of it.',
    }),
    device: t.field({
      type: deviceRef,
      nullable: true,
      description: 'Who sent it; null when the device was not known then.',
      resolve: async ({ deviceId }, _args, operation) =>
        deviceId === null ? null : findDevice(operation, deviceId),
    }),
    deviceKey: t.exposeString('deviceKey', { description: 'The key it was sent under.' }),
    kind: t.exposeString('kind', { description: 'telemetry, heartbeat, status, command_ack, …' }),
    source: t.exposeString('source', { description: 'By which door it came: mqtt, http or bridge.' }),
    dialect: t.exposeString('dialect', { description: 'How it is spelled: canonical, meter2 or argus1.' }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime', description: 'When it arrived at the platform.' }),
    storedAt: t.expose('storedAt', { type: 'DateTime', description: 'When it was put here.' }),
    receipt: t.string({
      description: 'By which it is known on its way: `{batchId}.{index}`. `message` takes it.',
      resolve: (row) => `${row.batchId}.${row.itemIndex}`,
    }),
    part: t.int({
      nullable: true,
      description: 'Which reading of the message is meant, from 0; null for the whole message.',
      resolve: ({ whole, part }) => (whole ? null : part),
    }),
    payload: t.field({
      type: payloadRef,
      description: 'The whole message as it came.',
      resolve: ({ payload }) => ({ bytes: payload }),
    }),
    userProperties: t.field({
      type: [userPropertyRef],
      description: 'What was said beside it, in order; empty unless it came by MQTT 5.',
      resolve: ({ userProperties }) => (userProperties ? (readUserProperties(userProperties) ?? []) : []),
    }),
    replay: t.field({
      type: replayRef,
      nullable: true,
      description: 'How sending it again ended; null when nobody did.',
      resolve: (row) => (row.status === 'REPLAYING' || row.status === 'REPLAYED' ? row : null),
    }),
    replayOf: t.field({
      type: quarantinedMessageRef,
      nullable: true,
      description: 'What was sent again and ended here.',
      resolve: async ({ replayOf }, _args, operation) =>
        replayOf === null ? null : findQuarantined(operation, replayOf),
    }),
  }),
});

const quarantineFilterInput = builder.inputType('QuarantineFilter', {
  description: 'Which messages. All conditions must hold; what is absent or null does not limit.',
  fields: (t) => ({
    reasons: t.stringList({ description: 'For one of these reasons; at most 100.' }),
    deviceKey: t.string({ description: 'Sent under this key.' }),
    from: t.field({ type: 'DateTime', description: 'Arrived not before.' }),
    to: t.field({ type: 'DateTime', description: 'Arrived before.' }),
    status: t.field({ type: [quarantineStatusEnum], description: 'In one of these states.' }),
  }),
});

const quarantineConnectionRef = builder.connectionObject(
  {
    type: quarantinedMessageRef,
    name: 'QuarantineConnection',
    description: 'A page of messages that were turned away.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many the whole list has, counted up to 1 000 000.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'QuarantineEdge', description: 'A message in a page.' },
);

const reasonPointRef = builder.objectRef<ReasonSeries['points'][number]>('QuarantineReasonPoint').implement({
  description: 'How often a reason occurred within one bucket.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'Start of the bucket.' }),
    count: t.exposeInt('count', { description: 'How many messages.' }),
  }),
});

const reasonSeriesRef = builder.objectRef<ReasonSeries>('QuarantineReasonSeries').implement({
  description: 'How often a reason occurred over time.',
  fields: (t) => ({
    reason: t.exposeString('reason', { description: 'The stable code.' }),
    total: t.exposeInt('total', { description: 'In the whole range.' }),
    points: t.field({
      type: [reasonPointRef],
      description: 'Oldest first, none left out; at most 201.',
      resolve: ({ points }) => [...points],
    }),
  }),
});

builder.queryFields((t) => ({
  quarantine: t.connection(
    {
      type: quarantinedMessageRef,
      description: 'Messages that were turned away, newest first.',
      complexity: pageCost,
      args: {
        where: t.arg({ type: quarantineFilterInput, description: 'Which ones; all of them by default.' }),
      },
      resolve: (_root, { where, ...page }, operation) => listQuarantine(operation, page, where ?? {}),
    },
    quarantineConnectionRef,
  ),
  quarantineReasons: t.field({
    type: [reasonSeriesRef],
    description: 'How many messages were turned away over time, by reason, the most frequent first.',
    complexity: 50,
    args: {
      from: t.arg({ type: 'DateTime', required: true, description: 'Begin, inclusive.' }),
      to: t.arg({ type: 'DateTime', required: true, description: 'End, exclusive.' }),
      where: t.arg({ type: quarantineFilterInput, description: 'Which ones; all of them by default.' }),
    },
    resolve: (_root, { from, to, where }, operation) => reasonsOverTime(operation, where ?? {}, { from, to }),
  }),
}));
