import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import { changesBetween } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, type UserError } from '#api/graphql/errors.ts';
import { encodeGlobalId } from '#api/graphql/global-ids.ts';
import { parseInput } from '#api/graphql/input.ts';
import { type JsonObject, runMutation } from '#api/graphql/mutations.ts';
import { sameJson } from '#core/fleet/plain-json.ts';
import { templateDefinitionSchema, templateKeySchema } from '#core/fleet/template-definition.ts';
import { diffTemplates } from '#core/fleet/template-diff.ts';
import type { TemplateDefinition } from '#core/fleet/templates.ts';
import { withoutNulls } from './definition-input.ts';
import { templateText } from './document.ts';
import { assertSlots, insertTemplate, insertVersion, summaryOf } from './insert.ts';
import { countReferences, type LockedTemplate, lockTemplate, seeTemplate } from './lock.ts';

const createSchema = z.object({
  key: templateKeySchema,
  name: templateText.name,
  description: templateText.description.nullish().transform((text) => text ?? ''),
  category: templateText.category,
  definition: templateDefinitionSchema,
});

/** Absent means unchanged. */
const updateSchema = z.object({
  expectedVersion: z.number(),
  name: templateText.name.nullish(),
  description: templateText.description.nullish(),
  definition: templateDefinitionSchema.optional(),
});

export const changedSchema = z.object({ templateId: z.number() });
const deletedSchema = z.object({ deletedId: z.string() });
export type TemplateChanged = z.output<typeof changedSchema>;
export type TemplateDeleted = z.output<typeof deletedSchema>;

export type WithMutationId = { readonly clientMutationId?: string | null | undefined };
type WithDefinition = WithMutationId & { readonly definition?: unknown };

export const targetOf = ({ id, key }: { readonly id: number; readonly key: string }) => ({
  type: 'DeviceTemplate',
  id,
  label: key,
});

/** Makes a template of the tenant's own. */
export function createTemplate(
  operation: Operation,
  input: WithDefinition,
): Promise<TemplateChanged | UserError> {
  return runMutation(operation, {
    name: 'templateCreate',
    permission: 'templates.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const create = parseInput(createSchema, { ...input, definition: withoutNulls(input.definition) });
      const paths = { key: ['input', 'key'], definition: ['input', 'definition'] };
      const id = await insertTemplate(operation, scope, create, paths);
      return {
        success: { templateId: id },
        audit: { target: targetOf({ id, key: create.key }), before: null, after: summaryOf(create) },
      };
    },
  });
}

/**
 * Changes what the input names. A definition that differs takes the next number: beside the version before where something is made of
 * that, in its place otherwise.
 */
export function updateTemplate(
  operation: Operation,
  input: WithDefinition & { readonly id: string },
): Promise<TemplateChanged | UserError> {
  return runMutation(operation, {
    name: 'templateUpdate',
    permission: 'templates.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const { definition: given, ...rest } = input;
      const definition = given == null ? {} : { definition: withoutNulls(given) };
      const change = parseInput(updateSchema, { ...rest, ...definition });
      const current = await lockTemplate(scope, input.id);
      if (change.expectedVersion !== current.version) {
        const path = ['input', 'expectedVersion'];
        throw new ConflictFault('somebody else has changed the template', path, current.version);
      }
      const changes = change.definition && (await redefine(operation, scope, current, change.definition));
      const before = { name: current.name, description: current.description, version: current.version };
      const after = {
        name: change.name ?? current.name,
        description: change.description ?? current.description,
        version: changes ? current.version + 1 : current.version,
      };
      await scope.prisma.$executeRaw`update device_templates
        set name = ${after.name}, description = ${after.description}, version = ${after.version}, updated_at = now()
        where id = ${current.id}`;
      await scope.publishControl('template', current.key, after.version);
      const audit = changesBetween(before, after);
      return {
        success: { templateId: current.id },
        audit: { target: targetOf(current), before: audit.before, after: { ...audit.after, ...changes } },
      };
    },
  });
}

/** Keeps a definition under the next number; what was changed, or undefined where nothing was. */
async function redefine(
  operation: Operation,
  scope: WriteScope,
  { id, key, category, version }: LockedTemplate,
  definition: TemplateDefinition,
): Promise<JsonObject | undefined> {
  const { definition: before } = await seeTemplate(scope, encodeGlobalId('DeviceTemplate', id));
  if (sameJson(before, definition)) return undefined;
  await assertSlots(scope, definition, ['input', 'definition'], { key, category });
  const { devices, modules } = await countReferences(scope, id, version);
  if (devices + modules === 0)
    await scope.prisma
      .$executeRaw`delete from template_versions where template_id = ${id} and version = ${version}`;
  await insertVersion(operation, scope, id, version + 1, definition);
  return keysOfChanges(before, definition);
}

/** `metrics.load` for each entry, and the names of what a template says as a whole. */
function keysOfChanges(before: TemplateDefinition, after: TemplateDefinition): JsonObject {
  const { settings, ...parts } = diffTemplates(before, after);
  const entries = Object.entries(parts).flatMap(([part, changes]) =>
    changes.map((change) => ({ ...change, key: `${part}.${change.key}` })),
  );
  const those = (wanted: (change: (typeof entries)[number]) => boolean): string[] =>
    entries.filter(wanted).map(({ key }) => key);
  return {
    added: those((change) => change.before === null),
    removed: those((change) => change.after === null),
    changed: [
      ...those((change) => change.before !== null && change.after !== null),
      ...settings.map(({ setting }) => setting),
    ],
  };
}

/** Deletes a template of which nothing was ever made, with all of its versions. */
export function deleteTemplate(
  operation: Operation,
  input: WithMutationId & { readonly id: string },
): Promise<TemplateDeleted | UserError> {
  return runMutation(operation, {
    name: 'templateDelete',
    permission: 'templates.write',
    input,
    read: (remembered) => deletedSchema.parse(remembered),
    async run(scope) {
      const template = await lockTemplate(scope, input.id);
      await assertUnused(scope, template);
      await scope.prisma.$executeRaw`delete from template_versions where template_id = ${template.id}`;
      await scope.prisma.$executeRaw`delete from device_templates where id = ${template.id}`;
      await scope.publishControl('template', template.key, template.version);
      const { name, description, category, version } = template;
      return {
        success: { deletedId: encodeGlobalId('DeviceTemplate', template.id) },
        audit: {
          target: targetOf(template),
          before: { name, description, category, version },
          after: null,
        },
      };
    },
  });
}

async function assertUnused(scope: WriteScope, { id, key, version }: LockedTemplate): Promise<void> {
  const { devices, decommissioned, modules, removed } = await countReferences(scope, id);
  const [slots] = await scope.prisma.$queryRaw<{ count: number }[]>`
    select count(*)::int as count from device_templates t
    join template_versions v on v.template_id = t.id and v.version = t.version
    where t.tenant_id = ${scope.tenantId} and t.id <> ${id}
      and v.definition -> 'slots' @> jsonb_build_array(jsonb_build_object('compatibleTemplates', jsonb_build_array(${key}::text)))`;
  const users = [
    ...(devices > 0 ? [`${devices} devices (${decommissioned} of them decommissioned)`] : []),
    ...(modules > 0 ? [`${modules} modules (${removed} of them removed)`] : []),
    ...((slots?.count ?? 0) > 0 ? [`the slots of ${slots?.count} other templates`] : []),
  ];
  if (users.length > 0)
    throw new ConflictFault(`the template is in use by ${users.join(', ')}`, ['input', 'id'], version);
}
