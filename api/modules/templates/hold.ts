import type { WriteScope } from '#api/database/writes.ts';
import { NotFoundFault } from '#api/graphql/errors.ts';
import type { TemplateCategory, TemplateDefinition } from '#core/fleet/templates.ts';

/** A version of a template, as something is made of it. */
export interface HeldTemplate {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly category: TemplateCategory;
  readonly version: number;
  readonly definition: TemplateDefinition;
}

/**
 * A version of a template of the tenant or the platform, the newest by default, which nobody changes or deletes until the transaction
 * ends: for whoever makes a device or a module of it.
 * @param path of the input field that names it
 * @throws NotFoundFault
 */
export async function holdTemplate(
  scope: WriteScope,
  key: string,
  path: readonly string[],
  version?: number,
): Promise<HeldTemplate> {
  const text = key.includes('\0') ? '' : key;
  // A version of the platform's is never changed: those need no lock, and row-level security would give none.
  await scope.prisma.$executeRaw`
    select from device_templates where tenant_id = ${scope.tenantId} and key = ${text} for share`;
  const [held] = await scope.prisma.$queryRaw<HeldTemplate[]>`
    select t.id, t.key, t.name, t.category::text as category, v.version, v.definition
    from device_templates t join template_versions v
      on v.template_id = t.id and v.version = coalesce(${version ?? null}::int, t.version)
    where t.key = ${text} and (t.tenant_id = ${scope.tenantId} or t.tenant_id is null)
    order by t.tenant_id nulls last limit 1`;
  if (held) return held;
  const message =
    version === undefined
      ? `there is no template with the key ${key}`
      : `there is no version ${version} of a template with the key ${key}`;
  throw new NotFoundFault(message, path);
}
