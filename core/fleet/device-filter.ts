import { z } from 'zod';

const MAX_VALUES = 200;
const MAX_TEXT = 200;
const MAX_ATTRIBUTES = 20;
/** Half the way around the earth. */
const MAX_METERS = 20_037_508;

const text = z
  .string()
  .max(MAX_TEXT, `a filter takes at most ${MAX_TEXT} characters`)
  .refine((value) => !value.includes('\0'), 'a filter must not hold NUL');
const listOf = <Item extends z.ZodType>(item: Item) =>
  z.array(item).max(MAX_VALUES, `a filter takes at most ${MAX_VALUES} values`).nullish();
const degrees = (most: number) =>
  z.number().min(-most, `must be from -${most} to ${most}`).max(most, `must be from -${most} to ${most}`);
const instant = z.union([z.date(), z.iso.datetime({ offset: true }).transform((at) => new Date(at))]);

const areaSchema = z.object({
  box: z
    .object({ south: degrees(90), west: degrees(180), north: degrees(90), east: degrees(180) })
    .refine(({ south, north }) => south <= north, 'south must not be north of north')
    .nullish(),
  circle: z
    .object({
      latitude: degrees(90),
      longitude: degrees(180),
      meters: z.number().positive('must be above 0').max(MAX_METERS, `must be at most ${MAX_METERS}`),
    })
    .nullish(),
});

/** A filter as the API takes it and a dynamic group keeps it; there an instant is a text. */
export const deviceFilterSchema = z.object({
  search: text.nullish(),
  keys: listOf(text),
  siteKeys: listOf(text),
  statuses: listOf(z.enum(['ACTIVE', 'DISABLED', 'DECOMMISSIONED'])),
  connections: listOf(z.enum(['ONLINE', 'OFFLINE', 'UNKNOWN'])),
  freshness: listOf(z.enum(['FRESH', 'STALE', 'SILENT'])),
  lastSeenBefore: instant.nullish(),
  lastSeenAfter: instant.nullish(),
  tagsAll: listOf(text),
  tagsAny: listOf(text),
  groupKeys: listOf(text),
  templateKeys: listOf(text),
  templateVersions: listOf(z.int().min(1, 'must be at least 1')),
  parentKeys: listOf(text),
  hasParent: z.boolean().nullish(),
  models: listOf(text),
  firmwares: listOf(text),
  attributes: z
    .record(
      text,
      z.union([text, z.number(), z.boolean(), z.null()], 'must be a text, a number, true, false or null'),
      'must be an object',
    )
    .refine(
      (value) => Object.keys(value).length <= MAX_ATTRIBUTES,
      `takes at most ${MAX_ATTRIBUTES} attributes`,
    )
    .nullish(),
  within: areaSchema.nullish(),
});

/** Devices that meet every condition given; of a list any value will do. Absent and null: no condition. */
export type DeviceFilter = z.output<typeof deviceFilterSchema>;

/** Which devices something is done to, or holds for. */
export type DeviceTarget =
  | { readonly ids: readonly number[] }
  | { readonly groupKey: string }
  | { readonly where: DeviceFilter };

const MAX_WORDS = 8;

/** The words of a search: each of them must be found, anywhere. At most eight, the last of which is then all of the rest. */
export function searchWords(search: string): string[] {
  const words = search.split(/\s+/).filter((word) => word !== '');
  return words.length <= MAX_WORDS
    ? words
    : [...words.slice(0, MAX_WORDS - 1), words.slice(MAX_WORDS - 1).join(' ')];
}
