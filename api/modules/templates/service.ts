import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput, NotFoundFault } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import { diffTemplates } from '#core/fleet/template-diff.ts';
import type { TemplateDefinition } from '#core/fleet/templates.ts';
import type { VersionDiff } from './diff-schema.ts';
import {
  countTemplates,
  loadDefinition,
  loadTemplate,
  loadUsage,
  loadVersions,
  readTemplateByKey,
  readTemplates,
  type TemplateFilter,
  type TemplateRow,
  type VersionRow,
  versionKey,
} from './store.ts';

export type { VersionDiff } from './diff-schema.ts';
export { type HeldTemplate, holdTemplate } from './hold.ts';
export type { TemplateRow } from './store.ts';

const MAX_SEARCH_LENGTH = 200;
const MAX_VERSIONS = 100;
/** Above every version there can be. */
const NO_VERSION = 2_147_483_647;

/** One of the tenant's own or of the platform's. */
export async function findTemplate(operation: Operation, id: number): Promise<TemplateRow | undefined> {
  requirePermission(operation, 'devices.read');
  return loadTemplate(operation, id);
}

/** By its id or by its key; undefined when the tenant sees no such template. */
export async function findTemplateBy(
  operation: Operation,
  by: { readonly id?: string | null | undefined; readonly key?: string | null | undefined },
): Promise<TemplateRow | undefined> {
  requirePermission(operation, 'devices.read');
  if (by.key != null) return by.key.includes('\0') ? undefined : readTemplateByKey(operation, by.key);
  const id = readRowId(by.id ?? '', 'DeviceTemplate');
  return id === undefined ? undefined : loadTemplate(operation, id);
}

/** The template of a mutation's answer, read after the commit. */
export async function requireTemplate(operation: Operation, id: number): Promise<TemplateRow> {
  const template = await findTemplate(operation, id);
  if (!template) throw new NotFoundFault('the template is gone');
  return template;
}

/** @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits */
export async function listTemplates(
  operation: Operation,
  args: PageArgs,
  filter: TemplateFilter,
): Promise<Page<TemplateRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'devices.read');
  const search = filter.search ?? '';
  if (search.length > MAX_SEARCH_LENGTH)
    throw badInput(`search takes at most ${MAX_SEARCH_LENGTH} characters`);
  if (search.includes('\0')) throw badInput('a filter must not hold NUL');
  return {
    ...(await readTemplates(operation, args, filter)),
    count: () => countTemplates(operation, filter),
  };
}

/** What a version says; undefined where there is no such version. */
export async function findDefinition(
  operation: Operation,
  templateId: number,
  version: number,
): Promise<TemplateDefinition | undefined> {
  requirePermission(operation, 'devices.read');
  if (version < 1 || version >= NO_VERSION) return undefined;
  return loadDefinition(operation, versionKey(templateId, version));
}

/** What a version that is there says. @throws Error when it is not */
export async function requireDefinition(
  operation: Operation,
  templateId: number,
  version: number,
): Promise<TemplateDefinition> {
  const definition = await findDefinition(operation, templateId, version);
  if (!definition) throw new Error(`version ${version} of template ${templateId} is not in the database`);
  return definition;
}

/** Newest first; with `before` only older ones than that. @throws a request error unless `first` is 1 to 100 */
export async function listVersions(
  operation: Operation,
  { id }: TemplateRow,
  { first, before }: { readonly first: number; readonly before?: number | null | undefined },
): Promise<readonly VersionRow[]> {
  if (first < 1 || first > MAX_VERSIONS) throw badInput(`first must be from 1 to ${MAX_VERSIONS}`);
  return loadVersions(operation, `${id}/${Math.max(0, before ?? NO_VERSION)}/${first}`);
}

/** What was done to `from` to make `to`, the newest by default; undefined where either is not there. */
export async function diffVersions(
  operation: Operation,
  template: TemplateRow,
  { from, to }: { readonly from: number; readonly to?: number | null | undefined },
): Promise<VersionDiff | undefined> {
  const target = to ?? template.version;
  const [before, after] = await Promise.all([
    findDefinition(operation, template.id, from),
    findDefinition(operation, template.id, target),
  ]);
  return before && after ? { from, to: target, ...diffTemplates(before, after) } : undefined;
}

/** How many devices and modules are made of a template, or of one version of it. */
export async function countUsage(
  operation: Operation,
  templateId: number,
  version?: number,
): Promise<{ readonly devices: number; readonly modules: number }> {
  const usage = await loadUsage(operation, templateId);
  const counted = version === undefined ? usage : usage.filter((part) => part.version === version);
  return {
    devices: counted.reduce((sum, { devices }) => sum + devices, 0),
    modules: counted.reduce((sum, { modules }) => sum + modules, 0),
  };
}
