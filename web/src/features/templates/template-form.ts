import { readJsonObject } from '../../data/json-diff.ts';
import type {
  Enforcement,
  MetricType,
  SlotInterface,
  SlotType,
  TemplateCategory,
  TemplateDefinitionInput,
  TransportLink,
  TransportProtocol,
} from '../../generated/graphql.ts';
import type { Template } from './template-documents.ts';

/** A template as its editor holds it: text, as typed. */
export type TemplateValues = {
  key: string;
  name: string;
  description: string;
  category: TemplateCategory;
  unknownMetrics: Enforcement;
  invalidValues: Enforcement;
  discoverSensors: boolean;
  expectedIntervalSeconds: string;
  metrics: MetricValues[];
  commands: CommandValues[];
  slots: SlotValues[];
  transports: TransportValues[];
};

export type MetricValues = {
  key: string;
  name: string;
  type: MetricType;
  unit: string;
  min: string;
  max: string;
  precision: string;
  required: boolean;
  /** Separated by commas. */
  values: string;
};

export type CommandValues = {
  key: string;
  name: string;
  description: string;
  params: string;
  response: string;
};

export type SlotValues = {
  key: string;
  name: string;
  type: SlotType;
  interface: SlotInterface;
  maxDevices: string;
  /** Separated by commas. */
  compatibleTemplates: string;
  required: boolean;
};

export type TransportValues = {
  protocol: TransportProtocol;
  /** Empty: none is named. */
  link: TransportLink | '';
  settings: string;
};

export const newMetric: MetricValues = {
  ...{ key: '', name: '', type: 'FLOAT', unit: '', min: '', max: '', precision: '' },
  ...{ required: false, values: '' },
};
export const newCommand: CommandValues = { key: '', name: '', description: '', params: '', response: '' };
export const newSlot: SlotValues = {
  ...{ key: '', name: '', type: 'EXPANSION_PORT', interface: 'ANALOG' },
  ...{ maxDevices: '1', compatibleTemplates: '', required: false },
};
export const newTransport: TransportValues = { protocol: 'MQTT', link: '', settings: '' };

const numberText = (value: number | null | undefined): string => (value == null ? '' : String(value));
const jsonText = (value: unknown): string => (value == null ? '' : JSON.stringify(value, null, 2));

/** @param template undefined for a new one */
export function toTemplateValues(template: Template | undefined): TemplateValues {
  return {
    key: template?.key ?? '',
    name: template?.name ?? '',
    description: template?.description ?? '',
    category: template?.category ?? 'EDGE_DEVICE',
    unknownMetrics: template?.unknownMetrics ?? 'ACCEPT',
    invalidValues: template?.invalidValues ?? 'FLAG',
    discoverSensors: template?.discoverSensors ?? true,
    expectedIntervalSeconds: numberText(template?.expectedIntervalSeconds),
    metrics: (template?.metrics ?? []).map(({ key, name, type, required, ...metric }) => ({
      ...{ key, name, type, required },
      unit: metric.unit ?? '',
      min: numberText(metric.min),
      max: numberText(metric.max),
      precision: numberText(metric.precision),
      values: metric.values.join(', '),
    })),
    commands: (template?.commands ?? []).map(({ key, name, description, params, response }) => ({
      ...{ key, name, description },
      params: jsonText(params),
      response: jsonText(response),
    })),
    slots: (template?.slots ?? []).map(({ key, name, type, required, ...slot }) => ({
      ...{ key, name, type, required, interface: slot.interface },
      maxDevices: String(slot.maxDevices),
      compatibleTemplates: slot.compatibleTemplates.join(', '),
    })),
    transports: (template?.transports ?? []).map(({ protocol, link, settings }) => ({
      ...{ protocol, link: link ?? '' },
      settings: Object.keys(Object(settings)).length === 0 ? '' : jsonText(settings),
    })),
  };
}

const split = (text: string): string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');

const numberOf = (text: string): number | null => (text.trim() === '' ? null : Number(text));

const objectOf = (text: string): Record<string, unknown> | null => {
  if (text.trim() === '') return null;
  const read = readJsonObject(text);
  return 'value' in read ? read.value : null;
};

/** All that the template says, as the API takes it. The texts must have passed `templateRules`. */
export function toDefinition(values: TemplateValues): TemplateDefinitionInput {
  const numeric = (type: MetricType) => type === 'FLOAT' || type === 'INTEGER';
  return {
    unknownMetrics: values.unknownMetrics,
    invalidValues: values.invalidValues,
    discoverSensors: values.discoverSensors,
    expectedIntervalSeconds: numberOf(values.expectedIntervalSeconds),
    metrics: values.metrics.map(({ key, name, type, required, ...metric }) => ({
      ...{ key: key.trim(), name: name.trim() || key.trim(), type, required },
      unit: metric.unit.trim() || null,
      min: numeric(type) ? numberOf(metric.min) : null,
      max: numeric(type) ? numberOf(metric.max) : null,
      precision: type === 'FLOAT' ? numberOf(metric.precision) : null,
      values: type === 'ENUM' ? split(metric.values) : [],
    })),
    commands: values.commands.map(({ key, name, description, params, response }) => ({
      ...{ key: key.trim(), name: name.trim() || key.trim(), description: description.trim() },
      params: objectOf(params),
      response: objectOf(response),
    })),
    slots: values.slots.map(({ key, name, type, required, ...slot }) => ({
      ...{ key: key.trim(), name: name.trim() || key.trim(), type, required, interface: slot.interface },
      maxDevices: Number(slot.maxDevices),
      compatibleTemplates: split(slot.compatibleTemplates),
    })),
    transports: values.transports.map(({ protocol, link, settings }) => ({
      protocol,
      link: link === '' ? null : link,
      settings: objectOf(settings) ?? {},
    })),
  };
}

const isNumber = (text: string): boolean => text.trim() === '' || Number.isFinite(Number(text));
const isCount = (text: string, min: number): boolean =>
  text.trim() === '' || (Number.isInteger(Number(text)) && Number(text) >= min);

/** What is wrong with a text, in words; true when nothing is. The API checks again, and more. */
export const templateRules = {
  number: (text: string) => isNumber(text) || 'A number.',
  precision: (text: string) => isCount(text, 0) || 'A whole number.',
  count: (text: string) => (text.trim() !== '' && isCount(text, 1)) || 'A whole number from 1.',
  seconds: (text: string) => isCount(text, 1) || 'A whole number of seconds.',
  json(text: string) {
    const read = readJsonObject(text.trim() === '' ? '{}' : text);
    return 'value' in read || read.problem;
  },
  needed: (text: string) => text.trim() !== '' || 'Needed.',
} as const;

const plain = ['key', 'name', 'description', 'category', 'unknownMetrics', 'invalidValues'] as const;
const fieldsOfTemplate: readonly string[] = [...plain, 'discoverSensors', 'expectedIntervalSeconds'];
const fieldsOfEntries: Readonly<Record<string, object>> = {
  metrics: newMetric,
  commands: newCommand,
  slots: newSlot,
  transports: newTransport,
};

/** `["input", "definition", "metrics", "3", "min"]` as the form names that field; undefined for what it does not have. */
export function fieldOf(path: readonly string[]): string | undefined {
  const [first, index, field] = path.filter((part) => part !== 'input' && part !== 'definition');
  if (first === undefined) return undefined;
  const blank = Object.hasOwn(fieldsOfEntries, first) ? fieldsOfEntries[first] : undefined;
  if (!blank) return fieldsOfTemplate.includes(first) ? first : undefined;
  if (index === undefined || !/^\d+$/.test(index)) return undefined;
  const [leading = 'key'] = Object.keys(blank);
  return `${first}.${index}.${field !== undefined && Object.hasOwn(blank, field) ? field : leading}`;
}
