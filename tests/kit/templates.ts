import type { Pool } from 'pg';
import { parseTemplateDefinition } from '#core/fleet/template-definition.ts';
import type { TemplateMetric } from '#core/fleet/templates.ts';
import type { TenantSeed } from './seed.ts';

export interface SeededTemplate {
  readonly id: number;
  readonly version: number;
}

/** A number between 0 and 100 that is not required, where `over` says nothing else. */
export const metricOf = (key: string, over: Partial<TemplateMetric> = {}): TemplateMetric => ({
  ...{ key, name: key, type: 'FLOAT', unit: null, min: 0, max: 100, precision: null, required: false },
  values: [],
  ...over,
});

/** A template of a tenant, or the next version of the one with that key; what the definition leaves out takes its default. */
export async function seedTemplate(
  admin: Pool,
  tenant: Pick<TenantSeed, 'id'>,
  key: string,
  definition: Readonly<Record<string, unknown>>,
  category = 'SENSOR',
): Promise<SeededTemplate> {
  const { rows } = await admin.query<SeededTemplate>(
    `insert into device_templates as t (tenant_id, key, name, category) values ($1, $2, $2, $3)
     on conflict (coalesce(tenant_id, 0), key) do update set version = t.version + 1 returning id, version`,
    [tenant.id, key, category],
  );
  const [template] = rows;
  if (!template) throw new Error('the template was not made');
  await admin.query(
    `insert into template_versions (template_id, version, tenant_id, definition, created_by) values ($1, $2, $3, $4, 'user:test')`,
    [template.id, template.version, tenant.id, JSON.stringify(parseTemplateDefinition(definition))],
  );
  return template;
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
