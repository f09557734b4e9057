import type { TemplateMetric } from '../fleet/templates.ts';
import { type SqlReader, sql } from './sql.ts';

/** A sensor that a template asks for. */
export interface WantedSensor {
  readonly deviceId: number;
  /** Null: the device's own template asks for it. */
  readonly moduleId: number | null;
  /** What its metric is stored as. */
  readonly metric: string;
  readonly of: TemplateMetric;
}

/**
 * Makes these sensors, active. Where the device has one of that metric already, whoever brought it, that one becomes this: its
 * description is the template's from then on.
 */
export async function putSensors(
  db: SqlReader,
  tenantId: number,
  sensors: readonly WantedSensor[],
): Promise<void> {
  if (sensors.length === 0) return;
  const rows = sensors.map(({ deviceId, moduleId, metric, of }) => {
    const { key, name, type, unit, min, max } = of;
    return { deviceId, moduleId, metric, key, name, type, unit, min, max };
  });
  await db.rows(sql`
    insert into device_sensors (tenant_id, device_id, module_id, metric, template_metric, name, type, unit, min, max, source)
    select ${tenantId}::int, "deviceId", "moduleId", metric, key, name, type, unit, min, max,
      case when "moduleId" is null then 'TEMPLATE' else 'MODULE' end::sensor_source
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as w ("deviceId" int, "moduleId" int, metric text, key text, name text, type text, unit text, min float8, max float8)
    on conflict (device_id, metric) do update set module_id = excluded.module_id, template_metric = excluded.template_metric,
      name = excluded.name, type = excluded.type, unit = excluded.unit, min = excluded.min, max = excluded.max,
      source = excluded.source, active = true, updated_at = now()`);
}

/** A sensor that is there, and what a template says of its metric. */
export interface NamedSensor {
  readonly id: number;
  readonly of: TemplateMetric;
}

/** Makes sensors what the template of their device says. They keep the names that people gave them. */
export async function nameSensors(
  db: SqlReader,
  tenantId: number,
  sensors: readonly NamedSensor[],
): Promise<void> {
  if (sensors.length === 0) return;
  const rows = sensors.map(({ id, of: { key, name, type, unit, min, max } }) => {
    return { id, key, name, type, unit, min, max };
  });
  await db.rows(sql`
    update device_sensors s set source = 'TEMPLATE', template_metric = w.key, type = w.type, unit = w.unit, min = w.min, max = w.max,
      name = case when s.name = s.metric then w.name else s.name end, updated_at = now()
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as w (id int, key text, name text, type text, unit text, min float8, max float8)
    where s.tenant_id = ${tenantId}::int and s.id = w.id`);
}

/** Ends what modules measured that are not there any more: their sensors stay, inactive. */
export async function endModuleSensors(
  db: SqlReader,
  tenantId: number,
  moduleIds: readonly number[],
): Promise<void> {
  await db.rows(sql`
    update device_sensors set active = false, updated_at = now()
    where tenant_id = ${tenantId}::int and module_id = any(${moduleIds}::int[]) and active`);
}
