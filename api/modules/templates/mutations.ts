import { defineMutation, type SuccessFields } from '#api/graphql/define-mutation.ts';
import { createTemplate, deleteTemplate, type TemplateChanged, updateTemplate } from './changes.ts';
import { cloneTemplate, importTemplate } from './copies.ts';
import { definitionInput } from './definition-input.ts';
import { templateCategoryEnum } from './enums.ts';
import { templateRef } from './schema.ts';
import { requireTemplate } from './service.ts';

const KEY =
  '1 to 63 of a-z 0-9 - beginning with a letter or digit; unique among the tenant’s and the platform’s, never changes.';
const NAME = 'What people call it; at most 200 characters.';
const DESCRIPTION = 'What it is for; at most 2 000 characters.';

const changedFields: SuccessFields<TemplateChanged> = (t) => ({
  template: t.field({
    type: templateRef,
    description: 'The template as it is now.',
    resolve: ({ templateId }, _args, operation) => requireTemplate(operation, templateId),
  }),
});

defineMutation({
  name: 'templateCreate',
  description: 'Makes a template; a tenant has at most 1 000 of its own. Needs `templates.write`.',
  input: {
    description: 'A template to make.',
    argument: 'The template.',
    fields: (t) => ({
      key: t.string({ required: true, description: KEY }),
      name: t.string({ required: true, description: NAME }),
      description: t.string({ description: DESCRIPTION }),
      category: t.field({
        type: templateCategoryEnum,
        required: true,
        description: 'What kind of thing it describes; never changes.',
      }),
      definition: t.field({
        type: definitionInput,
        required: true,
        description: 'All that it says; at most 262 144 bytes as JSON.',
      }),
    }),
  },
  run: (operation, { input }) => createTemplate(operation, input),
  result: 'What came of making a template.',
  success: { description: 'The template is there in version 1.', fields: changedFields },
});

defineMutation({
  name: 'templateUpdate',
  description:
    'Changes a template of the tenant’s own. What it says is changed under the next version number: a version that something is made of stays beside it, and what is made of it stays with that. Needs `templates.write`.',
  input: {
    description: 'Changes to a template. What is absent stays.',
    argument: 'The changes.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which template.' }),
      expectedVersion: t.int({
        required: true,
        description: 'Version the caller has seen; another one is a ConflictError.',
      }),
      name: t.string({ description: NAME }),
      description: t.string({ description: DESCRIPTION }),
      definition: t.field({
        type: definitionInput,
        description: 'All that it says from now on; at most 262 144 bytes as JSON.',
      }),
    }),
  },
  run: (operation, { input }) => updateTemplate(operation, input),
  result: 'What came of changing a template.',
  success: { description: 'The template was changed.', fields: changedFields },
});

defineMutation({
  name: 'templateDelete',
  description:
    'Deletes a template of the tenant’s own with all of its versions. While a device or a module refers to it, or a slot names it, that is a ConflictError which says how many. Needs `templates.write`.',
  input: {
    description: 'A template to delete.',
    argument: 'Which template.',
    fields: (t) => ({ id: t.id({ required: true, description: 'Which template.' }) }),
  },
  run: (operation, { input }) => deleteTemplate(operation, input),
  result: 'What came of deleting a template.',
  success: {
    description: 'The template is gone.',
    fields: (t) => ({
      deletedId: t.id({ description: 'The id it had.', resolve: ({ deletedId }) => deletedId }),
    }),
  },
});

defineMutation({
  name: 'templateClone',
  description:
    'Makes a template of the tenant’s own that says all that a version of another one says, of its own or of the platform’s. Needs `templates.write`.',
  input: {
    description: 'A template to copy.',
    argument: 'Which, and what the copy is called.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which template.' }),
      version: t.int({ description: 'Which of its versions; the newest by default.' }),
      key: t.string({ required: true, description: KEY }),
      name: t.string({ description: 'At most 200 characters; as of the original by default.' }),
      description: t.string({ description: 'At most 2 000 characters; as of the original by default.' }),
    }),
  },
  run: (operation, { input }) => cloneTemplate(operation, input),
  result: 'What came of copying a template.',
  success: { description: 'The copy is there in version 1.', fields: changedFields },
});

defineMutation({
  name: 'templateImport',
  description:
    'Makes a template of a document as `DeviceTemplate.json` gives it. Every problem is said with its path. Needs `templates.write`.',
  input: {
    description: 'A template to take over.',
    argument: 'The document, and what to call the template.',
    fields: (t) => ({
      document: t.field({ type: 'JSON', required: true, description: 'As `DeviceTemplate.json` gives it.' }),
      key: t.string({ description: 'Instead of the one in the document, where that is taken.' }),
      name: t.string({ description: 'Instead of the one in the document.' }),
    }),
  },
  run: (operation, { input }) => importTemplate(operation, input),
  result: 'What came of importing a template.',
  success: { description: 'The template is there in version 1.', fields: changedFields },
});
