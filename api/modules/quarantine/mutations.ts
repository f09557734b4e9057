import { builder } from '#api/graphql/builder.ts';
import { defineMutation, type SuccessFields } from '#api/graphql/define-mutation.ts';
import { discardQuarantined, MAX_MATCHED, type QuarantineChange, replayQuarantined } from './changes.ts';
import { quarantineJobRef } from './job-schema.ts';
import type { Forecast } from './preview.ts';
import { payloadRef, quarantinedMessageRef } from './schema.ts';
import { findJob } from './service.ts';

const whereInput = builder.inputType('QuarantineTargetFilter', {
  description: 'Open messages that meet every condition given.',
  fields: (t) => ({
    reasons: t.stringList({ description: 'For one of these reasons; at most 100.' }),
    deviceKey: t.string({ description: 'Sent under this key.' }),
    from: t.field({ type: 'DateTime', description: 'Arrived not before.' }),
    to: t.field({ type: 'DateTime', description: 'Arrived before.' }),
  }),
});

const targetInput = builder.inputType('QuarantineTarget', {
  description: 'Which messages. Only open ones are taken, and none that comes later.',
  isOneOf: true,
  fields: (t) => ({
    ids: t.idList({ description: 'These; at most 100.' }),
    where: t.field({
      type: whereInput,
      description: `Those that match, the oldest ${MAX_MATCHED.toLocaleString('en').replace(',', ' ')} at most.`,
    }),
  }),
});

const patchInput = builder.inputType('QuarantinePatch', {
  description: 'A rule by which payloads are changed. It begins at the reading that the message stands for.',
  fields: (t) => ({
    removeField: t.boolean({ description: 'Take out the `field` that the fault is in, before the steps.' }),
    steps: t.field({
      type: 'JSON',
      description:
        'JSON Patch (RFC 6902): a list of `{"op": "add" | "replace", "path", "value"}`, `{"op": "remove", "path"}`, `{"op": "move", "from", "path"}`; at most 50.',
    }),
  }),
});

const fixInput = builder.inputType('QuarantineFix', {
  description: 'How payloads are made right before they are sent again.',
  isOneOf: true,
  fields: (t) => ({
    text: t.string({ description: 'This text takes the place of the payload of one message.' }),
    base64: t.string({ description: 'These bytes take the place of the payload of one message.' }),
    patch: t.field({ type: patchInput, description: 'Every payload is changed by this rule.' }),
  }),
});

const forecastOutcomeEnum = builder.enumType('ReplayForecastOutcome', {
  description: 'What would become of a message.',
  values: {
    WOULD_BE_ACCEPTED: { description: 'It would be stored, unless it is there already.' },
    WOULD_BE_QUARANTINED: { description: 'It would be turned away again.' },
    CANNOT_BE_FIXED: { description: 'The fix does not fit it: it would stay as it is.' },
  },
});

const forecastRef = builder.objectRef<Forecast>('ReplayForecast').implement({
  description: 'What would become of a message if it were sent again now.',
  fields: (t) => ({
    message: t.field({ type: quarantinedMessageRef, description: 'Which one.', resolve: ({ row }) => row }),
    outcome: t.field({
      type: forecastOutcomeEnum,
      description: 'What would become of it.',
      resolve: ({ outcome }) => outcome,
    }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why it would be turned away again.' }),
    detail: t.exposeString('detail', { nullable: true, description: 'What would be wrong, in a sentence.' }),
    field: t.exposeString('field', { nullable: true, description: 'Where in the payload.' }),
    payload: t.field({
      type: payloadRef,
      description: 'What would be sent.',
      resolve: ({ payload }) => ({ bytes: payload }),
    }),
  }),
});

const changeFields: SuccessFields<QuarantineChange> = (t) => ({
  matched: t.exposeInt('matched', { description: 'How many open messages are meant.' }),
  job: t.field({
    type: quarantineJobRef,
    nullable: true,
    description: 'Does it; ask it how far it is. Null for a dry run.',
    resolve: async ({ jobId }, _args, operation) => (jobId === null ? null : findJob(operation, jobId)),
  }),
});

defineMutation({
  name: 'quarantineReplay',
  description:
    'Sends quarantined messages through the pipeline again, as they came or made right, with the time at which they first arrived. However often one is sent, it is stored once. Needs `quarantine.manage`.',
  input: {
    description: 'Messages to send through the pipeline again.',
    argument: 'Which, and how.',
    fields: (t) => ({
      target: t.field({ type: targetInput, required: true, description: 'Which ones.' }),
      fix: t.field({
        type: fixInput,
        description: 'How to make them right. Absent: as they came, under the ids that they would have had.',
      }),
      dryRun: t.boolean({ description: 'Only say what would happen to the first 100.' }),
    }),
  },
  run: (operation, { input }) => replayQuarantined(operation, input),
  result: 'What came of sending messages again.',
  success: {
    description: 'The messages are about to be sent again.',
    fields: (t) => ({
      ...changeFields(t),
      forecasts: t.field({
        type: [forecastRef],
        description: 'For a dry run: what would become of the first 100, oldest first.',
        resolve: ({ forecasts }) => [...forecasts],
      }),
    }),
  },
});

defineMutation({
  name: 'quarantineDiscard',
  description:
    'Gives quarantined messages up. They stay visible until they expire. Needs `quarantine.manage`.',
  input: {
    description: 'Messages to give up.',
    argument: 'Which ones.',
    fields: (t) => ({
      target: t.field({ type: targetInput, required: true, description: 'Which ones.' }),
      dryRun: t.boolean({ description: 'Only say how many there are.' }),
    }),
  },
  run: (operation, { input }) => discardQuarantined(operation, input),
  result: 'What came of giving messages up.',
  success: { description: 'The messages are about to be given up.', fields: changeFields },
});
