import type { MetricMappingInput } from '../../generated/graphql.ts';
import type { DeviceParts } from './parts-documents.ts';

/** One renaming as its form holds it: text, as typed. */
export type MappingValues = {
  readonly raw: string;
  readonly metric: string;
  readonly scale: string;
  readonly offset: string;
};

export type MetricMapValues = { readonly map: MappingValues[] };

export const newMapping: MappingValues = { raw: '', metric: '', scale: '1', offset: '0' };

type Mapping = DeviceParts['metricMap'][number];

export const toMappingValues = (map: readonly Mapping[]): MappingValues[] =>
  map.map(({ raw, metric, scale, offset }) => ({
    ...{ raw, metric },
    ...{ scale: String(scale), offset: String(offset) },
  }));

/** The map as the API takes it; a row without any name is left out. */
export const toMappings = (
  rows: readonly MappingValues[],
): (MetricMappingInput & { scale: number; offset: number })[] =>
  rows
    .filter(({ raw, metric }) => raw.trim() !== '' || metric.trim() !== '')
    .map(({ raw, metric, scale, offset }) => ({
      raw: raw.trim(),
      metric: metric.trim(),
      scale: scale.trim() === '' ? 1 : Number(scale),
      offset: offset.trim() === '' ? 0 : Number(offset),
    }));

const namePattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;
const isNumber = (text: string) => text.trim() === '' || Number.isFinite(Number(text));
const isEmpty = ({ raw, metric }: MappingValues) => raw.trim() === '' && metric.trim() === '';

/** What is wrong with a field of a row, in words; true when nothing is. The API checks again, and more. */
export const mappingRules = {
  name: (text: string, row: MappingValues | undefined) =>
    (row !== undefined && isEmpty(row)) ||
    namePattern.test(text.trim()) ||
    'Letters, digits, and _ . -, beginning with a letter.',
  scale: (text: string) =>
    (isNumber(text) && (text.trim() === '' || Number(text) !== 0)) || 'A number other than 0.',
  offset: (text: string) => isNumber(text) || 'A number.',
} as const;

/** `["input", "metricMap", "2", "raw"]` as the form names that field; undefined for what it does not have. */
export function mappingFieldOf(path: readonly string[]): `map.${number}.${keyof MappingValues}` | undefined {
  const [list, index, field = 'raw'] = path.filter((part) => part !== 'input');
  if (list !== 'metricMap' || index === undefined || !/^\d+$/.test(index)) return undefined;
  const known = (['raw', 'metric', 'scale', 'offset'] as const).find((name) => name === field);
  return `map.${Number(index)}.${known ?? 'raw'}`;
}
