import {
  type MigratingDevice,
  type MigratingModule,
  type MigratingSensor,
  type MigrationFault,
  type MigrationPlan,
  planMigration,
} from '../fleet/template-migration.ts';
import type { TemplateDefinition } from '../fleet/templates.ts';
import { nameSensors, putSensors } from './device-sensors.ts';
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

/** A device that has moved, as it is now. */
export interface MovedDevice {
  readonly id: number;
  readonly key: string;
  readonly siteId: number | null;
  readonly version: number;
  readonly updatedAt: Date;
  readonly fromVersion: number;
}

/** A device that stays where it is. */
export interface StayingDevice {
  readonly id: number;
  readonly key: string;
  readonly faults: readonly (
    | MigrationFault
    | { readonly code: 'OTHER_TEMPLATE'; readonly message: string }
  )[];
}

export interface MigrationOutcome {
  readonly moved: readonly MovedDevice[];
  readonly staying: readonly StayingDevice[];
  /** How many have that version already. */
  readonly unchanged: number;
  /** Ids that are no device of the tenant. */
  readonly missing: readonly number[];
}

interface DeviceRow {
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

/**
 * Moves devices to another version of their template, each as it is or not at all. They are locked, in the order of their ids, until the
 * transaction ends.
 */
export async function migrateDevices(db: SqlReader, order: MigrationOrder): Promise<MigrationOutcome> {
  const { tenantId, templateId, toVersion } = order;
  const rows = await readDevices(db, order, sql`for update`);
  const others = rows.filter((row) => row.templateId !== templateId);
  const planned = await planDevices(db, order, rows);
  const moves = planned.flatMap(({ plan, ...device }) => ('faults' in plan ? [] : [{ ...device, plan }]));
  const moved = await move(db, tenantId, toVersion, moves);
  return {
    moved,
    staying: [
      ...others.map(({ id, key }): StayingDevice => {
        const message = 'the device is not made of the template';
        return { id, key, faults: [{ code: 'OTHER_TEMPLATE', message }] };
      }),
      ...planned.flatMap(({ id, key, plan }) => ('faults' in plan ? [{ id, key, faults: plan.faults }] : [])),
    ],
    unchanged: rows.length - others.length - planned.length,
    missing: order.deviceIds.filter((id) => !rows.some((row) => row.id === id)),
  };
}

/** What a move would do to these devices; those that are not made of the template, or have the version already, are left out. */
export async function previewDevices(db: SqlReader, order: MigrationOrder): Promise<PlannedDevice[]> {
  return planDevices(db, order, await readDevices(db, order, sql``));
}

function readDevices(db: SqlReader, order: MigrationOrder, lock: Sql): Promise<DeviceRow[]> {
  return db.rows<DeviceRow>(sql`
    select id, key, status::text as status, template_id as "templateId", template_version as "templateVersion",
      expected_interval_seconds as "expectedIntervalSeconds"
    from devices where tenant_id = ${order.tenantId}::int and id = any(${[...order.deviceIds]}::int[]) order by id ${lock}`);
}

async function planDevices(
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
  templateId: number,
  versions: readonly number[],
): Promise<ReadonlyMap<number, TemplateDefinition>> {
  const rows = await db.rows<{ version: number; definition: TemplateDefinition }>(sql`
    select version, definition from template_versions
    where template_id = ${templateId}::int and version = any(${[...new Set(versions)]}::int[])`);
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

interface Move {
  readonly id: number;
  readonly fromVersion: number;
  readonly plan: MigrationPlan;
}

async function move(
  db: SqlReader,
  tenantId: number,
  toVersion: number,
  moves: readonly Move[],
): Promise<MovedDevice[]> {
  if (moves.length === 0) return [];
  await endSensors(db, tenantId, moves);
  await nameSensors(
    db,
    tenantId,
    moves.flatMap(({ plan }) => plan.change.map(({ sensor, metric }) => ({ id: sensor.id, of: metric }))),
  );
  await putSensors(
    db,
    tenantId,
    moves.flatMap(({ id: deviceId, plan }) =>
      plan.appear.map((of) => ({ deviceId, moduleId: null, metric: of.key, of })),
    ),
  );
  const devices = moves.map(({ id, plan }) => ({ id, interval: plan.expectedIntervalSeconds }));
  const rows = await db.rows<Omit<MovedDevice, 'fromVersion'>>(sql`
    update devices d set template_version = ${toVersion}::int, expected_interval_seconds = w.interval, version = d.version + 1,
      updated_at = now()
    from jsonb_to_recordset(${JSON.stringify(devices)}::jsonb) as w (id int, interval int)
    where d.tenant_id = ${tenantId}::int and d.id = w.id
    returning d.id, d.key, d.site_id as "siteId", d.version, d.updated_at as "updatedAt"`);
  const from = new Map(moves.map(({ id, fromVersion }) => [id, fromVersion]));
  return rows.map((row) => ({ ...row, fromVersion: from.get(row.id) ?? 0 })).sort((a, b) => a.id - b.id);
}

async function endSensors(db: SqlReader, tenantId: number, moves: readonly Move[]): Promise<void> {
  const ids = moves.flatMap(({ plan }) => plan.vanish.map(({ id }) => id));
  if (ids.length === 0) return;
  await db.rows(sql`
    update device_sensors set active = false, updated_at = now()
    where tenant_id = ${tenantId}::int and id = any(${ids}::int[])`);
}
