import { z } from 'zod';
import { metricKeySchema } from './template-definition.ts';
import { type MetricMapping, TEMPLATE_LIMITS } from './templates.ts';

const finite = z.number('must be a finite number');

/**
 * What a device or a module calls its metrics: at most 200 entries, each raw key once, no metric fed by two of them. `scale` is 1 and
 * `offset` 0 where they are left out; a scale of 0 would make every reading the same and is refused.
 */
export const metricMapSchema: z.ZodType<readonly MetricMapping[]> = z
  .array(
    z.strictObject({
      raw: metricKeySchema,
      metric: metricKeySchema,
      scale: finite.refine((scale) => scale !== 0, 'must not be 0').default(1),
      offset: finite.default(0),
    }),
  )
  .max(TEMPLATE_LIMITS.mappings, `must have at most ${TEMPLATE_LIMITS.mappings} entries`)
  .superRefine((mappings, context) => {
    for (const side of ['raw', 'metric'] as const) {
      const keys = mappings.map((mapping) => mapping[side]);
      for (const [index, key] of keys.entries())
        if (keys.indexOf(key) < index)
          context.addIssue({ code: 'custom', path: [index, side], message: `${key} stands twice` });
    }
  });
