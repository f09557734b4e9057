import { builder } from '#api/graphql/builder.ts';
import type { MetricMapping } from '#core/fleet/templates.ts';

export const metricMappingRef = builder.objectRef<MetricMapping>('MetricMapping').implement({
  description: 'Renames a metric on its way in: stored = raw × scale + offset.',
  fields: (t) => ({
    raw: t.exposeString('raw', { description: 'What the device or module calls it.' }),
    metric: t.exposeString('metric', { description: 'What it is stored as.' }),
    scale: t.exposeFloat('scale', { description: 'What a number is multiplied with; never 0.' }),
    offset: t.exposeFloat('offset', { description: 'What is added to it then.' }),
  }),
});

export const metricMappingInput = builder.inputType('MetricMappingInput', {
  description: 'Renames a metric on its way in: stored = raw × scale + offset.',
  fields: (t) => ({
    raw: t.string({
      required: true,
      description: 'What the device calls it: 1 to 128 of A-Z a-z 0-9 _ . - beginning with a letter or _.',
    }),
    metric: t.string({ required: true, description: 'What it is stored as, of the same characters.' }),
    scale: t.float({ description: 'What a number is multiplied with; not 0; 1 by default.' }),
    offset: t.float({ description: 'What is added to it then; 0 by default.' }),
  }),
});
