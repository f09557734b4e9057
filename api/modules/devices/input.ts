import { z } from 'zod';
import { parseInput, text } from '#api/graphql/input.ts';
import { isDeviceKey } from '#core/fleet/ids.ts';
import { mapOf, mappingFields } from './metric-map.ts';

const MAX_ATTRIBUTES_BYTES = 16_384;

/** An object of the owner's, of bounded size. */
export const settingsRules = z
  .record(z.string(), z.json(), 'must be an object')
  .refine((value) => !JSON.stringify(value).includes('\\u0000'), 'must not hold NUL')
  .refine(
    (value) => Buffer.byteLength(JSON.stringify(value)) <= MAX_ATTRIBUTES_BYTES,
    'must have at most 16 384 bytes',
  );

const fields = {
  name: text(200),
  siteKey: text(128),
  tags: z
    .array(text(64))
    .max(32, 'at most 32 tags')
    .transform((tags) => [...new Set(tags)]),
  attributes: settingsRules,
  location: z.object({
    latitude: z.number().min(-90, 'must be from -90 to 90').max(90, 'must be from -90 to 90'),
    longitude: z.number().min(-180, 'must be from -180 to 180').max(180, 'must be from -180 to 180'),
  }),
  serialNumber: text(128),
  model: text(128),
  expectedIntervalSeconds: z
    .number()
    .int()
    .min(1, 'must be at least 1')
    .max(604_800, 'must be at most 604 800 (a week)'),
  templateKey: text(63),
  parentKey: text(128),
  metricMap: mapOf(z.object(mappingFields)),
};

/** What a device may be called. */
export const deviceKeyRules = z.string().refine(isDeviceKey, {
  error: 'must be 1 to 128 of A-Z a-z 0-9 . _ : - and begin with a letter or digit',
});

const createSchema = z.object({
  key: deviceKeyRules,
  name: fields.name.nullish(),
  siteKey: fields.siteKey.nullish(),
  tags: fields.tags.nullish(),
  attributes: fields.attributes.nullish(),
  location: fields.location.nullish(),
  serialNumber: fields.serialNumber.nullish(),
  model: fields.model.nullish(),
  expectedIntervalSeconds: fields.expectedIntervalSeconds.nullish(),
  templateKey: fields.templateKey.nullish(),
  parentKey: fields.parentKey.nullish(),
  metricMap: fields.metricMap.nullish(),
});

/** Absent means unchanged; null clears what may be empty. */
const updateSchema = z.object({
  name: fields.name.optional(),
  siteKey: fields.siteKey.nullish(),
  tags: fields.tags.optional(),
  attributes: fields.attributes.optional(),
  location: fields.location.nullish(),
  serialNumber: fields.serialNumber.nullish(),
  model: fields.model.nullish(),
  expectedIntervalSeconds: fields.expectedIntervalSeconds.optional(),
  templateKey: fields.templateKey.optional(),
  parentKey: fields.parentKey.nullish(),
  metricMap: fields.metricMap.optional(),
  status: z.enum(['ACTIVE', 'DISABLED'], 'only deviceDecommission decommissions').optional(),
});

export type DeviceCreate = z.output<typeof createSchema>;
export type DeviceChange = z.output<typeof updateSchema>;

/** @throws ValidationFault with every issue */
export const parseDeviceCreate = (input: unknown): DeviceCreate => parseInput(createSchema, input);

/** @throws ValidationFault with every issue */
export const parseDeviceChange = (input: unknown): DeviceChange => parseInput(updateSchema, input);
