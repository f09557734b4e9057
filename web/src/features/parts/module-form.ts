import type {
  ModuleInstallInput,
  ModuleMetricMappingInput,
  ModuleUpdateInput,
} from '../../generated/graphql.ts';
import type { MappingValues } from './metric-map-form.ts';
import type { DeviceParts, Module, Slot, TemplateChoice } from './parts-documents.ts';

/** What becomes of one metric of a module: text, as typed. */
export type ModuleMetricValues = MappingValues & { readonly templateMetric: string; readonly label: string };

/** A module as its form holds it: text, as typed. */
export type ModuleValues = {
  readonly templateKey: string;
  readonly name: string;
  readonly serialNumber: string;
  readonly busAddress: string;
  readonly metricMap: ModuleMetricValues[];
};

export const moduleFields = ['templateKey', 'name', 'serialNumber', 'busAddress'] as const;

/** The templates whose modules go into a slot: those it names, or else whatever can be in a slot at all. */
export function choicesFor(slot: Slot, templates: readonly TemplateChoice[]): readonly TemplateChoice[] {
  return templates.filter(({ key, category }) =>
    slot.compatibleTemplates.length > 0
      ? slot.compatibleTemplates.includes(key)
      : category === 'EXPANSION_MODULE' || category === 'SENSOR',
  );
}

/** A module's metrics as they are before anybody says more: by the names that its template has. */
export const plainMetrics = (template: TemplateChoice | undefined): ModuleMetricValues[] =>
  (template?.metrics ?? []).map(({ key, name }) => ({
    ...{ templateMetric: key, label: name, raw: key, metric: key },
    ...{ scale: '1', offset: '0' },
  }));

/** An installed module's metrics as its map and its sensors say. */
export function metricsOf(module: Module, device: DeviceParts): ModuleMetricValues[] {
  return device.sensors.flatMap((sensor): ModuleMetricValues[] => {
    if (sensor.module?.id !== module.id || sensor.templateMetric === null) return [];
    const mapping = module.metricMap.find(({ metric }) => metric === sensor.metric);
    return [
      {
        ...{ templateMetric: sensor.templateMetric, label: sensor.name, metric: sensor.metric },
        raw: mapping?.raw ?? sensor.templateMetric,
        ...{ scale: String(mapping?.scale ?? 1), offset: String(mapping?.offset ?? 0) },
      },
    ];
  });
}

export const emptyModule: ModuleValues = {
  ...{ templateKey: '', name: '', serialNumber: '', busAddress: '' },
  metricMap: [],
};

export const toModuleValues = (module: Module, device: DeviceParts): ModuleValues => ({
  ...{ templateKey: '', name: module.name },
  serialNumber: module.serialNumber ?? '',
  busAddress: module.busAddress ?? '',
  metricMap: metricsOf(module, device),
});

/** Only the metrics that do not keep the name and the value that the module sends. */
function toMap(rows: readonly ModuleMetricValues[]): ModuleMetricMappingInput[] {
  return rows
    .map(({ templateMetric, raw, metric, scale, offset }) => ({
      templateMetric,
      raw: raw.trim() || templateMetric,
      metric: metric.trim() || templateMetric,
      scale: scale.trim() === '' ? 1 : Number(scale),
      offset: offset.trim() === '' ? 0 : Number(offset),
    }))
    .filter(
      ({ templateMetric, raw, metric, scale, offset }) =>
        raw !== templateMetric || metric !== templateMetric || scale !== 1 || offset !== 0,
    );
}

const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());

export const toModuleInstall = (
  values: ModuleValues,
  device: DeviceParts,
  slot: Slot,
): ModuleInstallInput => ({
  ...{ deviceId: device.id, expectedVersion: device.version, slot: slot.key },
  ...{ templateKey: values.templateKey, serialNumber: orNull(values.serialNumber) },
  busAddress: orNull(values.busAddress),
  ...(values.name.trim() !== '' && { name: values.name.trim() }),
  metricMap: toMap(values.metricMap),
});

export const toModuleUpdate = (
  values: ModuleValues,
  device: DeviceParts,
  module: Module,
): ModuleUpdateInput => ({
  ...{ id: module.id, expectedVersion: device.version },
  ...(values.name.trim() !== '' && { name: values.name.trim() }),
  ...{ serialNumber: orNull(values.serialNumber), busAddress: orNull(values.busAddress) },
  metricMap: toMap(values.metricMap),
});

/** Names of metrics that the API says are taken: which row of the form an entry of the map that was sent is. */
export function rowOfEntry(rows: readonly ModuleMetricValues[], entry: number): number {
  const sent = toMap(rows)[entry];
  return rows.findIndex(({ templateMetric }) => templateMetric === sent?.templateMetric);
}
