import { builder } from '#api/graphql/builder.ts';
import { streamGapRef } from '#api/live/gap-schema.ts';
import { afterCursor, changeCursor, liveCost, resumable, snapshotCursor } from '#api/live/live-field.ts';
import { commandHappeningEnum } from './enums.ts';
import { type CommandChange, type CommandSnapshot, followCommands, stubOf } from './live.ts';
import { commandFilterInput, commandRef } from './schema.ts';

const snapshotRef = builder.objectRef<CommandSnapshot>('CommandSnapshot').implement({
  description:
    'Every wanted command that is not finished; the first event of a subscription without `after`, and again behind a gap. More than 1 000 commands come in several events.',
  fields: (t) => ({
    cursor: t.expose('cursor', snapshotCursor),
    commands: t.field({
      type: [commandRef],
      description: 'The commands, oldest first.',
      resolve: ({ rows }) => [...rows],
    }),
  }),
});

const changeRef = builder.objectRef<CommandChange>('CommandChange').implement({
  description: 'A command was sent off or has reached another state.',
  fields: (t) => ({
    cursor: t.expose('cursor', changeCursor),
    command: t.field({
      type: commandRef,
      description: 'The command as it is behind the change.',
      resolve: ({ event }) => stubOf(event),
    }),
    happening: t.field({
      type: commandHappeningEnum,
      description: 'What changed it.',
      resolve: ({ event }) => event.event,
    }),
    at: t.field({ type: 'DateTime', description: 'When that happened.', resolve: ({ event }) => event.at }),
  }),
});

const eventUnion = builder.unionType('CommandEvent', {
  description: 'What a subscription to commands delivers.',
  types: [snapshotRef, changeRef, streamGapRef],
  resolveType: ({ type }) => type,
});

builder.subscriptionField('commands', (t) =>
  t.field({
    type: eventUnion,
    description: resumable('Commands as they are sent off and go from state to state.'),
    complexity: liveCost,
    args: {
      where: t.arg({
        type: commandFilterInput,
        description: 'Which commands; all of the tenant by default. States are those behind a change.',
      }),
      after: t.arg(afterCursor),
    },
    subscribe: (_root, args, operation) => followCommands(operation, args),
    resolve: (payload) => payload,
  }),
);
