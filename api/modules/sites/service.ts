import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput, NotFoundFault } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import {
  countSites,
  loadRollup,
  loadSite,
  readSiteByKey,
  readSiteIds,
  readSites,
  type SiteFilter,
  type SiteRollup,
  type SiteRow,
} from './store.ts';

const MAX_SEARCH_LENGTH = 200;

export async function findSite(operation: Operation, id: number): Promise<SiteRow | undefined> {
  requirePermission(operation, 'sites.read');
  return loadSite(operation, id);
}

/** By its id or by its key; undefined when the tenant has no such site. */
export async function findSiteBy(
  operation: Operation,
  by: { readonly id?: string | null | undefined; readonly key?: string | null | undefined },
): Promise<SiteRow | undefined> {
  requirePermission(operation, 'sites.read');
  if (by.key != null) return by.key.includes('\0') ? undefined : readSiteByKey(operation, by.key);
  const id = readRowId(by.id ?? '', 'Site');
  return id === undefined ? undefined : loadSite(operation, id);
}

/** @throws GraphQLError with code BAD_USER_INPUT for a search beyond its limits */
export async function listSites(
  operation: Operation,
  args: PageArgs,
  filter: SiteFilter,
): Promise<Page<SiteRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'sites.read');
  if ((filter.search?.length ?? 0) > MAX_SEARCH_LENGTH)
    throw badInput(`search takes at most ${MAX_SEARCH_LENGTH} characters`);
  if (filter.search?.includes('\0')) throw badInput('a filter must not hold NUL');
  return {
    ...(await readSites(operation, args, filter)),
    count: () => countSites(operation, filter),
  };
}

/** The sites among these keys that there are. */
export async function findSiteIds(operation: Operation, keys: readonly string[]): Promise<number[]> {
  requirePermission(operation, 'sites.read');
  return readSiteIds(operation, keys);
}

export async function rollupOf(operation: Operation, siteId: number): Promise<SiteRollup> {
  requirePermission(operation, 'devices.read');
  return loadRollup(operation, siteId);
}

/** The site of a mutation's answer, read after the commit. */
export async function requireSite(operation: Operation, id: number): Promise<SiteRow> {
  const site = await findSite(operation, id);
  if (!site) throw new NotFoundFault('the site is gone');
  return site;
}
