import { builder } from '#api/graphql/builder.ts';
import type {
  TemplateCommand,
  TemplateMetric,
  TemplateSlot,
  TemplateTransport,
} from '#core/fleet/templates.ts';
import {
  metricTypeEnum,
  slotInterfaceEnum,
  slotTypeEnum,
  transportLinkEnum,
  transportProtocolEnum,
} from './enums.ts';

export const metricRef = builder.objectRef<TemplateMetric>('TemplateMetric').implement({
  description: 'Something that a device of this kind measures.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'What it is called in readings.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    type: t.expose('type', { type: metricTypeEnum, description: 'What kind of value it has.' }),
    unit: t.exposeString('unit', {
      nullable: true,
      description: 'In what it is measured, as a UCUM code where there is one; null without a unit.',
    }),
    min: t.exposeFloat('min', {
      nullable: true,
      description: 'The least number that can be true; null for any.',
    }),
    max: t.exposeFloat('max', {
      nullable: true,
      description: 'The greatest number that can be true; null for any.',
    }),
    precision: t.exposeInt('precision', {
      nullable: true,
      description: 'Digits after the point that are shown; null for as many as there are.',
    }),
    required: t.exposeBoolean('required', { description: 'Whether a device is not well without it.' }),
    values: t.stringList({
      description: 'The values that an ENUM takes; empty for any other type.',
      resolve: ({ values }) => [...values],
    }),
  }),
});

export const commandRef = builder.objectRef<TemplateCommand>('TemplateCommand').implement({
  description: 'Something that a device of this kind can be told.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The `type` in the message to the device.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    description: t.exposeString('description', { description: 'What it does; may be empty.' }),
    params: t.field({
      type: 'JSON',
      nullable: true,
      description: 'JSON Schema (draft 2020-12) of its parameters; null when it takes none.',
      resolve: ({ params }) => params,
    }),
    response: t.field({
      type: 'JSON',
      nullable: true,
      description: 'JSON Schema of `details` in an answer that says `ok`; null for anything.',
      resolve: ({ response }) => response,
    }),
  }),
});

export const slotRef = builder.objectRef<TemplateSlot>('TemplateSlot').implement({
  description: 'A place for modules.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Names it within the template.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    type: t.expose('type', { type: slotTypeEnum, description: 'Its shape.' }),
    interface: t.expose('interface', {
      type: slotInterfaceEnum,
      description: 'What is spoken through it.',
    }),
    maxDevices: t.exposeInt('maxDevices', { description: 'How many modules it takes at once.' }),
    compatibleTemplates: t.stringList({
      description: 'Keys of the templates whose modules fit; empty when any EXPANSION_MODULE or SENSOR does.',
      resolve: ({ compatibleTemplates }) => [...compatibleTemplates],
    }),
    required: t.exposeBoolean('required', { description: 'Whether it must not be empty.' }),
  }),
});

export const transportRef = builder.objectRef<TemplateTransport>('TemplateTransport').implement({
  description: 'A way in which a device of this kind reaches the platform.',
  fields: (t) => ({
    protocol: t.expose('protocol', { type: transportProtocolEnum, description: 'What it speaks.' }),
    link: t.expose('link', {
      type: transportLinkEnum,
      nullable: true,
      description: 'The physical link below; null when that was not said.',
    }),
    settings: t.field({
      type: 'JSON',
      description: 'An object of whatever a new device’s transport is to begin with.',
      resolve: ({ settings }) => settings,
    }),
  }),
});
