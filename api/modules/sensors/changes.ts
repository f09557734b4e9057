import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { Device } from '#api/generated/prisma/client.ts';
import { changesBetween } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import {
  ConflictFault,
  type Issue,
  NotFoundFault,
  type UserError,
  ValidationFault,
} from '#api/graphql/errors.ts';
import { encodeGlobalId, readRowId } from '#api/graphql/global-ids.ts';
import { parseInput, text } from '#api/graphql/input.ts';
import { type JsonObject, runMutation } from '#api/graphql/mutations.ts';
import { sql } from '#core/db/sql.ts';
import { metricKeySchema } from '#core/fleet/template-definition.ts';
import { METRIC_TYPES } from '#core/fleet/templates.ts';
import { lockForChange, readClaims, readDefinition, touchDevice } from '../devices/service.ts';
import { SENSOR_COLUMNS, type SensorRow } from './store.ts';

type WithMutationId = { readonly clientMutationId?: string | null | undefined };
type WithVersion = WithMutationId & { readonly expectedVersion?: number | null | undefined };
type WithId = WithVersion & { readonly id: string };

const bound = z.number('must be a finite number');
const createSchema = z.object({
  metric: metricKeySchema,
  name: text(200).nullish(),
  type: z.enum(METRIC_TYPES).nullish(),
  unit: text(32).nullish(),
  min: bound.nullish(),
  max: bound.nullish(),
});

/** Absent means unchanged; null clears what may be empty. */
const updateSchema = z.object({
  name: text(200).optional(),
  type: z.enum(METRIC_TYPES).optional(),
  unit: text(32).nullish(),
  min: bound.nullish(),
  max: bound.nullish(),
  active: z.boolean().optional(),
});
type SensorChange = z.output<typeof updateSchema>;

const changedSchema = z.object({ sensorId: z.number(), deviceId: z.number() });
const deletedSchema = z.object({ id: z.string(), deviceId: z.number() });
export type SensorChanged = z.output<typeof changedSchema>;
export type SensorDeleted = z.output<typeof deletedSchema>;

/** A device has at most so many, however they came. */
const MAX_SENSORS = 1_000;

/** Says that something is measured at a device. A metric that the device's template names is as the template says. */
export function createSensor(
  operation: Operation,
  input: WithVersion & { readonly deviceId: string },
): Promise<SensorChanged | UserError> {
  return runMutation(operation, {
    name: 'sensorCreate',
    permission: 'devices.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const wanted = parseInput(createSchema, input);
      const device = await lockForChange(scope, input.deviceId, input.expectedVersion, 'deviceId');
      await assertRoom(scope, device, wanted.metric);
      const definition = await readDefinition(scope, device);
      const known = definition?.metrics.find(({ key }) => key === wanted.metric);
      const { metric, name = known?.name, type, unit, min, max } = wanted;
      const said = { type, unit, min, max };
      if (known) assertAsTemplate(said, known);
      const own = { type: type ?? 'FLOAT', unit: unit ?? null, min: min ?? null, max: max ?? null };
      const description = known ?? own;
      assertRange(description);
      const [sensor] = await scope.rows<SensorRow>(sql`
        insert into device_sensors (tenant_id, device_id, metric, template_metric, name, type, unit, min, max, source)
        values (${scope.tenantId}::int, ${device.id}::int, ${metric}, ${known?.key ?? null}::text, ${name ?? metric}, ${description.type},
          ${description.unit}::text, ${description.min}::float8, ${description.max}::float8,
          ${known ? 'TEMPLATE' : 'MANUAL'}::sensor_source)
        returning ${SENSOR_COLUMNS}`);
      if (!sensor) throw new Error('the sensor was not inserted');
      await touchDevice(scope, device.id);
      return {
        success: { sensorId: sensor.id, deviceId: device.id },
        audit: { target: targetOf(device, sensor), before: null, after: stateOf(sensor) },
      };
    },
  });
}

/** Changes what the input names. A discovered sensor that somebody describes counts as modelled from then on. */
export function updateSensor(operation: Operation, input: WithId): Promise<SensorChanged | UserError> {
  return runMutation(operation, {
    name: 'sensorUpdate',
    permission: 'devices.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const change = parseInput(updateSchema, input);
      const { device, sensor } = await lockSensor(scope, input);
      const { active, ...described } = change;
      if (sensor.templateMetric !== null) assertAsTemplate(described, sensor);
      if (active === false && sensor.active) await assertNotRequired(scope, device, sensor);
      if (active === true && !sensor.active) await assertAwake(scope, device, sensor);
      const next = { ...sensor, ...defined(change) };
      assertRange(next);
      const models =
        sensor.source === 'DISCOVERED' && Object.values(described).some((value) => value !== undefined);
      const [changed] = await scope.rows<SensorRow>(sql`
        update device_sensors set name = ${next.name}, type = ${next.type}, unit = ${next.unit}::text, min = ${next.min}::float8,
          max = ${next.max}::float8, active = ${next.active}, updated_at = now(),
          modelled_at = case when ${models}::boolean then coalesce(modelled_at, now()) else modelled_at end
        where id = ${sensor.id}::int returning ${SENSOR_COLUMNS}`);
      if (!changed) throw new Error('the sensor was not updated');
      await touchDevice(scope, device.id);
      return {
        success: { sensorId: sensor.id, deviceId: device.id },
        audit: { target: targetOf(device, sensor), ...changesBetween(stateOf(sensor), stateOf(changed)) },
      };
    },
  });
}

/** Forgets a sensor that somebody made or that was found; its readings stay. One that is found again is new. */
export function deleteSensor(operation: Operation, input: WithId): Promise<SensorDeleted | UserError> {
  return runMutation(operation, {
    name: 'sensorDelete',
    permission: 'devices.write',
    input,
    read: (remembered) => deletedSchema.parse(remembered),
    async run(scope) {
      const { device, sensor } = await lockSensor(scope, input);
      if (sensor.source === 'TEMPLATE' || sensor.source === 'MODULE') {
        const message = `a ${sensor.source === 'MODULE' ? 'module' : 'template'} brought the sensor: deactivate it`;
        throw new ConflictFault(message, ['input', 'id'], device.version);
      }
      await scope.rows(sql`delete from device_sensors where id = ${sensor.id}::int`);
      await touchDevice(scope, device.id);
      return {
        success: { id: input.id, deviceId: device.id },
        audit: { target: targetOf(device, sensor), before: stateOf(sensor), after: null },
      };
    },
  });
}

interface Locked {
  readonly device: Device;
  readonly sensor: SensorRow;
}

/** The sensor, and its device, which nobody else changes until the transaction ends. */
async function lockSensor(scope: WriteScope, input: WithId): Promise<Locked> {
  const id = readRowId(input.id, 'DeviceSensor') ?? 0;
  const find = () =>
    scope.rows<SensorRow>(sql`select ${SENSOR_COLUMNS} from device_sensors where id = ${id}::int`);
  const [found] = await find();
  if (!found) throw noSuchSensor();
  const deviceId = encodeGlobalId('Device', found.deviceId);
  const device = await lockForChange(scope, deviceId, input.expectedVersion);
  const [sensor] = await find();
  if (!sensor) throw noSuchSensor();
  return { device, sensor };
}

const noSuchSensor = () => new NotFoundFault('there is no such sensor', ['input', 'id']);

/** @throws ConflictFault when the device measures that already, or has as many sensors as one may have */
async function assertRoom(scope: WriteScope, device: Device, metric: string): Promise<void> {
  const [found] = await scope.rows<{ count: number; taken: boolean }>(sql`
    select count(*)::int as count, coalesce(bool_or(metric = ${metric}), false) as taken
    from device_sensors where device_id = ${device.id}::int`);
  if (found?.taken)
    throw new ConflictFault(
      `the device has a sensor for ${metric} already`,
      ['input', 'metric'],
      device.version,
    );
  if (found && found.count >= MAX_SENSORS)
    throw new ConflictFault(`a device has at most ${MAX_SENSORS} sensors`, ['input'], device.version);
}

/** What a template says of a metric is not for a device to change. @throws ValidationFault with every field that differs */
function assertAsTemplate(
  said: object,
  template: { readonly [part in 'type' | 'unit' | 'min' | 'max']: unknown },
): void {
  const given = new Map<string, unknown>(Object.entries(said));
  const issues = (['type', 'unit', 'min', 'max'] as const).flatMap((part): Issue[] => {
    const value = given.get(part);
    if (value === undefined || value === template[part]) return [];
    return [{ path: ['input', part], message: 'is what the template says' }];
  });
  if (issues.length > 0) throw new ValidationFault(issues);
}

function assertRange({ type, min, max }: { type: string; min: number | null; max: number | null }): void {
  const isNumber = type === 'FLOAT' || type === 'INTEGER';
  const issues: Issue[] = [];
  if (!isNumber && min !== null)
    issues.push({ path: ['input', 'min'], message: 'goes with FLOAT and INTEGER only' });
  if (!isNumber && max !== null)
    issues.push({ path: ['input', 'max'], message: 'goes with FLOAT and INTEGER only' });
  if (min !== null && max !== null && min > max)
    issues.push({ path: ['input', 'max'], message: 'must not be less than min' });
  if (issues.length > 0) throw new ValidationFault(issues);
}

/** @throws ConflictFault for a sensor without which its device is not well */
async function assertNotRequired(scope: WriteScope, device: Device, sensor: SensorRow): Promise<void> {
  if (sensor.templateMetric === null) return;
  const [module] = await scope.rows<{ templateId: number; templateVersion: number }>(sql`
    select template_id as "templateId", template_version as "templateVersion" from device_modules
    where id = ${sensor.moduleId}::int and removed_at is null`);
  if (sensor.moduleId !== null && !module) return;
  const definition = await readDefinition(scope, module ?? device);
  const metric = definition?.metrics.find(({ key }) => key === sensor.templateMetric);
  if (metric?.required)
    throw new ConflictFault(
      `${sensor.metric} is required by the template`,
      ['input', 'active'],
      device.version,
    );
}

/** A sensor does not come back when what brought it is gone. @throws ConflictFault */
async function assertAwake(scope: WriteScope, device: Device, sensor: SensorRow): Promise<void> {
  const refuse = (message: string) => new ConflictFault(message, ['input', 'active'], device.version);
  if (sensor.source === 'TEMPLATE') {
    const definition = await readDefinition(scope, device);
    if (!definition?.metrics.some(({ key }) => key === sensor.templateMetric))
      throw refuse('the template of the device does not name the metric any more');
  }
  const claims = await readClaims(scope, device.id);
  const claim = claims.find(({ metric }) => metric === sensor.metric);
  if (sensor.source === 'MODULE' && claim?.moduleId !== sensor.moduleId)
    throw refuse('its module is removed, or calls the metric otherwise now');
  if (sensor.source !== 'MODULE' && claim)
    throw refuse(`the module ${claim.module} measures ${claim.metric}`);
}

const defined = (change: SensorChange): Partial<SensorRow> =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));

const targetOf = (device: Device, sensor: SensorRow) => ({
  ...{ type: 'DeviceSensor', id: sensor.id },
  label: `${device.key}/${sensor.metric}`,
});

function stateOf({ metric, name, type, unit, min, max, source, active }: SensorRow): JsonObject {
  return { metric, name, type, unit, min, max, source, active };
}
