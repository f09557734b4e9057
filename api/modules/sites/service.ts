import { type Operation, requirePermission } from '#api/graphql/context.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import { countSites, loadSite, readSiteIds, readSites, type SiteRow } from './store.ts';

export async function findSite(operation: Operation, id: number): Promise<SiteRow | undefined> {
  requirePermission(operation, 'sites.read');
  return loadSite(operation, id);
}

export async function listSites(
  operation: Operation,
  args: PageArgs,
): Promise<Page<SiteRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'sites.read');
  return { ...(await readSites(operation, args)), count: () => countSites(operation) };
}

/** The sites among these keys that there are. */
export async function findSiteIds(operation: Operation, keys: readonly string[]): Promise<number[]> {
  requirePermission(operation, 'sites.read');
  return readSiteIds(operation, keys);
}
