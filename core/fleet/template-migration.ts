import { findSlotFault, type SeatedModule, type SlotFaultCode } from './slots.ts';
import type { SensorSource, TemplateDefinition, TemplateMetric } from './templates.ts';

export interface MigratingSensor {
  readonly id: number;
  readonly metric: string;
  readonly source: SensorSource;
  readonly active: boolean;
  readonly type: string;
  readonly unit: string | null;
  readonly min: number | null;
  readonly max: number | null;
}

export interface MigratingModule extends SeatedModule {
  readonly name: string;
}

/** A device as far as its move to another version of its template goes. */
export interface MigratingDevice {
  readonly decommissioned: boolean;
  readonly expectedIntervalSeconds: number;
  readonly sensors: readonly MigratingSensor[];
  /** Those that are installed now. */
  readonly modules: readonly MigratingModule[];
}

/** Why a device stays where it is. */
export interface MigrationFault {
  readonly code: SlotFaultCode | 'DECOMMISSIONED' | 'METRIC_TAKEN';
  readonly message: string;
}

/** What a move does to one device. */
export interface MigrationPlan {
  /** Required metrics for which it has no active sensor. */
  readonly appear: readonly TemplateMetric[];
  /** Sensors whose metric the template does not name any more: they are deactivated. */
  readonly vanish: readonly MigratingSensor[];
  /** Sensors, whoever brought them, of whose metrics the template says something else now: they take that on. */
  readonly change: readonly { readonly sensor: MigratingSensor; readonly metric: TemplateMetric }[];
  readonly expectedIntervalSeconds: number;
}

/** The platform's interval, in seconds, where nobody says another. */
export const DEFAULT_INTERVAL_SECONDS = 60;

const intervalOf = (definition: TemplateDefinition): number =>
  definition.expectedIntervalSeconds ?? DEFAULT_INTERVAL_SECONDS;

/**
 * What becomes of a device that moves from one version of its template to another, or everything that keeps it from moving.
 * An interval that is that of the old version becomes that of the new one; one of the device's own stays.
 */
export function planMigration(
  device: MigratingDevice,
  from: TemplateDefinition,
  to: TemplateDefinition,
): MigrationPlan | { readonly faults: readonly MigrationFault[] } {
  const faults = findFaults(device, to);
  if (faults.length > 0) return { faults };
  const { expectedIntervalSeconds: own } = device;
  const named = new Map(to.metrics.map((metric) => [metric.key, metric]));
  const active = device.sensors.filter((sensor) => sensor.active);
  const measured = new Set(active.map(({ metric }) => metric));
  return {
    appear: to.metrics.filter(({ key, required }) => required && !measured.has(key)),
    vanish: active.filter(({ source, metric }) => source === 'TEMPLATE' && !named.has(metric)),
    change: active.flatMap((sensor) => {
      const metric = named.get(sensor.metric);
      return metric && differs(sensor, metric) ? [{ sensor, metric }] : [];
    }),
    expectedIntervalSeconds: own === intervalOf(from) ? intervalOf(to) : own,
  };
}

function findFaults({ decommissioned, modules, sensors }: MigratingDevice, to: TemplateDefinition) {
  const faults: MigrationFault[] = [];
  if (decommissioned) faults.push({ code: 'DECOMMISSIONED', message: 'the device is decommissioned' });
  for (const [index, module] of modules.entries()) {
    const fault = findSlotFault(to.slots, module, modules.slice(0, index));
    if (fault) faults.push({ code: fault.code, message: `module ${module.name}: ${fault.message}` });
  }
  const wanted = new Set(to.metrics.map(({ key }) => key));
  for (const { metric, source, active } of sensors) {
    if (source !== 'MODULE' || !active || !wanted.has(metric)) continue;
    faults.push({ code: 'METRIC_TAKEN', message: `a module of the device measures ${metric} already` });
  }
  return faults;
}

const differs = (sensor: MigratingSensor, metric: TemplateMetric): boolean =>
  sensor.source !== 'TEMPLATE' ||
  sensor.type !== metric.type ||
  sensor.unit !== metric.unit ||
  sensor.min !== metric.min ||
  sensor.max !== metric.max;

/** What two versions of a template differ in for whoever moves between them, whatever device it is. Keys, in the order of their version. */
export interface VersionChange {
  /** Required metrics of the new version that the old one did not require. */
  readonly sensorsAppear: readonly string[];
  /** Metrics of the old version that the new one does not name. */
  readonly sensorsVanish: readonly string[];
  readonly commandsAppear: readonly string[];
  readonly commandsVanish: readonly string[];
  readonly slotsAppear: readonly string[];
  readonly slotsVanish: readonly string[];
  /** In seconds. */
  readonly intervalBefore: number;
  readonly intervalAfter: number;
}

export function compareVersions(from: TemplateDefinition, to: TemplateDefinition): VersionChange {
  const keys = (items: readonly { readonly key: string }[]) => items.map(({ key }) => key);
  const required = (definition: TemplateDefinition) =>
    keys(definition.metrics.filter((metric) => metric.required));
  return {
    sensorsAppear: without(required(to), required(from)),
    sensorsVanish: without(keys(from.metrics), keys(to.metrics)),
    commandsAppear: without(keys(to.commands), keys(from.commands)),
    commandsVanish: without(keys(from.commands), keys(to.commands)),
    slotsAppear: without(keys(to.slots), keys(from.slots)),
    slotsVanish: without(keys(from.slots), keys(to.slots)),
    intervalBefore: intervalOf(from),
    intervalAfter: intervalOf(to),
  };
}

const without = (some: readonly string[], others: readonly string[]): string[] =>
  some.filter((one) => !others.includes(one));
