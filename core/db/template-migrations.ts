import { z } from 'zod';
import type { MigrationPlan } from '../fleet/template-migration.ts';
import { type BulkForecast, MAX_FAULTS, type TellOfChanges } from './bulk.ts';
import { DEVICES } from './device-filter.ts';
import { nameSensors, putSensors } from './device-sensors.ts';
import type { JobFault, JobHandler } from './jobs.ts';
import { type Sql, type SqlReader, sql } from './sql.ts';
import {
  type DeviceRow,
  type MigrationOrder,
  type PlannedDevice,
  planDevices,
  readDefinitions,
  readDevices,
} from './template-migration-plans.ts';

/** A device that has moved, as it is now. */
export interface MovedDevice {
  readonly id: number;
  readonly key: string;
  readonly siteId: number | null;
  readonly version: number;
  readonly updatedAt: Date;
}

/** What a job of the kind `templateMigrate` is given. */
const inputSchema = z.object({ templateId: z.number(), templateKey: z.string(), toVersion: z.number() });
export type MigrationInput = z.output<typeof inputSchema>;

/** Moves devices to a version of their template, each as it is or not at all. Those that have it already are left alone. */
export const templateMigrationHandler =
  (tell: TellOfChanges): JobHandler =>
  async (scope, input, deviceIds) => {
    const wanted = inputSchema.parse(input);
    const order = await orderOf(scope, scope.tenantId, wanted, deviceIds);
    if (!order) return { changed: 0, faults: deviceIds.map((deviceId) => versionIsGone(wanted, deviceId)) };
    const rows = await readDevices(scope, order, sql`for no key update`);
    const planned = await planDevices(scope, order, rows);
    const moves = planned.flatMap(({ plan, ...device }) => ('faults' in plan ? [] : [{ ...device, plan }]));
    const moved = await move(scope, order, moves);
    if (moved.length > 0) await scope.publish(tell(scope, moved, undefined));
    return { changed: moved.length, faults: faultsOf(wanted, order, rows, planned) };
  };

const versionIsGone = ({ templateKey, toVersion }: MigrationInput, deviceId: number): JobFault => ({
  ...{ deviceId, code: 'NOT_FOUND' },
  message: `there is no version ${toVersion} of the template ${templateKey} any more`,
});

async function orderOf(
  db: SqlReader,
  tenantId: number,
  { templateId, toVersion }: MigrationInput,
  deviceIds: readonly number[],
): Promise<MigrationOrder | undefined> {
  const definition = (await readDefinitions(db, tenantId, templateId, [toVersion])).get(toVersion);
  return definition && { tenantId, templateId, toVersion, definition, deviceIds };
}

/** By id of the device. */
function faultsOf(
  { templateKey }: MigrationInput,
  { templateId, deviceIds }: MigrationOrder,
  rows: readonly DeviceRow[],
  planned: readonly PlannedDevice[],
): JobFault[] {
  const there = new Map(rows.map((row) => [row.id, row]));
  const plans = new Map(planned.map(({ id, plan }) => [id, plan]));
  return deviceIds.flatMap((deviceId): JobFault[] => {
    const row = there.get(deviceId);
    if (!row) return [{ deviceId, code: 'NOT_FOUND', message: 'there is no such device' }];
    if (row.templateId !== templateId)
      return [
        { deviceId, code: 'CONFLICT', message: `the device is not made of the template ${templateKey}` },
      ];
    const plan = plans.get(deviceId);
    if (!plan || !('faults' in plan)) return [];
    return [{ deviceId, code: 'CONFLICT', message: plan.faults.map(({ message }) => message).join('; ') }];
  });
}

/** Devices that are planned at once. */
const FORECAST_BATCH = 1_000;

/** How a move of the devices that meet a condition, on DEVICES, would end now: only those with modules are looked at one by one. */
export async function forecastMigration(
  db: SqlReader,
  tenantId: number,
  input: unknown,
  condition: Sql,
): Promise<BulkForecast> {
  const wanted = inputSchema.parse(input);
  const { templateId, toVersion } = wanted;
  const isOther = sql`d.template_id is distinct from ${templateId}::int`;
  const [counts] = await db.rows<{ matched: number; same: number }>(sql`
    select count(*)::int as matched,
      (count(*) filter (where not (${isOther}) and d.template_version = ${toVersion}::int))::int as same
    from ${DEVICES} where ${condition}`);
  const { matched, same } = counts ?? { matched: 0, same: 0 };
  const suspects = await db.rows<{ id: number }>(sql`
    select d.id from ${DEVICES} where ${condition} and (${isOther} or d.template_version <> ${toVersion}::int and
      (d.status = 'DECOMMISSIONED' or exists (
        select from device_modules m where m.tenant_id = ${tenantId}::int and m.device_id = d.id and m.removed_at is null)))
    order by d.id`);
  const faults: JobFault[] = [];
  for (let at = 0; at < suspects.length; at += FORECAST_BATCH) {
    const ids = suspects.slice(at, at + FORECAST_BATCH).map(({ id }) => id);
    const order = await orderOf(db, tenantId, wanted, ids);
    if (!order) break;
    const rows = await readDevices(db, order, sql``);
    faults.push(...faultsOf(wanted, order, rows, await planDevices(db, order, rows)));
  }
  const failed = faults.length;
  return { matched, changed: matched - same - failed, failed, faults: faults.slice(0, MAX_FAULTS) };
}

interface Move {
  readonly id: number;
  readonly plan: MigrationPlan;
}

async function move(
  db: SqlReader,
  { tenantId, toVersion }: MigrationOrder,
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
  const rows = await db.rows<MovedDevice>(sql`
    update devices d set template_version = ${toVersion}::int, expected_interval_seconds = w.interval, version = d.version + 1,
      updated_at = now()
    from jsonb_to_recordset(${JSON.stringify(devices)}::jsonb) as w (id int, interval int)
    where d.tenant_id = ${tenantId}::int and d.id = w.id
    returning d.id, d.key, d.site_id as "siteId", d.version, d.updated_at as "updatedAt"`);
  return rows.sort((a, b) => a.id - b.id);
}

async function endSensors(db: SqlReader, tenantId: number, moves: readonly Move[]): Promise<void> {
  const ids = moves.flatMap(({ plan }) => plan.vanish.map(({ id }) => id));
  if (ids.length === 0) return;
  await db.rows(sql`
    update device_sensors set active = false, updated_at = now()
    where tenant_id = ${tenantId}::int and id = any(${ids}::int[])`);
}
