import type { WriteScope } from '#api/database/writes.ts';
import { ConflictFault, NotFoundFault } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import type { TemplateCategory, TemplateDefinition } from '#core/fleet/templates.ts';

export interface LockedTemplate {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly category: TemplateCategory;
  readonly version: number;
}

/** A template and what one of its versions says. */
export interface SeenTemplate extends LockedTemplate {
  readonly definition: TemplateDefinition;
}

const ID_PATH = ['input', 'id'];

/**
 * The tenant's own template with this id, which nobody else changes, and of which nothing is made, until the transaction ends.
 * @throws NotFoundFault, or ConflictFault for one of the platform's
 */
export async function lockTemplate(scope: WriteScope, globalId: string): Promise<LockedTemplate> {
  const id = readRowId(globalId, 'DeviceTemplate') ?? 0;
  const [own] = await scope.prisma.$queryRaw<LockedTemplate[]>`
    select id, key, name, description, category::text as category, version from device_templates
    where id = ${id} and tenant_id = ${scope.tenantId} for update`;
  if (own) {
    // Whoever refers to a version right now is waited for; whoever comes later waits.
    await scope.prisma.$executeRaw`select from template_versions where template_id = ${id} for update`;
    return own;
  }
  await seeTemplate(scope, globalId);
  throw new ConflictFault(
    'the template comes with the platform: clone it and change the copy',
    ID_PATH,
    null,
  );
}

/** A version of a template of the tenant or the platform, the newest by default. @throws NotFoundFault */
export async function seeTemplate(
  scope: WriteScope,
  globalId: string,
  version?: number | null | undefined,
): Promise<SeenTemplate> {
  const id = readRowId(globalId, 'DeviceTemplate') ?? 0;
  const [seen] = await scope.prisma.$queryRaw<(LockedTemplate & { definition: TemplateDefinition | null })[]>`
    select t.id, t.key, t.name, t.description, t.category::text as category, t.version, v.definition
    from device_templates t left join template_versions v
      on v.template_id = t.id and v.version = coalesce(${version ?? null}::int, t.version)
    where t.id = ${id} and (t.tenant_id is null or t.tenant_id = ${scope.tenantId})`;
  if (!seen) throw new NotFoundFault('there is no such template', ID_PATH);
  const { definition } = seen;
  if (!definition) throw new NotFoundFault('the template has no such version', ['input', 'version']);
  return { ...seen, definition };
}

/** Everything that refers to a template, or to one version of it: what is out of service too. */
export interface References {
  readonly devices: number;
  readonly decommissioned: number;
  readonly modules: number;
  readonly removed: number;
}

export async function countReferences(
  scope: WriteScope,
  templateId: number,
  version?: number,
): Promise<References> {
  const only = version ?? null;
  const [counts] = await scope.prisma.$queryRaw<References[]>`
    select d.*, m.* from (
      select count(*)::int as devices, (count(*) filter (where status = 'DECOMMISSIONED'))::int as decommissioned
      from devices where tenant_id = ${scope.tenantId} and template_id = ${templateId}
        and (${only}::int is null or template_version = ${only})) d,
    (select count(*)::int as modules, (count(*) filter (where removed_at is not null))::int as removed
      from device_modules where tenant_id = ${scope.tenantId} and template_id = ${templateId}
        and (${only}::int is null or template_version = ${only})) m`;
  return counts ?? { devices: 0, decommissioned: 0, modules: 0, removed: 0 };
}
