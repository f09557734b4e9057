import { builder } from '#api/graphql/builder.ts';
import {
  type EntryChange,
  isBreaking,
  type SettingChange,
  type TemplateDiff,
} from '#core/fleet/template-diff.ts';
import type { TemplateCommand, TemplateMetric, TemplateSlot } from '#core/fleet/templates.ts';
import { commandRef, metricRef, slotRef } from './definition-schema.ts';

/** The difference between two versions of a template. */
export interface VersionDiff extends TemplateDiff {
  readonly from: number;
  readonly to: number;
}

const changeKindEnum = builder.enumType('TemplateChangeKind', {
  description: 'What became of an entry of a template.',
  values: {
    ADDED: { description: 'It is new.' },
    REMOVED: { description: 'It is gone.' },
    CHANGED: { description: 'It is not as it was.' },
  },
});

const KEY = 'The key of the entry.';
const KIND = 'What became of it.';
const BEFORE = 'As it was; null for a new one.';
const AFTER = 'As it is; null for one that is gone.';
const FIELDS = 'The names of what differs; empty for an entry that came or went.';
const BREAKING = 'Why what worked before may not work any more; empty where everything does.';

const kindOf = ({ before, after }: EntryChange<unknown>) =>
  before === null ? ('ADDED' as const) : after === null ? ('REMOVED' as const) : ('CHANGED' as const);

const metricChangeRef = builder.objectRef<EntryChange<TemplateMetric>>('TemplateMetricChange').implement({
  description: 'A metric that another version has otherwise.',
  fields: (t) => ({
    key: t.exposeString('key', { description: KEY }),
    kind: t.field({ type: changeKindEnum, description: KIND, resolve: kindOf }),
    before: t.expose('before', { type: metricRef, nullable: true, description: BEFORE }),
    after: t.expose('after', { type: metricRef, nullable: true, description: AFTER }),
    fields: t.stringList({ description: FIELDS, resolve: ({ fields }) => [...fields] }),
    breaking: t.stringList({ description: BREAKING, resolve: ({ breaking }) => [...breaking] }),
  }),
});

const commandChangeRef = builder.objectRef<EntryChange<TemplateCommand>>('TemplateCommandChange').implement({
  description: 'A command that another version has otherwise.',
  fields: (t) => ({
    key: t.exposeString('key', { description: KEY }),
    kind: t.field({ type: changeKindEnum, description: KIND, resolve: kindOf }),
    before: t.expose('before', { type: commandRef, nullable: true, description: BEFORE }),
    after: t.expose('after', { type: commandRef, nullable: true, description: AFTER }),
    fields: t.stringList({ description: FIELDS, resolve: ({ fields }) => [...fields] }),
    breaking: t.stringList({ description: BREAKING, resolve: ({ breaking }) => [...breaking] }),
  }),
});

const slotChangeRef = builder.objectRef<EntryChange<TemplateSlot>>('TemplateSlotChange').implement({
  description: 'A slot that another version has otherwise.',
  fields: (t) => ({
    key: t.exposeString('key', { description: KEY }),
    kind: t.field({ type: changeKindEnum, description: KIND, resolve: kindOf }),
    before: t.expose('before', { type: slotRef, nullable: true, description: BEFORE }),
    after: t.expose('after', { type: slotRef, nullable: true, description: AFTER }),
    fields: t.stringList({ description: FIELDS, resolve: ({ fields }) => [...fields] }),
    breaking: t.stringList({ description: BREAKING, resolve: ({ breaking }) => [...breaking] }),
  }),
});

const settingChangeRef = builder.objectRef<SettingChange>('TemplateSettingChange').implement({
  description: 'Something that a template says as a whole and another version says otherwise.',
  fields: (t) => ({
    setting: t.exposeString('setting', { description: 'The name of the template’s field.' }),
    before: t.field({ type: 'JSON', nullable: true, description: 'As it was.', resolve: (c) => c.before }),
    after: t.field({ type: 'JSON', nullable: true, description: 'As it is.', resolve: (c) => c.after }),
    breaking: t.stringList({ description: BREAKING, resolve: ({ breaking }) => [...breaking] }),
  }),
});

export const diffRef = builder.objectRef<VersionDiff>('TemplateDiff').implement({
  description: 'What was done to one version of a template to make another.',
  fields: (t) => ({
    from: t.exposeInt('from', { description: 'The version before.' }),
    to: t.exposeInt('to', { description: 'The version after.' }),
    breaking: t.boolean({
      description: 'Whether something that worked before may not work any more.',
      resolve: isBreaking,
    }),
    metrics: t.field({
      type: [metricChangeRef],
      description: 'First the new and changed ones in their order, then those that are gone.',
      resolve: ({ metrics }) => [...metrics],
    }),
    commands: t.field({
      type: [commandChangeRef],
      description: 'In the same order.',
      resolve: ({ commands }) => [...commands],
    }),
    slots: t.field({
      type: [slotChangeRef],
      description: 'In the same order.',
      resolve: ({ slots }) => [...slots],
    }),
    settings: t.field({
      type: [settingChangeRef],
      description:
        'Transports, policies, discovery of sensors and the expected interval, as far as they differ.',
      resolve: ({ settings }) => [...settings],
    }),
  }),
});
