import { defineMutation } from '#api/graphql/define-mutation.ts';
import { manyChanged, manyFields } from '../jobs/schema.ts';
import { migrateTemplate } from './changes.ts';

defineMutation({
  name: 'templateMigrate',
  description:
    'Moves devices to another version of their template: sensors appear, change and vanish, the interval follows where a device has none of its own. A device that cannot move is named with every reason, and the others move. `templateMigrationPreview` says before what happens. Up to 100 devices at once, more by a job. Needs `devices.write`.',
  input: {
    description: 'Devices to move to another version of their template.',
    argument: 'The move.',
    fields: (t) => ({
      ...manyFields(t),
      templateKey: t.string({ required: true, description: 'Key of the template that they are made of.' }),
      toVersion: t.int({ description: 'Where to; the newest version by default, an older one too.' }),
    }),
  },
  run: (operation, { input }) => migrateTemplate(operation, input),
  result: 'What came of moving devices to another version of their template.',
  success: manyChanged('The devices have moved, or a job is at it.'),
});
