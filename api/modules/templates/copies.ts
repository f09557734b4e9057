import { z } from 'zod';
import type { Operation } from '#api/graphql/context.ts';
import type { UserError } from '#api/graphql/errors.ts';
import { parseInput } from '#api/graphql/input.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { templateKeySchema } from '#core/fleet/template-definition.ts';
import { changedSchema, type TemplateChanged, targetOf, type WithMutationId } from './changes.ts';
import { templateDocumentSchema, templateText } from './document.ts';
import { insertTemplate, summaryOf } from './insert.ts';
import { seeTemplate } from './lock.ts';

const cloneSchema = z.object({
  key: templateKeySchema,
  name: templateText.name.nullish(),
  description: templateText.description.nullish(),
  version: z.number().nullish(),
});

const importSchema = z.object({
  document: templateDocumentSchema,
  key: templateKeySchema.nullish(),
  name: templateText.name.nullish(),
});

/** Makes a template that says what a version of another one says, of the tenant's own or of the platform's. */
export function cloneTemplate(
  operation: Operation,
  input: WithMutationId & { readonly id: string },
): Promise<TemplateChanged | UserError> {
  return runMutation(operation, {
    name: 'templateClone',
    permission: 'templates.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const { key, name, description, version } = parseInput(cloneSchema, input);
      const original = await seeTemplate(scope, input.id, version);
      const copy = {
        key,
        name: name ?? original.name,
        description: description ?? original.description,
        category: original.category,
        definition: original.definition,
      };
      const paths = { key: ['input', 'key'], definition: ['input', 'id'] };
      const id = await insertTemplate(operation, scope, copy, paths);
      const from = `${original.key}/${version ?? original.version}`;
      return {
        success: { templateId: id },
        audit: { target: targetOf({ id, key }), before: null, after: { ...summaryOf(copy), from } },
      };
    },
  });
}

/** Makes a template of a document that `DeviceTemplate.json` gave, here or anywhere. */
export function importTemplate(
  operation: Operation,
  input: WithMutationId & { readonly document?: unknown },
): Promise<TemplateChanged | UserError> {
  return runMutation(operation, {
    name: 'templateImport',
    permission: 'templates.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const { document, ...given } = parseInput(importSchema, input);
      const { name, description, category, definition } = document;
      const key = given.key ?? document.key;
      const template = { key, name: given.name ?? name, description, category, definition };
      const paths = {
        key: given.key == null ? ['input', 'document', 'key'] : ['input', 'key'],
        definition: ['input', 'document', 'definition'],
      };
      const id = await insertTemplate(operation, scope, template, paths);
      return {
        success: { templateId: id },
        audit: { target: targetOf({ id, key }), before: null, after: summaryOf(template) },
      };
    },
  });
}
