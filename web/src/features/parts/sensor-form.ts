import type { MetricType, SensorCreateInput, SensorUpdateInput } from '../../generated/graphql.ts';
import type { Sensor } from './parts-documents.ts';

/** A sensor as its form holds it: text, as typed. */
export type SensorValues = {
  readonly metric: string;
  readonly name: string;
  readonly type: MetricType;
  readonly unit: string;
  readonly min: string;
  readonly max: string;
  readonly active: boolean;
};

export const sensorFields = ['metric', 'name', 'type', 'unit', 'min', 'max', 'active'] as const;

/** @param sensor undefined for a new one */
export function toSensorValues(sensor: Sensor | undefined): SensorValues {
  return {
    metric: sensor?.metric ?? '',
    name: sensor?.name ?? '',
    type: sensor?.type ?? 'FLOAT',
    unit: sensor?.unit ?? '',
    min: sensor?.min?.toString() ?? '',
    max: sensor?.max?.toString() ?? '',
    active: sensor?.active ?? true,
  };
}

/** Whether what it measures is said by a template, and so not for this device to change. */
export const isOfTemplate = (sensor: Sensor | undefined): boolean =>
  sensor !== undefined && sensor.templateMetric !== null;

/** Whether it can be forgotten: what a template or a module brings can only be switched off. */
export const mayForget = ({ source }: Sensor): boolean => source === 'DISCOVERED' || source === 'MANUAL';

/** Whether values of a type can be too small or too great. */
export const hasRange = (type: MetricType): boolean => type === 'FLOAT' || type === 'INTEGER';

const metricPattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;
const isNumber = (text: string) => text.trim() === '' || Number.isFinite(Number(text));

/** What is wrong with a field, in words; true when nothing is. The API checks again. */
export const sensorRules = {
  metric: (text: string) =>
    metricPattern.test(text.trim()) || 'Begin with a letter or _; then letters, digits, and _ . - up to 128.',
  bound: (text: string) => isNumber(text) || 'A number.',
} as const;

const numberOf = (text: string): number | null => (text.trim() === '' ? null : Number(text));
const textOf = (text: string): string | null => (text.trim() === '' ? null : text.trim());

const rangeOf = ({ type, min, max }: SensorValues) =>
  hasRange(type) ? { min: numberOf(min), max: numberOf(max) } : { min: null, max: null };

export function toSensorCreate(values: SensorValues, deviceId: string): SensorCreateInput {
  return {
    deviceId,
    metric: values.metric.trim(),
    type: values.type,
    unit: textOf(values.unit),
    ...(values.name.trim() !== '' && { name: values.name.trim() }),
    ...rangeOf(values),
  };
}

/** What the person may have changed; for one of a template that is its name and whether it counts. */
export function toSensorUpdate(values: SensorValues, sensor: Sensor, version: number): SensorUpdateInput {
  return {
    id: sensor.id,
    expectedVersion: version,
    ...(values.active !== sensor.active && { active: values.active }),
    ...(values.name.trim() !== '' && { name: values.name.trim() }),
    ...(!isOfTemplate(sensor) && {
      type: values.type,
      unit: textOf(values.unit),
      ...rangeOf(values),
    }),
  };
}
