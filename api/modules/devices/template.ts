import type { WriteScope } from '#api/database/writes.ts';
import { ConflictFault, ValidationFault } from '#api/graphql/errors.ts';
import { nameSensors, putSensors } from '#core/db/device-sensors.ts';
import { sql } from '#core/db/sql.ts';
import { parseTemplateDefinition } from '#core/fleet/template-definition.ts';
import type { TemplateDefinition } from '#core/fleet/templates.ts';
import { type HeldTemplate, holdTemplate } from '../templates/service.ts';
import { hasChildren, isGateway } from './parents.ts';

/**
 * The newest version of the tenant's template of that key, or of the platform's, which stays as it is until the transaction ends.
 * @throws NotFoundFault
 */
export const findTemplate = (scope: WriteScope, key: string): Promise<HeldTemplate> =>
  holdTemplate(scope, key, ['input', 'templateKey']);

/** What a version of a template says; undefined for a device without one. */
export async function readDefinition(
  scope: WriteScope,
  of: { readonly templateId: number | null; readonly templateVersion: number | null },
): Promise<TemplateDefinition | undefined> {
  if (of.templateId === null || of.templateVersion === null) return undefined;
  const [row] = await scope.rows<{ definition: unknown }>(sql`
    select definition from template_versions
    where template_id = ${of.templateId}::int and version = ${of.templateVersion}::int`);
  return row && parseTemplateDefinition(row.definition);
}

/** @throws ValidationFault for a template of modules, which are installed in a device */
export async function findDeviceTemplate(scope: WriteScope, key: string): Promise<HeldTemplate> {
  const template = await findTemplate(scope, key);
  if (template.category !== 'EXPANSION_MODULE') return template;
  const message = `${key} is an EXPANSION_MODULE: install it in a slot of a device`;
  throw new ValidationFault([{ path: ['input', 'templateKey'], message }]);
}

/**
 * The template that a device without one is to have. The device is locked.
 * @throws ConflictFault where it has one, or speaks for others and would be nothing that does
 */
export async function findFirstTemplate(
  scope: WriteScope,
  device: { readonly id: number; readonly templateId: number | null; readonly version: number },
  key: string,
): Promise<HeldTemplate> {
  const path = ['input', 'templateKey'];
  if (device.templateId !== null)
    throw new ConflictFault(
      'the device has a template; templateMigrate gives it another version of that one',
      path,
      device.version,
    );
  const template = await findDeviceTemplate(scope, key);
  if (isGateway(template.category) || !(await hasChildren(scope, device.id))) return template;
  throw new ConflictFault(
    `the device speaks for others, which a ${template.category} does not`,
    path,
    device.version,
  );
}

/** Makes what a device measures already, as far as its new template names it, what the template says; returns the metrics. */
export async function adoptSensors(
  scope: WriteScope,
  deviceId: number,
  { definition }: HeldTemplate,
): Promise<ReadonlySet<string>> {
  const sensors = await scope.rows<{ id: number; metric: string }>(sql`
    select id, metric from device_sensors where device_id = ${deviceId}::int and active and module_id is null`);
  const named = new Map(definition.metrics.map((metric) => [metric.key, metric]));
  const adopted = sensors.flatMap(({ id, metric }) => {
    const of = named.get(metric);
    return of ? [{ id, of }] : [];
  });
  await nameSensors(scope, scope.tenantId, adopted);
  return new Set(adopted.map(({ of }) => of.key));
}

/**
 * Gives a device what its template asks for: sensors for required metrics and, where it has no transport yet, the default ones.
 * @param adopted metrics for which it has sensors already
 */
export async function furnish(
  scope: WriteScope,
  deviceId: number,
  { definition }: HeldTemplate,
  adopted: ReadonlySet<string> = new Set(),
): Promise<void> {
  const required = definition.metrics.filter((metric) => metric.required && !adopted.has(metric.key));
  await putSensors(
    scope,
    scope.tenantId,
    required.map((of) => ({ deviceId, moduleId: null, metric: of.key, of })),
  );
  if (definition.transports.length === 0) return;
  await scope.rows(sql`
    insert into device_transports (tenant_id, device_id, protocol, link, settings, is_primary)
    select ${scope.tenantId}::int, ${deviceId}::int, w ->> 'protocol', w ->> 'link', coalesce(w -> 'settings', '{}'), place = 1
    from jsonb_array_elements(${JSON.stringify(definition.transports)}::jsonb) with ordinality as t (w, place)
    where not exists (select from device_transports where device_id = ${deviceId}::int) order by place`);
}
