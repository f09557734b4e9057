import { sameJson } from './plain-json.ts';
import { schemaTakesLess } from './schema-change.ts';
import {
  ENFORCEMENTS,
  type TemplateCommand,
  type TemplateDefinition,
  type TemplateMetric,
  type TemplateSlot,
} from './templates.ts';

/** One entry of a definition that another definition has otherwise. */
export interface EntryChange<Entry> {
  readonly key: string;
  /** Null: it was not there before. */
  readonly before: Entry | null;
  /** Null: it is not there any more. */
  readonly after: Entry | null;
  /** What of it differs; empty for an entry that came or went. */
  readonly fields: readonly string[];
  /** Why what worked before may not work any more; empty where everything does. */
  readonly breaking: readonly string[];
}

/** What a definition says of a template as a whole. */
export type TemplateSetting = Exclude<keyof TemplateDefinition, 'metrics' | 'commands' | 'slots'>;

export interface SettingChange {
  readonly setting: TemplateSetting;
  readonly before: unknown;
  readonly after: unknown;
  readonly breaking: readonly string[];
}

export interface TemplateDiff {
  readonly metrics: readonly EntryChange<TemplateMetric>[];
  readonly commands: readonly EntryChange<TemplateCommand>[];
  readonly slots: readonly EntryChange<TemplateSlot>[];
  readonly settings: readonly SettingChange[];
}

/**
 * What has to be done to `before` to make it `after`. Entries are the same by their keys: first those of `after` in its order, then the
 * removed ones in the order of `before`. A mere change of order is none, but for transports, the first of which is the primary one.
 */
export function diffTemplates(before: TemplateDefinition, after: TemplateDefinition): TemplateDiff {
  return {
    metrics: diffEntries(before.metrics, after.metrics, metricBreaks),
    commands: diffEntries(before.commands, after.commands, commandBreaks),
    slots: diffEntries(before.slots, after.slots, slotBreaks),
    settings: SETTINGS.flatMap((setting) =>
      sameJson(before[setting], after[setting])
        ? []
        : [
            {
              setting,
              before: before[setting],
              after: after[setting],
              breaking: settingBreaks(setting, before, after),
            },
          ],
    ),
  };
}

/** Whether something that worked before may not work any more. */
export const isBreaking = ({ metrics, commands, slots, settings }: TemplateDiff): boolean =>
  [...metrics, ...commands, ...slots, ...settings].some(({ breaking }) => breaking.length > 0);

/** Whether there is nothing to do. */
export const isEmptyDiff = ({ metrics, commands, slots, settings }: TemplateDiff): boolean =>
  metrics.length + commands.length + slots.length + settings.length === 0;

const SETTINGS: readonly TemplateSetting[] = [
  'transports',
  'unknownMetrics',
  'invalidValues',
  'discoverSensors',
  'expectedIntervalSeconds',
];

type Breaks<Entry> = (before: Entry | undefined, after: Entry | undefined) => Iterable<string>;

function diffEntries<Entry extends { readonly key: string }>(
  before: readonly Entry[],
  after: readonly Entry[],
  breaks: Breaks<Entry>,
): EntryChange<Entry>[] {
  const old = new Map(before.map((entry) => [entry.key, entry]));
  const kept = new Set(after.map(({ key }) => key));
  const changes = after.flatMap((entry) => {
    const was = old.get(entry.key);
    return was && sameJson(was, entry) ? [] : [changeOf(entry.key, was, entry, breaks)];
  });
  const removed = before.filter(({ key }) => !kept.has(key));
  return [...changes, ...removed.map((entry) => changeOf(entry.key, entry, undefined, breaks))];
}

function changeOf<Entry extends { readonly key: string }>(
  key: string,
  before: Entry | undefined,
  after: Entry | undefined,
  breaks: Breaks<Entry>,
): EntryChange<Entry> {
  return {
    key,
    before: before ?? null,
    after: after ?? null,
    fields: before && after ? changedFields(before, after) : [],
    breaking: [...breaks(before, after)],
  };
}

function changedFields(before: object, after: object): string[] {
  const old = new Map<string, unknown>(Object.entries(before));
  return Object.entries(after).flatMap(([field, value]) => (sameJson(old.get(field), value) ? [] : [field]));
}

function* metricBreaks(
  before: TemplateMetric | undefined,
  after: TemplateMetric | undefined,
): Generator<string> {
  if (!after) return yield 'it is gone';
  if (after.required && !before?.required) yield 'devices are not well without it any more';
  if (!before) return;
  if (before.type !== after.type) yield `its type is ${after.type} instead of ${before.type}`;
  if (before.unit !== after.unit) yield 'its unit is another one';
  if (atLeast(after.min) > atLeast(before.min)) yield `values below ${after.min} are no longer valid`;
  if (atMost(after.max) < atMost(before.max)) yield `values above ${after.max} are no longer valid`;
  const lost = before.values.filter((value) => !after.values.includes(value));
  if (after.type === 'ENUM' && lost.length > 0) yield `no longer valid: ${lost.join(', ')}`;
}

function* commandBreaks(
  before: TemplateCommand | undefined,
  after: TemplateCommand | undefined,
): Generator<string> {
  if (!after) return yield 'it is gone';
  if (!before) return;
  if (before.params && !after.params) yield 'it takes no parameters any more';
  else if (!before.params && after.params && after.params['required'] !== undefined)
    yield 'it needs parameters now';
  else if (before.params && after.params && schemaTakesLess(before.params, after.params))
    yield 'parameters that were valid may not be any more';
  if (after.response && (!before.response || schemaTakesLess(before.response, after.response)))
    yield 'answers that were valid may not be any more';
}

function* slotBreaks(before: TemplateSlot | undefined, after: TemplateSlot | undefined): Generator<string> {
  if (!after) return yield 'it is gone';
  if (after.required && !before?.required) yield 'it must not be empty any more';
  if (!before) return;
  if (before.type !== after.type) yield `its type is ${after.type} instead of ${before.type}`;
  if (before.interface !== after.interface)
    yield `its interface is ${after.interface} instead of ${before.interface}`;
  if (after.maxDevices < before.maxDevices)
    yield `it takes ${after.maxDevices} instead of ${before.maxDevices}`;
  if (after.compatibleTemplates.length === 0) return;
  const lost = before.compatibleTemplates.filter((key) => !after.compatibleTemplates.includes(key));
  if (before.compatibleTemplates.length === 0)
    yield `only ${after.compatibleTemplates.join(', ')} fit it now`;
  else if (lost.length > 0) yield `no longer fit it: ${lost.join(', ')}`;
}

function settingBreaks(
  setting: TemplateSetting,
  before: TemplateDefinition,
  after: TemplateDefinition,
): string[] {
  switch (setting) {
    case 'unknownMetrics':
    case 'invalidValues': {
      const stricter = ENFORCEMENTS.indexOf(after[setting]) > ENFORCEMENTS.indexOf(before[setting]);
      return stricter ? [`what was ${before[setting]} is ${after[setting]} now`] : [];
    }
    case 'expectedIntervalSeconds': {
      const sooner = interval(after) < interval(before);
      return sooner ? ['devices count as stale sooner'] : [];
    }
    case 'discoverSensors':
      return before.discoverSensors && !after.discoverSensors
        ? ['new metrics do not become sensors by themselves any more']
        : [];
    case 'transports':
      return [];
  }
}

const DEFAULT_INTERVAL_SECONDS = 60;
const interval = ({ expectedIntervalSeconds }: TemplateDefinition): number =>
  expectedIntervalSeconds ?? DEFAULT_INTERVAL_SECONDS;

const atLeast = (min: number | null): number => min ?? Number.NEGATIVE_INFINITY;
const atMost = (max: number | null): number => max ?? Number.POSITIVE_INFINITY;
