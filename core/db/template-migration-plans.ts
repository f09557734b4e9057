import {
  type MigratingDevice,
  type MigratingModule,
  type MigratingSensor,
  type MigrationFault,
  type MigrationPlan,
  planMigration,
} from '../fleet/template-migration.ts';
import type { TemplateDefinition } from '../fleet/templates.ts';
import { type Sql, type SqlReader, sql } from './sql.ts';

/** Which devices are to move to which version. */
export interface MigrationOrder {
  readonly tenantId: number;
  readonly templateId: number;
  readonly toVersion: number;
  /** What that version says. */
  readonly definition: TemplateDefinition;
  readonly deviceIds: readonly number[];
}

/** A device as far as it is made of a template. */
export interface DeviceRow {
  id: number;
  key: string;
  status: string;
  templateId: number | null;
  templateVersion: number | null;
  expectedIntervalSeconds: number;
}

/** What is in the way of a move, and what it would do, for devices that are made of the template. */
export interface PlannedDevice {
  readonly id: number;
  readonly key: string;
  readonly fromVersion: number;
  readonly plan: MigrationPlan | { readonly faults: readonly MigrationFault[] };
}

/** What a move would do to these devices; those that are not made of the template, or have the version already, are left out. */
export async function previewDevices(db: SqlReader, order: MigrationOrder): Promise<PlannedDevice[]> {
  return planDevices(db, order, await readDevices(db, order, sql``));
}

export function readDevices(db: SqlReader, order: MigrationOrder, lock: Sql): Promise<DeviceRow[]> {
  return db.rows<DeviceRow>(sql`
    select id, key, status::text as status, template_id as "templateId", template_version as "templateVersion",
      expected_interval_seconds as "expectedIntervalSeconds"
    from devices where tenant_id = ${order.tenantId}::int and id = any(${[...order.deviceIds]}::int[]) order by id ${lock}`);
}

export async function planDevices(
  db: SqlReader,
  { tenantId, templateId, toVersion, definition }: MigrationOrder,
  rows: readonly DeviceRow[],
): Promise<PlannedDevice[]> {
  const candidates = rows.flatMap(({ templateVersion: fromVersion, ...row }) =>
    row.templateId === templateId && fromVersion !== null && fromVersion !== toVersion
      ? [{ ...row, fromVersion }]
      : [],
  );
  const ids = candidates.map(({ id }) => id);
  const definitions = await readDefinitions(
    db,
    tenantId,
    templateId,
    candidates.map(({ fromVersion }) => fromVersion),
  );
  const sensors = await readSensors(db, tenantId, ids);
  const modules = await readModules(db, tenantId, ids);
  return candidates.map(({ id, key, status, expectedIntervalSeconds, fromVersion }) => {
    const device: MigratingDevice = {
      ...{ decommissioned: status === 'DECOMMISSIONED', expectedIntervalSeconds },
      ...{ sensors: sensors.get(id) ?? [], modules: modules.get(id) ?? [] },
    };
    const from = definitions.get(fromVersion);
    if (!from) throw new Error(`version ${fromVersion} of template ${templateId} is not in the database`);
    return { id, key, fromVersion, plan: planMigration(device, from, definition) };
  });
}

/** What these versions say, as far as they are there. */
export async function readDefinitions(
  db: SqlReader,
  tenantId: number,
  templateId: number,
  versions: readonly number[],
): Promise<ReadonlyMap<number, TemplateDefinition>> {
  const rows = await db.rows<{ version: number; definition: TemplateDefinition }>(sql`
    select version, definition from template_versions
    where template_id = ${templateId}::int and (tenant_id is null or tenant_id = ${tenantId}::int)
      and version = any(${[...new Set(versions)]}::int[])`);
  return new Map(rows.map(({ version, definition }) => [version, definition]));
}

async function readSensors(db: SqlReader, tenantId: number, deviceIds: readonly number[]) {
  const rows = await db.rows<MigratingSensor & { deviceId: number }>(sql`
    select id, device_id as "deviceId", metric, source::text as source, active, type, unit, min, max from device_sensors
    where tenant_id = ${tenantId}::int and device_id = any(${[...deviceIds]}::int[]) order by device_id, metric`);
  return Map.groupBy(rows, ({ deviceId }) => deviceId);
}

async function readModules(db: SqlReader, tenantId: number, deviceIds: readonly number[]) {
  const rows = await db.rows<MigratingModule & { deviceId: number }>(sql`
    select m.device_id as "deviceId", m.name, m.slot, m.bus_address as "busAddress", t.key as "templateKey", t.category::text as category
    from device_modules m join device_templates t on t.id = m.template_id
    where m.tenant_id = ${tenantId}::int and m.device_id = any(${[...deviceIds]}::int[]) and m.removed_at is null
    order by m.device_id, m.id`);
  return Map.groupBy(rows, ({ deviceId }) => deviceId);
}
