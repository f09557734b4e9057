import { readJsonObject } from '../../data/json-diff.ts';
import type { Connectivity, DeviceFilter, DeviceStatus, Freshness } from '../../generated/graphql.ts';
import { connections, freshnesses, statuses } from '../devices/device-view.ts';

/** Which devices a dynamic group takes, as its form holds it. */
export type FilterValues = {
  readonly search: string;
  readonly connections: readonly Connectivity[];
  readonly freshness: readonly Freshness[];
  readonly statuses: readonly DeviceStatus[];
  readonly siteKeys: readonly string[];
  readonly templateKeys: readonly string[];
  /** Separated by commas. */
  readonly tagsAll: string;
  readonly models: string;
  readonly firmwares: string;
  /** Conditions that the form has no field for, as JSON. */
  readonly more: string;
};

export const emptyFilter: FilterValues = {
  ...{ search: '', connections: [], freshness: [], statuses: [], siteKeys: [], templateKeys: [] },
  ...{ tagsAll: '', models: '', firmwares: '', more: '' },
};

const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
const amongst = <Value extends string>(allowed: readonly Value[], value: unknown): readonly Value[] => {
  const given = textsOf(value);
  return allowed.filter((each) => given.includes(each));
};

/** @param filter as the API gives it back: an object of a DeviceFilter's conditions */
export function toFilterValues(filter: unknown): FilterValues {
  if (typeof filter !== 'object' || filter === null) return emptyFilter;
  const given: Readonly<Record<string, unknown>> = { ...filter };
  const more = Object.entries(given).filter(([name, value]) => !(name in emptyFilter) && value !== null);
  return {
    search: typeof given['search'] === 'string' ? given['search'] : '',
    connections: amongst(connections, given['connections']),
    freshness: amongst(freshnesses, given['freshness']),
    statuses: amongst(statuses, given['statuses']),
    siteKeys: textsOf(given['siteKeys']),
    templateKeys: textsOf(given['templateKeys']),
    tagsAll: textsOf(given['tagsAll']).join(', '),
    models: textsOf(given['models']).join(', '),
    firmwares: textsOf(given['firmwares']).join(', '),
    more: more.length === 0 ? '' : JSON.stringify(Object.fromEntries(more), null, 2),
  };
}

/** Every non-empty part of a text, each once, separated by commas or lines. */
export const splitList = (text: string): string[] => [
  ...new Set(
    text
      .split(/[,\n]/)
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  ),
];

/** What is wrong with the further conditions, in words; true when nothing is. */
export function moreRule(text: string): true | string {
  const read = readJsonObject(text.trim() === '' ? '{}' : text);
  return 'value' in read || read.problem;
}

/** The filter as the API takes it. `more` must have passed its rule; what it has no such field for, the API says. */
export function toFilter(values: FilterValues): DeviceFilter {
  const read = readJsonObject(values.more.trim() === '' ? '{}' : values.more);
  const { tagsAll, models, firmwares } = values;
  const lists = { tagsAll: splitList(tagsAll), models: splitList(models), firmwares: splitList(firmwares) };
  const { connections, freshness, statuses, siteKeys, templateKeys } = values;
  const chosen = { connections, freshness, statuses, siteKeys, templateKeys, ...lists };
  const said = Object.entries(chosen).filter(([, list]) => list.length > 0);
  return {
    ...('value' in read ? read.value : {}),
    ...Object.fromEntries(said),
    ...(values.search.trim() !== '' && { search: values.search.trim() }),
  };
}

/** The conditions of a filter in words, one each. */
export function describeFilter(filter: unknown): string[] {
  if (typeof filter !== 'object' || filter === null) return [];
  return Object.entries(filter)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => {
      const text = Array.isArray(value) ? value.join(' or ') : JSON.stringify(value);
      return `${conditionNames[name] ?? name}: ${text}`;
    });
}

const conditionNames: Readonly<Record<string, string>> = {
  ...{ search: 'text', connections: 'connection', freshness: 'freshness', statuses: 'status' },
  ...{ siteKeys: 'site', templateKeys: 'template', templateVersions: 'template version' },
  ...{ tagsAll: 'every tag', tagsAny: 'any tag', models: 'model', firmwares: 'firmware' },
  ...{ groupKeys: 'group', parentKeys: 'gateway', keys: 'key' },
};
