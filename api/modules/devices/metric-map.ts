import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import { type Issue, ValidationFault } from '#api/graphql/errors.ts';
import { sql } from '#core/db/sql.ts';
import { metricKeySchema } from '#core/fleet/template-definition.ts';
import { type MetricMapping, TEMPLATE_LIMITS } from '#core/fleet/templates.ts';

const finite = z.number('must be a finite number');

/** What an entry of a map must be. */
export const mappingFields = {
  raw: metricKeySchema,
  metric: metricKeySchema,
  scale: finite
    .refine((scale) => scale !== 0, 'must not be 0')
    .nullish()
    .transform((scale) => scale ?? 1),
  offset: finite.nullish().transform((offset) => offset ?? 0),
};

/** A list of entries in which no raw name and no metric stands twice. */
export const mapOf = <Entry extends MetricMapping>(entry: z.ZodType<Entry>) =>
  z
    .array(entry)
    .max(TEMPLATE_LIMITS.mappings, `at most ${TEMPLATE_LIMITS.mappings} entries`)
    .superRefine((map, context) => {
      for (const part of ['raw', 'metric'] as const) {
        const seen = new Set<string>();
        for (const [index, mapping] of map.entries()) {
          const name = mapping[part];
          if (seen.has(name))
            context.addIssue({ code: 'custom', path: [index, part], message: `${name} stands twice` });
          seen.add(name);
        }
      }
    });

const storedSchema = z.array(
  z.object({ raw: z.string(), metric: z.string(), scale: z.number(), offset: z.number() }),
);

/** A map as it is stored. */
export const readMetricMap = (stored: unknown): MetricMapping[] => storedSchema.parse(stored);

/** One metric that a module of a device brings, and by which name it comes. */
export interface MetricClaim {
  readonly moduleId: number;
  readonly module: string;
  readonly raw: string;
  readonly metric: string;
}

/** What the modules that are in a device bring. */
export function readClaims(scope: WriteScope, deviceId: number): Promise<MetricClaim[]> {
  return scope.rows<{ moduleId: number; module: string; raw: string; metric: string }>(sql`
    select m.id as "moduleId", m.name as module, s.metric,
      coalesce((select e ->> 'raw' from jsonb_array_elements(m.metric_map) e where e ->> 'metric' = s.metric), s.metric) as raw
    from device_modules m join device_sensors s on s.module_id = m.id and s.template_metric is not null
    where m.device_id = ${deviceId}::int and m.removed_at is null order by m.id, s.metric`);
}

/**
 * The device's own map must leave its modules what they use.
 * @throws ValidationFault with every entry that does not
 */
export async function assertMapFree(
  scope: WriteScope,
  deviceId: number,
  map: readonly MetricMapping[],
): Promise<void> {
  const claims = await readClaims(scope, deviceId);
  const issues = map.flatMap((mapping, index): Issue[] =>
    (['raw', 'metric'] as const).flatMap((part) => {
      const claim = claims.find((each) => each[part] === mapping[part]);
      if (!claim) return [];
      const message = `the module ${claim.module} uses ${mapping[part]}`;
      return [{ path: ['input', 'metricMap', String(index), part], message }];
    }),
  );
  if (issues.length > 0) throw new ValidationFault(issues);
}
