import { z } from 'zod';
import { findSchemaProblems } from './json-schemas.ts';
import { type PathProblem, plainJsonProblem } from './plain-json.ts';
import { checkBy } from './problems.ts';
import { isMetricKey } from './telemetry.ts';
import {
  ENFORCEMENTS,
  type JsonSchema,
  METRIC_TYPES,
  SLOT_INTERFACES,
  SLOT_TYPES,
  TEMPLATE_LIMITS,
  type TemplateCategory,
  type TemplateDefinition,
  type TemplateMetric,
  TRANSPORT_LINKS,
  TRANSPORT_PROTOCOLS,
} from './templates.ts';

/** What a template may be called: `[a-z0-9][a-z0-9-]{0,62}`. */
export const templateKeySchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z 0-9 - and begin with a letter or digit');

/** What a metric may be called, in readings and in templates. */
export const metricKeySchema = z
  .string()
  .refine(isMetricKey, 'must be 1 to 128 of A-Z a-z 0-9 _ . - and begin with a letter or _');

const name = z.string().trim().min(1, 'must not be empty').max(200, 'must have at most 200 characters');
const lowerKey = z
  .string()
  .regex(/^[a-z][a-z0-9_.-]{0,63}$/, 'must be 1 to 64 of a-z 0-9 _ . - and begin with a letter');
const list = <Item extends z.ZodType>(item: Item, max: number) =>
  z.array(item).max(max, `must have at most ${max} entries`).default([]);
const oneOf = <const Names extends readonly string[]>(names: Names) =>
  z.enum(names, `must be one of ${names.join(', ')}`);
const whole = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.number(message).int(message).min(min, message).max(max, message);
};

const metricSchema = z
  .strictObject({
    key: metricKeySchema,
    name,
    type: oneOf(METRIC_TYPES),
    unit: z
      .string()
      .trim()
      .min(1, 'must not be empty')
      .max(32, 'must have at most 32 characters')
      .nullable()
      .default(null),
    min: z.number().nullable().default(null),
    max: z.number().nullable().default(null),
    precision: whole(0, 15).nullable().default(null),
    required: z.boolean().default(false),
    values: list(
      z.string().min(1, 'must not be empty').max(128, 'must have at most 128 characters'),
      TEMPLATE_LIMITS.enumValues,
    ),
  })
  .superRefine((metric, context) => {
    for (const { path, message } of metricProblems(metric))
      context.addIssue({ code: 'custom', path: [...path], message });
  });

const jsonSchema = z
  .custom<JsonSchema>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be a JSON Schema: an object',
  )
  .superRefine((schema, context) => {
    for (const { path, message } of findSchemaProblems(schema))
      context.addIssue({ code: 'custom', path: [...path], message });
  })
  .nullable()
  .default(null);

const commandSchema = z.strictObject({
  key: lowerKey,
  name,
  description: z.string().max(2_000, 'must have at most 2 000 characters').default(''),
  params: jsonSchema,
  response: jsonSchema,
});

const slotSchema = z.strictObject({
  key: lowerKey,
  name,
  type: oneOf(SLOT_TYPES),
  interface: oneOf(SLOT_INTERFACES),
  maxDevices: whole(1, 1_000).default(1),
  compatibleTemplates: list(templateKeySchema, 64),
  required: z.boolean().default(false),
});

const MAX_SETTINGS_BYTES = 4_096;
const transportSchema = z.strictObject({
  protocol: oneOf(TRANSPORT_PROTOCOLS),
  link: oneOf(TRANSPORT_LINKS).nullable().default(null),
  settings: z
    .record(z.string(), z.unknown(), 'must be an object')
    .refine(
      (settings) => Buffer.byteLength(JSON.stringify(settings)) <= MAX_SETTINGS_BYTES,
      `must have at most ${MAX_SETTINGS_BYTES} bytes`,
    )
    .default({}),
});

const shapeSchema = z.strictObject({
  metrics: list(metricSchema, TEMPLATE_LIMITS.metrics),
  commands: list(commandSchema, TEMPLATE_LIMITS.commands),
  slots: list(slotSchema, TEMPLATE_LIMITS.slots),
  transports: list(transportSchema, TEMPLATE_LIMITS.transports),
  unknownMetrics: oneOf(ENFORCEMENTS).default('ACCEPT'),
  invalidValues: oneOf(ENFORCEMENTS).default('FLAG'),
  discoverSensors: z.boolean().default(true),
  expectedIntervalSeconds: whole(1, 604_800).nullable().default(null),
});

/**
 * A definition, checked whole: every problem comes with its path. What is left out takes the default that changes nothing: null, false,
 * an empty list; unknown metrics are accepted, invalid values flagged, sensors discovered.
 */
export const templateDefinitionSchema = z.unknown().transform((value, context): TemplateDefinition => {
  const unfit = plainJsonProblem(value) ?? sizeProblem(value);
  if (unfit) {
    context.addIssue({ code: 'custom', path: [...unfit.path], message: unfit.message });
    return z.NEVER;
  }
  const checked = checkBy(shapeSchema, value);
  for (const { path, message } of [...(checked.problems ?? []), ...duplicates(value)])
    context.addIssue({ code: 'custom', path: [...path], message });
  return checked.problems ? z.NEVER : checked.data;
});

/** @throws ZodError with every problem and its path */
export const parseTemplateDefinition = (value: unknown): TemplateDefinition =>
  templateDefinitionSchema.parse(value);

/** Slots that name a template which is not there, or whose modules go into no slot. */
export function slotProblems(
  { slots }: TemplateDefinition,
  categoryOf: (key: string) => TemplateCategory | undefined,
): PathProblem[] {
  return slots.flatMap(({ compatibleTemplates }, slot) =>
    compatibleTemplates.flatMap((key, index) => {
      const path = ['slots', slot, 'compatibleTemplates', index];
      const category = categoryOf(key);
      if (category === undefined) return [{ path, message: `there is no template ${key}` }];
      if (category === 'EXPANSION_MODULE' || category === 'SENSOR') return [];
      return [{ path, message: `${key} is a ${category}: only an EXPANSION_MODULE or a SENSOR fits a slot` }];
    }),
  );
}

function* metricProblems(metric: TemplateMetric): Generator<PathProblem> {
  const { type, min, max, precision, values } = metric;
  const isNumber = type === 'FLOAT' || type === 'INTEGER';
  for (const [bound, value] of [['min', min] as const, ['max', max] as const]) {
    if (value !== null && !isNumber) yield { path: [bound], message: 'goes with FLOAT and INTEGER only' };
    else if (value !== null && type === 'INTEGER' && !Number.isInteger(value))
      yield { path: [bound], message: 'must be a whole number, since the metric is an INTEGER' };
  }
  if (min !== null && max !== null && min > max)
    yield { path: ['max'], message: 'must not be less than min' };
  if (precision !== null && type !== 'FLOAT') yield { path: ['precision'], message: 'goes with FLOAT only' };
  if (type === 'ENUM' && values.length === 0)
    yield { path: ['values'], message: 'must name the values that an ENUM takes' };
  if (type !== 'ENUM' && values.length > 0) yield { path: ['values'], message: 'goes with ENUM only' };
  for (const [index, value] of values.entries())
    if (values.indexOf(value) < index) yield { path: ['values', index], message: `${value} stands twice` };
}

function sizeProblem(value: unknown): PathProblem | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes <= TEMPLATE_LIMITS.definitionBytes) return undefined;
  return { path: [], message: `must have at most ${TEMPLATE_LIMITS.definitionBytes} bytes` };
}

/** Keys that stand twice among metrics, commands, slots, or the templates of one slot. */
function* duplicates(value: unknown): Generator<PathProblem> {
  for (const part of ['metrics', 'commands', 'slots']) {
    const entries = listOf(field(value, part));
    yield* repeats(
      entries.map((entry) => field(entry, 'key')),
      (index) => [part, index, 'key'],
    );
    for (const [slot, entry] of entries.entries())
      yield* repeats(listOf(field(entry, 'compatibleTemplates')), (index) => [
        part,
        slot,
        'compatibleTemplates',
        index,
      ]);
  }
}

function* repeats(
  keys: readonly unknown[],
  pathOf: (index: number) => PathProblem['path'],
): Generator<PathProblem> {
  const seen = new Set<string>();
  for (const [index, key] of keys.entries()) {
    if (typeof key !== 'string') continue;
    if (seen.has(key)) yield { path: pathOf(index), message: `${key} stands twice` };
    seen.add(key);
  }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(key) : undefined;
