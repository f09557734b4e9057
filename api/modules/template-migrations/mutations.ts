import { builder } from '#api/graphql/builder.ts';
import { defineMutation } from '#api/graphql/define-mutation.ts';
import { deviceRef, deviceTargetInput, requireDevice } from '../devices/schema.ts';
import { templateRef } from '../templates/schema.ts';
import { requireTemplate } from '../templates/service.ts';
import { migrateTemplate, type TemplateMigrated } from './changes.ts';

const errorRef = builder.objectRef<TemplateMigrated['errors'][number]>('TemplateMigrateError').implement({
  description: 'Why a device stays with its version.',
  fields: (t) => ({
    device: t.field({
      type: deviceRef,
      description: 'Which one.',
      resolve: ({ deviceId }, _args, operation) => requireDevice(operation, deviceId),
    }),
    code: t.exposeString('code', { description: 'Stable, as in `TemplateMigrationFault`.' }),
    message: t.exposeString('message', { description: 'One sentence for a person.' }),
  }),
});

defineMutation({
  name: 'templateMigrate',
  description:
    'Moves devices to another version of their template: sensors appear, change and vanish, the interval follows where a device has none of its own. A device that cannot move is named with every reason, and the others move. `templateMigrationPreview` says before what happens. Needs `devices.write`.',
  input: {
    description: 'Devices to move to another version of their template.',
    argument: 'The move.',
    fields: (t) => ({
      templateKey: t.string({ required: true, description: 'Key of the template.' }),
      toVersion: t.int({ description: 'Where to; the newest version by default, an older one too.' }),
      target: t.field({
        type: deviceTargetInput,
        description:
          'Which devices: of a group or a filter those that are made of the template and have another version. All such by default; at most 1 000 at a time.',
      }),
    }),
  },
  run: (operation, { input }) => migrateTemplate(operation, input),
  result: 'What came of moving devices to another version of their template.',
  success: {
    description: 'Those that could move have moved.',
    fields: (t) => ({
      template: t.field({
        type: templateRef,
        description: 'Their template.',
        resolve: ({ templateId }, _args, operation) => requireTemplate(operation, templateId),
      }),
      toVersion: t.exposeInt('toVersion', { description: 'Where they have moved.' }),
      migrated: t.int({
        description: 'How many have moved.',
        resolve: ({ deviceIds }) => deviceIds.length,
      }),
      unchanged: t.exposeInt('unchanged', { description: 'How many had the version already.' }),
      devices: t.field({
        type: [deviceRef],
        description: 'Those that have moved, as they are now.',
        complexity: { field: 2, multiplier: 25 },
        resolve: ({ deviceIds }, _args, operation) =>
          Promise.all(deviceIds.map((id) => requireDevice(operation, id))),
      }),
      errors: t.field({
        type: [errorRef],
        description: 'Those that stay, once for each reason.',
        complexity: { field: 2, multiplier: 25 },
        resolve: ({ errors }) => errors,
      }),
    }),
  },
});
