import type { Pool } from 'pg';
import { parseTemplateDefinition } from '#core/fleet/template-definition.ts';
import type { TenantSeed } from './seed.ts';

export interface SeededTemplate {
  readonly id: number;
  readonly version: number;
}

/** A template of a tenant in its first version; what the definition leaves out takes its default. */
export async function seedTemplate(
  admin: Pool,
  tenant: Pick<TenantSeed, 'id'>,
  key: string,
  definition: Readonly<Record<string, unknown>>,
  category = 'SENSOR',
): Promise<SeededTemplate> {
  const { rows } = await admin.query<{ id: number }>(
    'insert into device_templates (tenant_id, key, name, category) values ($1, $2, $2, $3) returning id',
    [tenant.id, key, category],
  );
  const id = rows[0]?.id ?? 0;
  await admin.query(
    `insert into template_versions (template_id, version, tenant_id, definition, created_by) values ($1, 1, $2, $3, 'user:test')`,
    [id, tenant.id, JSON.stringify(parseTemplateDefinition(definition))],
  );
  return { id, version: 1 };
}

/** Makes devices what a template says. */
export async function setTemplate(
  admin: Pool,
  template: SeededTemplate,
  deviceIds: readonly number[],
  map: readonly { readonly raw: string; readonly metric: string; scale?: number; offset?: number }[] = [],
): Promise<void> {
  await admin.query(
    'update devices set template_id = $1, template_version = $2, metric_map = $3 where id = any($4::int[])',
    [
      template.id,
      template.version,
      JSON.stringify(map.map((mapping) => ({ scale: 1, offset: 0, ...mapping }))),
      [...deviceIds],
    ],
  );
}
