import { builder } from '#api/graphql/builder.ts';
import {
  enforcementEnum,
  metricTypeEnum,
  slotInterfaceEnum,
  slotTypeEnum,
  transportLinkEnum,
  transportProtocolEnum,
} from './enums.ts';

const metricInput = builder.inputType('TemplateMetricInput', {
  description: 'Something that is measured.',
  fields: (t) => ({
    key: t.string({
      required: true,
      description: '1 to 128 of A-Z a-z 0-9 _ . - beginning with a letter or _, unique in the template.',
    }),
    name: t.string({ required: true, description: 'What people call it; at most 200 characters.' }),
    type: t.field({ type: metricTypeEnum, required: true, description: 'What kind of value it has.' }),
    unit: t.string({ description: 'At most 32 characters, a UCUM code where there is one.' }),
    min: t.float({ description: 'The least number that can be true; numbers only.' }),
    max: t.float({ description: 'The greatest number that can be true; numbers only.' }),
    precision: t.int({ description: 'Digits after the point that are shown, 0 to 15; FLOAT only.' }),
    required: t.boolean({ description: 'Whether a device is not well without it; false by default.' }),
    values: t.stringList({ description: 'What an ENUM takes: 1 to 64 texts of at most 128 characters.' }),
  }),
});

const commandInput = builder.inputType('TemplateCommandInput', {
  description: 'Something that a device can be told.',
  fields: (t) => ({
    key: t.string({
      required: true,
      description: '1 to 64 of a-z 0-9 _ . - beginning with a letter, unique in the template.',
    }),
    name: t.string({ required: true, description: 'What people call it; at most 200 characters.' }),
    description: t.string({ description: 'What it does; at most 2 000 characters.' }),
    params: t.field({
      type: 'JSON',
      description:
        'JSON Schema (draft 2020-12) of its parameters, an object schema of at most 16 384 bytes; none by default.',
    }),
    response: t.field({
      type: 'JSON',
      description: 'JSON Schema of `details` in an answer that says `ok`; anything by default.',
    }),
  }),
});

const slotInput = builder.inputType('TemplateSlotInput', {
  description: 'A place for modules.',
  fields: (t) => ({
    key: t.string({
      required: true,
      description: '1 to 64 of a-z 0-9 _ . - beginning with a letter, unique in the template.',
    }),
    name: t.string({ required: true, description: 'What people call it; at most 200 characters.' }),
    type: t.field({ type: slotTypeEnum, required: true, description: 'Its shape.' }),
    interface: t.field({
      type: slotInterfaceEnum,
      required: true,
      description: 'What is spoken through it.',
    }),
    maxDevices: t.int({ description: 'How many modules it takes at once, 1 to 1 000; 1 by default.' }),
    compatibleTemplates: t.stringList({
      description:
        'Keys of at most 64 templates whose modules fit, each an EXPANSION_MODULE or a SENSOR; any such by default.',
    }),
    required: t.boolean({ description: 'Whether it must not be empty; false by default.' }),
  }),
});

const transportInput = builder.inputType('TemplateTransportInput', {
  description: 'A way to the platform.',
  fields: (t) => ({
    protocol: t.field({ type: transportProtocolEnum, required: true, description: 'What it speaks.' }),
    link: t.field({ type: transportLinkEnum, description: 'The physical link below.' }),
    settings: t.field({ type: 'JSON', description: 'An object of at most 4 096 bytes; empty by default.' }),
  }),
});

export const definitionInput = builder.inputType('TemplateDefinitionInput', {
  description: 'All that a template says. What is left out takes its default; nothing is kept from before.',
  fields: (t) => ({
    metrics: t.field({ type: [metricInput], description: 'At most 200.' }),
    commands: t.field({ type: [commandInput], description: 'At most 64.' }),
    slots: t.field({ type: [slotInput], description: 'At most 64.' }),
    transports: t.field({
      type: [transportInput],
      description: 'At most 8; the first is a new device’s primary one.',
    }),
    unknownMetrics: t.field({
      type: enforcementEnum,
      description: 'What becomes of metrics that the template does not name; ACCEPT by default.',
    }),
    invalidValues: t.field({
      type: enforcementEnum,
      description: 'What becomes of values that do not fit their metric; FLAG by default.',
    }),
    discoverSensors: t.boolean({
      description: 'Whether a metric that nobody modelled becomes a sensor; true by default.',
    }),
    expectedIntervalSeconds: t.int({
      description: 'Seconds between two messages, 1 to 604 800; the platform’s default of 60 by default.',
    }),
  }),
});

const PARTS: ReadonlySet<string> = new Set(['metrics', 'commands', 'slots', 'transports']);

/** As if what is null had been left out; JSON that belongs to the user stays as it is. */
export function withoutNulls(definition: unknown): unknown {
  const given = dropNulls(definition);
  if (typeof given !== 'object' || given === null) return given;
  return Object.fromEntries(
    Object.entries(given).map(([name, part]) => [
      name,
      PARTS.has(name) && Array.isArray(part) ? part.map(dropNulls) : part,
    ]),
  );
}

const dropNulls = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null))
    : value;
