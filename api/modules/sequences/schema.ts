import { builder } from '#api/graphql/builder.ts';
import { pageCost } from '#api/graphql/cost.ts';
import { deviceRef } from '../devices/schema.ts';
import { findSequence, listGaps } from './service.ts';
import type { SequenceGapRow, SequenceRow } from './store.ts';

const sequenceGapRef = builder.objectRef<SequenceGapRow>('SequenceGap').implement({
  description: 'Numbers that were missing between two messages for longer than ten seconds.',
  fields: (t) => ({
    from: t.exposeFloat('fromSeq', { description: 'The first number; a whole number.' }),
    to: t.exposeFloat('toSeq', { description: 'The last number; a whole number.' }),
    missing: t.exposeFloat('missing', { description: 'How many of them have not arrived yet.' }),
    firstSeenAt: t.expose('firstSeenAt', {
      type: 'DateTime',
      description: 'When the message behind the gap had arrived.',
    }),
    healedAt: t.expose('healedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the last of them arrived after all; null while some are missing.',
    }),
  }),
});

const deviceSequenceRef = builder.objectRef<SequenceRow>('DeviceSequence').implement({
  description:
    'The numbers (`seq`) that a device has given its messages in one of its lives (`boot`), some seconds behind the newest message.',
  fields: (t) => ({
    boot: t.exposeInt('boot', { description: 'Which life; 0 for a device that does not say.' }),
    lastSeq: t.exposeFloat('lastSeq', { description: 'The highest number; a whole number.' }),
    received: t.exposeFloat('received', { description: 'How many different numbers arrived.' }),
    duplicates: t.exposeFloat('duplicates', {
      description:
        'How many messages came with a number that had arrived before. They rise when a device counts anew without another `boot`.',
    }),
    outOfOrder: t.exposeFloat('outOfOrder', {
      description: 'How many messages arrived after one with a higher number.',
    }),
    missing: t.exposeFloat('missing', { description: 'How many numbers are missing now, settled or not.' }),
    lastMessageAt: t.expose('lastAt', { type: 'DateTime', description: 'When the newest message arrived.' }),
    gaps: t.field({
      type: [sequenceGapRef],
      description: 'The gaps that appeared last, newest first, healed ones too.',
      complexity: pageCost,
      args: {
        first: t.arg.int({ required: true, defaultValue: 10, description: 'How many at most; 1 to 100.' }),
      },
      resolve: (sequence, { first }, operation) => listGaps(operation, sequence, first),
    }),
  }),
});

builder.objectField(deviceRef, 'sequence', (t) =>
  t.field({
    type: deviceSequenceRef,
    nullable: true,
    description:
      'What arrived and what is missing by the numbers of its messages; null when it never numbered one.',
    args: { boot: t.arg.int({ description: 'Which life; the one heard of last by default.' }) },
    resolve: (device, { boot }, operation) => findSequence(operation, device.id, boot),
  }),
);
