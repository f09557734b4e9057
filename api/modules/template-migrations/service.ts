import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { type PlannedDevice, previewDevices, readDefinitions } from '#core/db/template-migration-plans.ts';
import { diffTemplates } from '#core/fleet/template-diff.ts';
import { compareVersions, type MigrationFault, type VersionChange } from '#core/fleet/template-migration.ts';
import type { TemplateDefinition } from '#core/fleet/templates.ts';
import { findTemplateBy, type TemplateRow, type VersionDiff } from '../templates/service.ts';
import { countByVersion, readWithModules } from './store.ts';

/** Devices with modules that are looked at, of each version. */
const MAX_LOOKED_AT = 1_000;
/** Devices that stay and are named, of each version. */
const MAX_NAMED = 100;

export interface MigrationPreview {
  readonly template: TemplateRow;
  readonly toVersion: number;
  /** From each version that devices have, oldest first. */
  readonly steps: readonly MigrationStep[];
}

/** What moving from one version does. */
export interface MigrationStep {
  readonly templateKey: string;
  readonly templateId: number;
  readonly fromVersion: number;
  readonly toVersion: number;
  readonly definition: TemplateDefinition;
  readonly devices: number;
  readonly change: VersionChange;
  readonly diff: VersionDiff;
}

/** A device that would stay. */
export interface Obstacle {
  readonly deviceId: number;
  readonly faults: readonly MigrationFault[];
}

/** Undefined when the tenant sees no such template, or it has no such version. */
export async function previewMigration(
  operation: Operation,
  of: { readonly templateKey: string; readonly toVersion?: number | null | undefined },
): Promise<MigrationPreview | undefined> {
  requirePermission(operation, 'devices.read');
  const template = await findTemplateBy(operation, { key: of.templateKey });
  if (!template) return undefined;
  const { id: templateId, key: templateKey } = template;
  const { tenantId } = operation.viewer;
  const toVersion = of.toVersion ?? template.version;
  const counts = (await countByVersion(operation, templateId)).filter(({ version }) => version !== toVersion);
  const versions = counts.map(({ version }) => version);
  const definitions = await readDefinitions(operation.read, tenantId, templateId, [...versions, toVersion]);
  const definition = definitions.get(toVersion);
  if (!definition) return undefined;
  const steps = counts.flatMap(({ version: fromVersion, devices }): MigrationStep[] => {
    const from = definitions.get(fromVersion);
    if (!from) return [];
    const change = compareVersions(from, definition);
    const diff = { from: fromVersion, to: toVersion, ...diffTemplates(from, definition) };
    return [{ templateKey, templateId, fromVersion, toVersion, definition, devices, change, diff }];
  });
  return { template, toVersion, steps };
}

/** Devices that would stay, and why: the first of them, by when they were made. */
export async function obstaclesOf(operation: Operation, step: MigrationStep): Promise<Obstacle[]> {
  const { templateId, fromVersion, toVersion, definition } = step;
  const deviceIds = await readWithModules(operation, templateId, fromVersion, MAX_LOOKED_AT);
  const { tenantId } = operation.viewer;
  const order = { tenantId, templateId, toVersion, definition, deviceIds };
  const planned = await previewDevices(operation.read, order);
  return planned.flatMap(toObstacle).slice(0, MAX_NAMED);
}

const toObstacle = ({ id, plan }: PlannedDevice): Obstacle[] =>
  'faults' in plan ? [{ deviceId: id, faults: plan.faults }] : [];
