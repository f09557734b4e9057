import type { DeviceCreateInput, DeviceUpdateInput } from '../../generated/graphql.ts';
import type { DeviceDetail } from './device-detail.ts';

/** A device as its form holds it: text, as typed. */
export type DeviceValues = {
  readonly key: string;
  /** Empty: none. Only a new device is given one here. */
  readonly templateKey: string;
  readonly parentKey: string;
  readonly name: string;
  readonly siteKey: string;
  readonly tags: string;
  readonly serialNumber: string;
  readonly model: string;
  readonly interval: string;
  readonly latitude: string;
  readonly longitude: string;
  readonly attributes: string;
};

export const deviceFields = [
  'key',
  'templateKey',
  'parentKey',
  'name',
  'siteKey',
  'tags',
  'serialNumber',
  'model',
  'interval',
  'latitude',
  'longitude',
  'attributes',
] as const satisfies readonly (keyof DeviceValues)[];

/** The API's name for what the form calls otherwise. */
export const renamedFields = { expectedIntervalSeconds: 'interval', location: 'latitude' } as const;

export const emptyDevice: DeviceValues = {
  key: '',
  templateKey: '',
  parentKey: '',
  name: '',
  siteKey: '',
  tags: '',
  serialNumber: '',
  model: '',
  interval: '',
  latitude: '',
  longitude: '',
  attributes: '',
};

export function toDeviceValues(device: DeviceDetail): DeviceValues {
  return {
    key: device.key,
    templateKey: '',
    parentKey: '',
    name: device.name,
    siteKey: device.site?.key ?? '',
    tags: device.tags.join(', '),
    serialNumber: device.serialNumber ?? '',
    model: device.model ?? '',
    interval: String(device.expectedIntervalSeconds),
    latitude: device.location ? String(device.location.latitude) : '',
    longitude: device.location ? String(device.location.longitude) : '',
    attributes: JSON.stringify(device.attributes, null, 2),
  };
}

const keyPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

function isNumberBetween(text: string, min: number, max: number): boolean {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) && value >= min && value <= max;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** What is wrong with one field, in words; true when nothing is. The API checks again. */
export const deviceRules = {
  key: (text: string) =>
    keyPattern.test(text) || 'Begin with a letter or digit; then letters, digits, and . _ : - up to 128.',
  interval: (text: string) =>
    text.trim() === '' ||
    (isNumberBetween(text, 1, 2_592_000) && Number.isInteger(Number(text))) ||
    'A whole number of seconds.',
  latitude: (text: string, values: DeviceValues) =>
    (text.trim() === '' && values.longitude.trim() === '') ||
    isNumberBetween(text, -90, 90) ||
    'Degrees from −90 to 90.',
  longitude: (text: string, values: DeviceValues) =>
    (text.trim() === '' && values.latitude.trim() === '') ||
    isNumberBetween(text, -180, 180) ||
    'Degrees from −180 to 180.',
  attributes: (text: string) =>
    text.trim() === '' || parseObject(text) !== undefined || 'A JSON object, such as {"floor": 3}.',
} as const;

function splitTags(text: string): string[] {
  return [
    ...new Set(
      text
        .split(',')
        .map((tag) => tag.trim())
        .filter((tag) => tag !== ''),
    ),
  ];
}

function readLocation(values: DeviceValues): { latitude: number; longitude: number } | undefined {
  if (values.latitude.trim() === '' || values.longitude.trim() === '') return undefined;
  return { latitude: Number(values.latitude), longitude: Number(values.longitude) };
}

/** Input for a new device: only what was filled in. */
export function toCreateInput(values: DeviceValues): DeviceCreateInput {
  const location = readLocation(values);
  const tags = splitTags(values.tags);
  return {
    key: values.key.trim(),
    ...(values.templateKey === '' ? {} : { templateKey: values.templateKey }),
    ...(values.parentKey.trim() === '' ? {} : { parentKey: values.parentKey.trim() }),
    ...(values.name.trim() === '' ? {} : { name: values.name.trim() }),
    ...(values.siteKey === '' ? {} : { siteKey: values.siteKey }),
    ...(tags.length === 0 ? {} : { tags }),
    ...(values.serialNumber.trim() === '' ? {} : { serialNumber: values.serialNumber.trim() }),
    ...(values.model.trim() === '' ? {} : { model: values.model.trim() }),
    ...(values.interval.trim() === '' ? {} : { expectedIntervalSeconds: Number(values.interval) }),
    ...(location ? { location } : {}),
    ...(values.attributes.trim() === '' ? {} : { attributes: parseObject(values.attributes) }),
  };
}

/** Input that carries only what the person changed; an emptied field becomes null. */
export function toUpdateInput(
  values: DeviceValues,
  changed: ReadonlySet<keyof DeviceValues>,
  device: Pick<DeviceDetail, 'id' | 'version'>,
): DeviceUpdateInput {
  const orNull = (text: string) => (text.trim() === '' ? null : text.trim());
  return {
    id: device.id,
    expectedVersion: device.version,
    ...(changed.has('name') ? { name: values.name.trim() } : {}),
    ...(changed.has('siteKey') ? { siteKey: orNull(values.siteKey) } : {}),
    ...(changed.has('tags') ? { tags: splitTags(values.tags) } : {}),
    ...(changed.has('serialNumber') ? { serialNumber: orNull(values.serialNumber) } : {}),
    ...(changed.has('model') ? { model: orNull(values.model) } : {}),
    ...(changed.has('interval') && values.interval.trim() !== ''
      ? { expectedIntervalSeconds: Number(values.interval) }
      : {}),
    ...(changed.has('latitude') || changed.has('longitude')
      ? { location: readLocation(values) ?? null }
      : {}),
    ...(changed.has('attributes') ? { attributes: parseObject(values.attributes) ?? {} } : {}),
  };
}
