import { builder } from '#api/graphql/builder.ts';
import type { Operation } from '#api/graphql/context.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import type { TemplateDefinition } from '#core/fleet/templates.ts';
import { commandRef, metricRef, slotRef, transportRef } from './definition-schema.ts';
import { diffRef } from './diff-schema.ts';
import { exportTemplate } from './document.ts';
import {
  enforcementEnum,
  metricTypeEnum,
  templateCategoryEnum,
  templateSourceEnum,
  templateSourceFilterEnum,
  transportLinkEnum,
  transportProtocolEnum,
} from './enums.ts';
import {
  countUsage,
  diffVersions,
  findTemplate,
  findTemplateBy,
  listTemplates,
  listVersions,
  requireDefinition,
} from './service.ts';
import type { TemplateRow, VersionRow } from './store.ts';

export { commandRef, diffRef, metricTypeEnum, slotRef, transportLinkEnum, transportProtocolEnum };

export const templateRef = builder.objectRef<TemplateRow>('DeviceTemplate');
const versionRef = builder.objectRef<VersionRow>('TemplateVersion');

const defined =
  <Value>(read: (definition: TemplateDefinition) => Value) =>
  async ({ id, version }: TemplateRow, _args: object, operation: Operation): Promise<Value> =>
    read(await requireDefinition(operation, id, version));

builder.node(templateRef, {
  description: 'What devices or modules of one kind can do; a device says what one of them is.',
  id: { resolve: ({ id }) => id, description: 'Opaque, unique across all types.' },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : findTemplate(operation, key);
  },
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Names the template within the tenant; never changes.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    description: t.exposeString('description', { description: 'What it is for; may be empty.' }),
    category: t.expose('category', {
      type: templateCategoryEnum,
      description: 'What kind of thing it describes.',
    }),
    source: t.field({
      type: templateSourceEnum,
      description: 'Whose it is.',
      resolve: ({ isSystem }) => (isSystem ? 'SYSTEM' : 'TENANT'),
    }),
    version: t.exposeInt('version', {
      description:
        'The newest, which everything below is about. Grows with every change of what the template says; hand it back as `expectedVersion`.',
    }),
    metrics: t.field({
      type: [metricRef],
      description: 'What is measured.',
      resolve: defined(({ metrics }) => [...metrics]),
    }),
    commands: t.field({
      type: [commandRef],
      description: 'What can be told.',
      resolve: defined(({ commands }) => [...commands]),
    }),
    slots: t.field({
      type: [slotRef],
      description: 'Where modules go.',
      resolve: defined(({ slots }) => [...slots]),
    }),
    transports: t.field({
      type: [transportRef],
      description: 'How it reaches the platform; the first is a new device’s primary one.',
      resolve: defined(({ transports }) => [...transports]),
    }),
    unknownMetrics: t.field({
      type: enforcementEnum,
      description: 'What becomes of metrics that the template does not name.',
      resolve: defined(({ unknownMetrics }) => unknownMetrics),
    }),
    invalidValues: t.field({
      type: enforcementEnum,
      description: 'What becomes of values of the wrong type, out of range, or not among an ENUM’s.',
      resolve: defined(({ invalidValues }) => invalidValues),
    }),
    discoverSensors: t.boolean({
      description: 'Whether a metric that nobody modelled becomes a sensor by itself.',
      resolve: defined(({ discoverSensors }) => discoverSensors),
    }),
    expectedIntervalSeconds: t.int({
      nullable: true,
      description: 'Seconds between two messages; null for the platform’s default of 60.',
      resolve: defined(({ expectedIntervalSeconds }) => expectedIntervalSeconds),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
    deviceCount: t.int({
      description: 'Devices of the tenant made of it, in any version, decommissioned ones left out.',
      complexity: 5,
      resolve: async ({ id }, _args, operation) => (await countUsage(operation, id)).devices,
    }),
    moduleCount: t.int({
      description: 'Modules of the tenant made of it, in any version, as far as they are installed.',
      complexity: 5,
      resolve: async ({ id }, _args, operation) => (await countUsage(operation, id)).modules,
    }),
    versions: t.field({
      type: [versionRef],
      description: 'The newest first. A version that nothing was made of was replaced by the next one.',
      complexity: ({ first }) => ({ field: 2, multiplier: Math.max(1, first) }),
      args: {
        first: t.arg.int({ required: true, defaultValue: 25, description: 'How many, 1 to 100.' }),
        before: t.arg.int({ description: 'Only versions older than this one.' }),
      },
      resolve: async (template, args, operation) => [...(await listVersions(operation, template, args))],
    }),
    diff: t.field({
      type: diffRef,
      nullable: true,
      description: 'What was done to one version to make another; null when either is not there.',
      complexity: 5,
      args: {
        from: t.arg.int({ required: true, description: 'The version before.' }),
        to: t.arg.int({ description: 'The version after; the newest by default.' }),
      },
      resolve: diffOf,
    }),
    json: t.field({
      type: 'JSON',
      description:
        'All of the newest version, as `templateImport` takes it; nothing in it belongs to this tenant alone.',
      complexity: 5,
      resolve: async (template, _args, operation) =>
        exportTemplate(template, await requireDefinition(operation, template.id, template.version)),
    }),
  }),
});

async function diffOf(
  template: TemplateRow,
  args: { readonly from: number; readonly to?: number | null | undefined },
  operation: Operation,
) {
  return (await diffVersions(operation, template, args)) ?? null;
}

const saidBy =
  <Value>(read: (definition: TemplateDefinition) => Value) =>
  async ({ templateId, version }: VersionRow, _args: object, operation: Operation): Promise<Value> =>
    read(await requireDefinition(operation, templateId, version));

versionRef.implement({
  description: 'What a template said at a time. Never changes once something is made of it.',
  fields: (t) => ({
    version: t.exposeInt('version', { description: 'Its number.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    createdBy: t.exposeString('createdBy', {
      description: 'Who made it, as the audit log names actors; `platform` for what came with the platform.',
    }),
    deviceCount: t.int({
      description: 'Devices of the tenant made of this version, decommissioned ones left out.',
      complexity: 5,
      resolve: async ({ templateId, version }, _args, operation) =>
        (await countUsage(operation, templateId, version)).devices,
    }),
    moduleCount: t.int({
      description: 'Installed modules of the tenant made of this version.',
      complexity: 5,
      resolve: async ({ templateId, version }, _args, operation) =>
        (await countUsage(operation, templateId, version)).modules,
    }),
    metrics: t.field({
      type: [metricRef],
      description: 'What was measured.',
      resolve: saidBy(({ metrics }) => [...metrics]),
    }),
    commands: t.field({
      type: [commandRef],
      description: 'What could be told.',
      resolve: saidBy(({ commands }) => [...commands]),
    }),
    slots: t.field({
      type: [slotRef],
      description: 'Where modules went.',
      resolve: saidBy(({ slots }) => [...slots]),
    }),
  }),
});

const templateByInput = builder.inputType('DeviceTemplateBy', {
  description: 'Names one template.',
  isOneOf: true,
  fields: (t) => ({
    id: t.id({ description: 'Its opaque id.' }),
    key: t.string({ description: 'Its key.' }),
  }),
});

const templateFilterInput = builder.inputType('DeviceTemplateFilter', {
  description: 'Templates that meet every condition given.',
  fields: (t) => ({
    search: t.string({
      description: 'Matches key, name or description, case-insensitively, anywhere in the text.',
    }),
    categories: t.field({ type: [templateCategoryEnum], description: 'Of one of these kinds.' }),
    source: t.field({ type: templateSourceFilterEnum, description: 'Whose they are; anybody’s by default.' }),
  }),
});

const templateConnectionRef = builder.connectionObject(
  {
    type: templateRef,
    name: 'DeviceTemplateConnection',
    description: 'A page of templates.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many templates the whole list has, whatever the page.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'DeviceTemplateEdge', description: 'A template in a page.' },
);

builder.queryFields((t) => ({
  template: t.field({
    type: templateRef,
    nullable: true,
    description: 'One template of the tenant or the platform, or null when there is none by that id or key.',
    args: { by: t.arg({ type: templateByInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { by }, operation) => findTemplateBy(operation, by),
  }),
  templates: t.connection(
    {
      type: templateRef,
      description: 'Templates of the tenant and of the platform, in the order of their keys.',
      complexity: pageCost,
      args: {
        where: t.arg({ type: templateFilterInput, description: 'Which ones; all of them by default.' }),
      },
      resolve: (_root, { where, ...page }, operation) => listTemplates(operation, page, where ?? {}),
    },
    templateConnectionRef,
  ),
}));
