import type { WriteScope } from '#api/database/writes.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, ValidationFault } from '#api/graphql/errors.ts';
import type { JsonObject } from '#api/graphql/mutations.ts';
import { slotProblems } from '#core/fleet/template-definition.ts';
import type { TemplateCategory, TemplateDefinition } from '#core/fleet/templates.ts';

/** Of its own, that a tenant has at once. */
const MAX_TEMPLATES = 1_000;

export interface NewTemplate {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly category: TemplateCategory;
  readonly definition: TemplateDefinition;
}

/**
 * Makes a template with one version.
 * @param paths of the input fields that say its key and its definition
 * @throws ConflictFault when the key is taken or the tenant has too many, ValidationFault for slots that name what is not there
 */
export async function insertTemplate(
  operation: Operation,
  scope: WriteScope,
  { key, name, description, category, definition }: NewTemplate,
  paths: { readonly key: readonly string[]; readonly definition: readonly string[] },
): Promise<number> {
  await assertRoom(scope);
  const [taken] = await scope.prisma.$queryRaw<{ version: number; isSystem: boolean }[]>`
    select version, tenant_id is null as "isSystem" from device_templates
    where key = ${key} and (tenant_id is null or tenant_id = ${scope.tenantId})`;
  if (taken) {
    const whose = taken.isSystem ? 'a template of the platform' : 'another template';
    throw new ConflictFault(`the key ${key} belongs to ${whose}`, paths.key, taken.version);
  }
  await assertSlots(scope, definition, paths.definition, { key, category });
  const [row] = await scope.prisma.$queryRaw<{ id: number }[]>`
    insert into device_templates (tenant_id, key, name, description, category)
    values (${scope.tenantId}, ${key}, ${name}, ${description}, ${category}::template_category) returning id`;
  const id = row?.id ?? 0;
  await insertVersion(operation, scope, id, 1, definition);
  return id;
}

export async function insertVersion(
  { viewer }: Operation,
  scope: WriteScope,
  templateId: number,
  version: number,
  definition: TemplateDefinition,
): Promise<void> {
  await scope.prisma.$executeRaw`
    insert into template_versions (template_id, version, tenant_id, definition, created_by)
    values (${templateId}, ${version}, ${scope.tenantId}, ${JSON.stringify(definition)}::jsonb, ${viewer.credentialId})`;
}

/** @throws ValidationFault for slots that name a template which is not there or fits none */
export async function assertSlots(
  scope: WriteScope,
  definition: TemplateDefinition,
  path: readonly string[],
  own: { readonly key: string; readonly category: TemplateCategory },
): Promise<void> {
  const wanted = [...new Set(definition.slots.flatMap(({ compatibleTemplates }) => compatibleTemplates))];
  const rows = await scope.prisma.$queryRaw<{ key: string; category: TemplateCategory }[]>`
    select key, category::text as category from device_templates
    where key = any(${wanted}::text[]) and (tenant_id is null or tenant_id = ${scope.tenantId})`;
  const categories = new Map([...rows, own].map(({ key, category }) => [key, category]));
  const problems = slotProblems(definition, (key) => categories.get(key));
  if (problems.length > 0)
    throw new ValidationFault(
      problems.map((problem) => ({
        path: [...path, ...problem.path.map(String)],
        message: problem.message,
      })),
    );
}

/** A template as the audit log keeps it; its versions keep the rest. */
export const summaryOf = ({ name, description, category, definition }: NewTemplate): JsonObject => ({
  ...{ name, description, category },
  version: 1,
  metrics: definition.metrics.map(({ key }) => key),
  commands: definition.commands.map(({ key }) => key),
  slots: definition.slots.map(({ key }) => key),
});

/** Of several who make templates at once, each waits for the one before. */
async function assertRoom(scope: WriteScope): Promise<void> {
  await scope.prisma.$executeRaw`
    select pg_advisory_xact_lock(hashtext('device_templates'), ${scope.tenantId}::int)`;
  const [own] = await scope.prisma.$queryRaw<{ count: number }[]>`
    select count(*)::int as count from device_templates where tenant_id = ${scope.tenantId}`;
  if ((own?.count ?? 0) < MAX_TEMPLATES) return;
  const message = `a tenant has at most ${MAX_TEMPLATES} templates of its own; delete some first`;
  throw new ConflictFault(message, ['input'], null);
}
