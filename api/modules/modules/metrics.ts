import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { Device } from '#api/generated/prisma/client.ts';
import { type Issue, ValidationFault } from '#api/graphql/errors.ts';
import { sql } from '#core/db/sql.ts';
import { metricKeySchema } from '#core/fleet/template-definition.ts';
import type { MetricMapping, TemplateDefinition, TemplateMetric } from '#core/fleet/templates.ts';
import { mapOf, mappingFields, readClaims, readMetricMap } from '../devices/service.ts';

/** An entry of a module's map, with the metric of the module's template that it is about. */
export interface ModuleMapping extends MetricMapping {
  readonly templateMetric?: string | null | undefined;
}

export const moduleMapSchema: z.ZodType<ModuleMapping[]> = mapOf(
  z.object({ ...mappingFields, templateMetric: metricKeySchema.nullish() }),
);

/** One metric of a module: what its template says of it, by which name it comes, what it is stored as. */
export interface ModuleMetric {
  readonly of: TemplateMetric;
  readonly raw: string;
  readonly metric: string;
  /** Where in the map that stands; undefined for a metric that keeps the name of its template. */
  readonly entry: number | undefined;
}

/**
 * Every metric of a module's template under the name that the map gives it, in the order of the template. An entry is about the metric
 * that it names, or else the one that is called like its raw name, or like its metric.
 * @throws ValidationFault with every entry that is about none, or about one that another entry is about
 */
export function nameMetrics(
  definition: TemplateDefinition,
  map: readonly ModuleMapping[],
): readonly ModuleMetric[] {
  const issues: Issue[] = [];
  const known = new Set(definition.metrics.map(({ key }) => key));
  const entries = new Map<string, number>();
  for (const [index, { templateMetric, raw, metric }] of map.entries()) {
    const about = templateMetric ?? [raw, metric].find((name) => known.has(name));
    const problem = problemOf(about, known, entries);
    if (problem) issues.push({ path: [...MAP, String(index), 'templateMetric'], message: problem });
    else if (about !== undefined) entries.set(about, index);
  }
  if (issues.length > 0) throw new ValidationFault(issues);
  return definition.metrics.map((of) => {
    const entry = entries.get(of.key);
    const mapping = entry === undefined ? undefined : map[entry];
    return { of, entry, raw: mapping?.raw ?? of.key, metric: mapping?.metric ?? of.key };
  });
}

function problemOf(
  about: string | undefined,
  known: ReadonlySet<string>,
  entries: ReadonlyMap<string, number>,
): string | undefined {
  if (about === undefined) return `say which metric of the module it is: ${[...known].join(', ')}`;
  if (!known.has(about)) return `the module has no metric ${about}; it has ${[...known].join(', ')}`;
  return entries.has(about) ? `another entry is about ${about} too` : undefined;
}

const MAP = ['input', 'metricMap'];

/**
 * The metrics that a module brings to a device: nothing else there may come by their names or be stored as they are. One that is not
 * required, keeps its name, and whose name is taken is left out: nobody could tell whose values they were.
 * @param definition what the template of the device says
 * @throws ValidationFault with every name that is taken
 */
export async function claimMetrics(
  scope: WriteScope,
  device: Device,
  definition: TemplateDefinition,
  metrics: readonly ModuleMetric[],
  moduleId?: number,
): Promise<readonly ModuleMetric[]> {
  const raws = new Map<string, string>();
  const names = new Map<string, string>();
  for (const { raw, metric } of readMetricMap(device.metricMap)) {
    raws.set(raw, 'the metric map of the device');
    names.set(metric, 'the metric map of the device');
  }
  for (const claim of await readClaims(scope, device.id)) {
    if (claim.moduleId === moduleId) continue;
    raws.set(claim.raw, `the module ${claim.module}`);
    names.set(claim.metric, `the module ${claim.module}`);
  }
  for (const { key } of definition.metrics) names.set(key, 'the template of the device');
  const sensors = await scope.rows<{ metric: string }>(sql`
    select metric from device_sensors
    where device_id = ${device.id}::int and active and source in ('TEMPLATE', 'MANUAL')`);
  for (const { metric } of sensors) names.set(metric, 'a sensor of the device');
  const issues: Issue[] = [];
  // Those that the map names come first, so that they are not in the way of themselves.
  const mappedFirst = metrics.toSorted(
    (a, b) => Number(a.entry === undefined) - Number(b.entry === undefined),
  );
  const brought = mappedFirst.filter(({ of, raw, metric, entry }) => {
    const byRaw = raws.get(raw);
    const byName = names.get(metric);
    if (entry === undefined && !of.required && (byRaw || byName)) return false;
    const pathOf = (part: string) => (entry === undefined ? MAP : [...MAP, String(entry), part]);
    const advice = entry === undefined ? '; map the metric to another name' : '';
    if (byRaw) issues.push({ path: pathOf('raw'), message: `${raw} comes by ${byRaw} already${advice}` });
    if (byName) issues.push({ path: pathOf('metric'), message: `${metric} is taken by ${byName}${advice}` });
    raws.set(raw, 'another metric of the module');
    names.set(metric, 'another metric of the module');
    return true;
  });
  if (issues.length > 0) throw new ValidationFault(issues);
  return brought;
}
