import { z } from 'zod';
import { text } from '#api/graphql/input.ts';
import { templateDefinitionSchema, templateKeySchema } from '#core/fleet/template-definition.ts';
import { TEMPLATE_CATEGORIES, type TemplateDefinition } from '#core/fleet/templates.ts';
import type { TemplateRow } from './store.ts';

const FORMAT = 'fleetgraph.template';
const FORMAT_VERSION = 1;

/** The rules for what people say of a template. */
export const templateText = {
  name: text(200),
  description: z
    .string()
    .trim()
    .max(2_000, 'must have at most 2 000 characters')
    .refine((value) => !value.includes('\0'), 'must not hold NUL'),
  category: z.enum(TEMPLATE_CATEGORIES, `must be one of ${TEMPLATE_CATEGORIES.join(', ')}`),
};

/** A template as it leaves one tenant and comes into another: nothing else is needed, and nothing in it names the tenant. */
export interface TemplateDocument {
  readonly format: typeof FORMAT;
  readonly formatVersion: typeof FORMAT_VERSION;
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly category: TemplateRow['category'];
  readonly definition: TemplateDefinition;
}

/** Checks a document whole; every problem comes with its path. */
export const templateDocumentSchema: z.ZodType<TemplateDocument> = z.strictObject({
  format: z.literal(FORMAT, `must be ${FORMAT}`),
  formatVersion: z.literal(FORMAT_VERSION, `must be ${FORMAT_VERSION}, the only one there is`),
  key: templateKeySchema,
  name: templateText.name,
  description: templateText.description.default(''),
  category: templateText.category,
  definition: templateDefinitionSchema,
});

/** In an order that is always the same, so that equal templates are equal texts. */
export function exportTemplate(
  { key, name, description, category }: TemplateRow,
  definition: TemplateDefinition,
): TemplateDocument {
  return {
    ...{ format: FORMAT, formatVersion: FORMAT_VERSION, key, name, description, category },
    definition: inOrder(definition),
  };
}

function inOrder(definition: TemplateDefinition): TemplateDefinition {
  const { metrics, commands, slots, transports, unknownMetrics, invalidValues } = definition;
  const { discoverSensors, expectedIntervalSeconds } = definition;
  return {
    metrics: metrics.map(({ key, name, type, unit, min, max, precision, required, values }) => ({
      ...{ key, name, type, unit, min, max, precision, required, values },
    })),
    commands: commands.map(({ key, name, description, params, response }) => ({
      ...{ key, name, description, params, response },
    })),
    slots: slots.map((slot) => ({
      ...{ key: slot.key, name: slot.name, type: slot.type, interface: slot.interface },
      ...{
        maxDevices: slot.maxDevices,
        compatibleTemplates: slot.compatibleTemplates,
        required: slot.required,
      },
    })),
    transports: transports.map(({ protocol, link, settings }) => ({ protocol, link, settings })),
    ...{ unknownMetrics, invalidValues, discoverSensors, expectedIntervalSeconds },
  };
}
