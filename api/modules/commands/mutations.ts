import { defineMutation, type InputBuilder } from '#api/graphql/define-mutation.ts';
import { manyChanged, manyFields } from '../jobs/schema.ts';
import { cancelCommand, sendCommand, sendToMany } from './changes.ts';
import { commandRef } from './schema.ts';
import { requireCommand } from './service.ts';

const commandFields = (t: InputBuilder) => ({
  type: t.string({
    required: true,
    description:
      'Which command: its key in the template of the device. A device without a template takes any, of 1 to 64 of a-z 0-9 _ . - beginning with a letter.',
  }),
  params: t.field({
    type: 'JSON',
    description:
      'An object as the template wants it, of at most 8 192 bytes; an empty one by default. Without a template any.',
  }),
  expiresInSeconds: t.int({
    description:
      'Seconds after which it is not given to the device any more; 3 600 by default, at most 604 800 (7 days).',
  }),
});

defineMutation({
  name: 'commandSend',
  description:
    'Tells a device to do something: at once when it is connected, else as soon as it comes, until the command expires. Needs `commands.send`.',
  input: {
    description: 'A command to send.',
    argument: 'The command.',
    fields: (t) => ({
      deviceId: t.id({ required: true, description: 'Who is told; it must be ACTIVE.' }),
      ...commandFields(t),
    }),
  },
  refusals: ['QuotaError'],
  run: (operation, { input }) => sendCommand(operation, input),
  result: 'What came of sending a command.',
  success: {
    description: 'It is on its way.',
    fields: (t) => ({
      command: t.field({
        type: commandRef,
        description: 'The command.',
        resolve: ({ commandId }, _args, operation) => requireCommand(operation, commandId),
      }),
    }),
  },
});

defineMutation({
  name: 'commandSendMany',
  description:
    'Tells many devices to do the same, each as `commandSend` does, by a job: `Job.commandCounts` says how far they are. Needs `commands.send`.',
  input: {
    description: 'A command to send to many devices.',
    argument: 'The devices and the command.',
    fields: (t) => ({ ...manyFields(t), ...commandFields(t) }),
  },
  run: (operation, { input }) => sendToMany(operation, input),
  result: 'What came of sending a command to many devices.',
  success: manyChanged('A job sends it, unless there is no device.'),
});

defineMutation({
  name: 'commandCancel',
  description:
    'Takes back a command that is QUEUED or SENT; one that its device has accepted is not taken back any more. Needs `commands.send`.',
  input: {
    description: 'A command to take back.',
    argument: 'Which command.',
    fields: (t) => ({ id: t.id({ required: true, description: 'Which one.' }) }),
  },
  run: (operation, { input }) => cancelCommand(operation, input),
  result: 'What came of taking a command back.',
  success: {
    description: 'It is not given to the device from now on.',
    fields: (t) => ({
      command: t.field({
        type: commandRef,
        description: 'The command as it is now.',
        resolve: ({ commandId }, _args, operation) => requireCommand(operation, commandId),
      }),
      mayBeCarriedOut: t.exposeBoolean('mayBeCarriedOut', {
        description:
          'Whether the device has acknowledged that it has it: then it may carry it out all the same, and so may one that it is on its way to.',
      }),
    }),
  },
});
