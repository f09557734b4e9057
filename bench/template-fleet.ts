import type { Pool } from 'pg';
import { parseTemplateDefinition } from '#core/fleet/template-definition.ts';

/** What the devices of a load send, under other names and in other units. */
const MAP = [
  { raw: 'voltage_dc', metric: 'line_voltage', scale: 0.1, offset: 0 },
  { raw: 'current_dc', metric: 'line_current', scale: 0.01, offset: 0 },
  { raw: 'temperature', metric: 'cabinet_temperature', scale: 1, offset: -0.5 },
  { raw: 'door', metric: 'door_open', scale: 1, offset: 0 },
];
const NUMBERS = [
  { key: 'line_voltage', name: 'Line voltage', type: 'FLOAT', unit: 'V', min: 0, max: 1_000, required: true },
  { key: 'line_current', name: 'Line current', type: 'FLOAT', unit: 'A', min: -100, max: 100 },
  { key: 'cabinet_temperature', name: 'Temperature', type: 'FLOAT', unit: 'Cel', min: -40, max: 125 },
];
const DEFINITION = parseTemplateDefinition({
  metrics: [...NUMBERS, { key: 'door_open', name: 'Door', type: 'BOOLEAN' }],
  unknownMetrics: 'FLAG',
  invalidValues: 'QUARANTINE',
  discoverSensors: true,
});

/** Gives every device of a tenant a template, a map, and a sensor of each metric it sends, one of which no template knows. */
export async function giveTemplates(database: Pool, tenantId: number): Promise<void> {
  await database.query(
    `with template as (
       insert into device_templates (tenant_id, key, name, category) values ($1::int, 'bench', 'Bench', 'SENSOR') returning id
     ), version as (
       insert into template_versions (template_id, version, tenant_id, definition, created_by)
       select id, 1, $1::int, $2::jsonb, 'user:bench' from template returning template_id
     )
     update devices set template_id = version.template_id, template_version = 1, metric_map = $3::jsonb
     from version where tenant_id = $1`,
    [tenantId, JSON.stringify(DEFINITION), JSON.stringify(MAP)],
  );
  await database.query(
    `insert into device_sensors (tenant_id, device_id, metric, template_metric, name, type, min, max, source)
     select d.tenant_id, d.id, m.key, m.key, m.key, m.type, m.min, m.max, 'TEMPLATE'::sensor_source
     from devices d cross join jsonb_to_recordset($2::jsonb) as m (key text, type text, min float8, max float8) where d.tenant_id = $1
     union all
     select d.tenant_id, d.id, 'battery', null, 'Battery', 'FLOAT', 0, 100, 'MANUAL' from devices d where d.tenant_id = $1`,
    [tenantId, JSON.stringify(DEFINITION.metrics)],
  );
}

/** @throws Error when readings of these tenants were stored as they were sent */
export async function assertMeasured(
  database: Pool,
  tenants: readonly { readonly slug: string }[],
  since: Date,
): Promise<void> {
  const { rows } = await database.query<{ stored: number; measured: number }>(
    `select count(*)::int as stored, count(*) filter (where r.metrics ?& $3 and not r.metrics ?| $4)::int as measured
     from readings r join tenants t on t.id = r.tenant_id where t.slug = any($1) and r.ts >= $2`,
    [
      tenants.map(({ slug }) => slug),
      since,
      [...MAP.map(({ metric }) => metric), 'battery'],
      MAP.map(({ raw }) => raw),
    ],
  );
  const [{ stored, measured } = { stored: 0, measured: 0 }] = rows;
  if (stored === 0 || measured < stored)
    throw new Error(`${measured} of ${stored} readings went by their map`);
}
