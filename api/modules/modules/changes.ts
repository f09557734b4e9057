import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { Device } from '#api/generated/prisma/client.ts';
import { changesBetween } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { encodeGlobalId, readRowId } from '#api/graphql/global-ids.ts';
import { parseInput, text } from '#api/graphql/input.ts';
import { type JsonObject, runMutation } from '#api/graphql/mutations.ts';
import { endModuleSensors, putSensors } from '#core/db/device-sensors.ts';
import { sql } from '#core/db/sql.ts';
import type { MetricMapping, TemplateDefinition } from '#core/fleet/templates.ts';
import { findTemplate, lockForChange, mapToJson, readDefinition, touchDevice } from '../devices/service.ts';
import { claimMetrics, type ModuleMetric, moduleMapSchema, nameMetrics } from './metrics.ts';
import { assertFits } from './seats.ts';
import { MODULE_COLUMNS, type ModuleRow } from './store.ts';

type WithMutationId = { readonly clientMutationId?: string | null | undefined };
type WithVersion = WithMutationId & { readonly expectedVersion?: number | null | undefined };

const installSchema = z.object({
  slot: text(64),
  templateKey: text(63),
  name: text(200).nullish(),
  serialNumber: text(128).nullish(),
  busAddress: text(64).nullish(),
  metricMap: moduleMapSchema.nullish(),
});

/** Absent means unchanged; null clears what may be empty. */
const updateSchema = z.object({
  name: text(200).optional(),
  serialNumber: text(128).nullish(),
  busAddress: text(64).nullish(),
  metricMap: moduleMapSchema.optional(),
});

const changedSchema = z.object({ moduleId: z.number(), deviceId: z.number() });
export type ModuleChanged = z.output<typeof changedSchema>;

/** Puts a module into a slot of a device: its metrics become sensors under the names that its map gives them. */
export function installModule(
  operation: Operation,
  input: WithVersion & { readonly deviceId: string },
): Promise<ModuleChanged | UserError> {
  return runMutation(operation, {
    name: 'moduleInstall',
    permission: 'devices.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const wanted = parseInput(installSchema, input);
      const device = await lockForChange(scope, input.deviceId, input.expectedVersion, 'deviceId');
      const definition = await requireDefinition(scope, device);
      const template = await findTemplate(scope, wanted.templateKey);
      const { slot, busAddress = null, metricMap, serialNumber = null } = wanted;
      const { key: templateKey, category } = template;
      await assertFits(scope, device, definition, { slot, templateKey, category, busAddress });
      const named = nameMetrics(template.definition, metricMap ?? []);
      const metrics = await claimMetrics(scope, device, definition, named);
      const [module] = await scope.rows<ModuleRow>(sql`
        insert into device_modules (tenant_id, device_id, slot, name, template_id, template_version, serial_number, bus_address, metric_map)
        values (${scope.tenantId}::int, ${device.id}::int, ${slot}, ${wanted.name ?? template.name}, ${template.id}::int,
          ${template.version}::int, ${serialNumber}::text, ${busAddress}::text, ${toText(metricMap ?? [])}::jsonb)
        returning ${MODULE_COLUMNS}`);
      if (!module) throw new Error('the module was not inserted');
      await putModuleSensors(scope, module, metrics);
      await touchDevice(scope, device.id);
      return {
        success: { moduleId: module.id, deviceId: device.id },
        audit: {
          target: targetOf(device, module),
          before: null,
          after: { ...stateOf(module), template: templateKey, templateVersion: template.version },
        },
      };
    },
  });
}

/** Changes what the input names. A metric that gets another name goes on as another sensor; the one before it stays, inactive. */
export function updateModule(
  operation: Operation,
  input: WithVersion & { readonly id: string },
): Promise<ModuleChanged | UserError> {
  return runMutation(operation, {
    name: 'moduleUpdate',
    permission: 'devices.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const change = parseInput(updateSchema, input);
      const { device, module } = await lockModule(scope, input);
      const definition = await requireDefinition(scope, device);
      const {
        name = module.name,
        serialNumber = module.serialNumber,
        busAddress = module.busAddress,
      } = change;
      if (busAddress !== module.busAddress)
        await assertFits(
          scope,
          device,
          definition,
          await seatOf(scope, { ...module, busAddress }),
          module.id,
        );
      if (change.metricMap) {
        const own = await requireDefinition(scope, module);
        const named = nameMetrics(own, change.metricMap);
        await renameSensors(scope, module, await claimMetrics(scope, device, definition, named, module.id));
      }
      const map = change.metricMap ? toText(change.metricMap) : JSON.stringify(module.metricMap);
      const [changed] = await scope.rows<ModuleRow>(sql`
        update device_modules set name = ${name}, serial_number = ${serialNumber}::text, bus_address = ${busAddress}::text,
          metric_map = ${map}::jsonb
        where id = ${module.id}::int returning ${MODULE_COLUMNS}`);
      if (!changed) throw new Error('the module was not updated');
      await touchDevice(scope, device.id);
      return {
        success: { moduleId: module.id, deviceId: device.id },
        audit: { target: targetOf(device, module), ...changesBetween(stateOf(module), stateOf(changed)) },
      };
    },
  });
}

/** Takes a module out of its slot. It and its sensors stay as history, inactive. */
export function removeModule(
  operation: Operation,
  input: WithVersion & { readonly id: string },
): Promise<ModuleChanged | UserError> {
  return runMutation(operation, {
    name: 'moduleRemove',
    permission: 'devices.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const { device, module } = await lockModule(scope, input);
      const removedAt = new Date();
      await scope.rows(sql`update device_modules set removed_at = ${removedAt} where id = ${module.id}::int`);
      await endModuleSensors(scope, scope.tenantId, [module.id]);
      await touchDevice(scope, device.id);
      return {
        success: { moduleId: module.id, deviceId: device.id },
        audit: {
          target: targetOf(device, module),
          before: { ...stateOf(module), removedAt: null },
          after: { removedAt: removedAt.toISOString() },
        },
      };
    },
  });
}

interface Locked {
  readonly device: Device;
  readonly module: ModuleRow;
}

/** The module, and its device, which nobody else changes until the transaction ends. */
async function lockModule(scope: WriteScope, input: WithVersion & { readonly id: string }): Promise<Locked> {
  const id = readRowId(input.id, 'DeviceModule') ?? 0;
  const find = () =>
    scope.rows<ModuleRow>(sql`select ${MODULE_COLUMNS} from device_modules where id = ${id}::int`);
  const [found] = await find();
  if (!found) throw new NotFoundFault('there is no such module', ['input', 'id']);
  const deviceId = encodeGlobalId('Device', found.deviceId);
  const device = await lockForChange(scope, deviceId, input.expectedVersion);
  const [module = found] = await find();
  if (module.removedAt === null) return { device, module };
  throw new ConflictFault('the module was removed', ['input', 'id'], device.version);
}

async function requireDefinition(
  scope: WriteScope,
  of: Pick<ModuleRow, 'templateId' | 'templateVersion'> | Device,
): Promise<TemplateDefinition> {
  const definition = await readDefinition(scope, of);
  if (definition) return definition;
  throw new ConflictFault('the device has no template, and so no slots', ['input', 'deviceId'], null);
}

async function seatOf(scope: WriteScope, { slot, busAddress, templateId }: ModuleRow) {
  const [template] = await scope.rows<{ key: string; category: 'SENSOR' | 'EXPANSION_MODULE' }>(
    sql`select key, category::text as category from device_templates where id = ${templateId}::int`,
  );
  if (!template) throw new Error(`the template ${templateId} of a module is not in the database`);
  return { slot, busAddress, templateKey: template.key, category: template.category };
}

const putModuleSensors = (scope: WriteScope, module: ModuleRow, metrics: readonly ModuleMetric[]) =>
  putSensors(
    scope,
    scope.tenantId,
    metrics.map(({ metric, of }) => ({ deviceId: module.deviceId, moduleId: module.id, metric, of })),
  );

/** Sensors whose metric keeps its name stay as they are. One whose metric has another name now is nobody's, and its readings stay. */
async function renameSensors(
  scope: WriteScope,
  module: ModuleRow,
  metrics: readonly ModuleMetric[],
): Promise<void> {
  const before = await scope.rows<{ metric: string; templateMetric: string }>(sql`
    select metric, template_metric as "templateMetric" from device_sensors
    where module_id = ${module.id}::int and template_metric is not null`);
  const same = (one: { metric: string; templateMetric: string }, { of, metric }: ModuleMetric) =>
    one.metric === metric && one.templateMetric === of.key;
  const gone = before.filter((one) => !metrics.some((metric) => same(one, metric)));
  await scope.rows(sql`
    update device_sensors set active = false, template_metric = null, updated_at = now()
    where module_id = ${module.id}::int and metric = any(${gone.map(({ metric }) => metric)}::text[])`);
  await putModuleSensors(
    scope,
    module,
    metrics.filter((metric) => !before.some((one) => same(one, metric))),
  );
}

const toText = (map: readonly MetricMapping[]): string => JSON.stringify(mapToJson(map));

const targetOf = (device: Device, module: ModuleRow) => ({
  ...{ type: 'DeviceModule', id: module.id },
  label: `${device.key}/${module.slot}`,
});

function stateOf({ slot, name, serialNumber, busAddress, metricMap }: ModuleRow): JsonObject {
  return { slot, name, serialNumber, busAddress, metricMap: z.json().parse(metricMap) };
}
