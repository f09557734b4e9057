import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { NotFoundFault } from '#api/graphql/errors.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import { type ApiKeyRow, countApiKeys, loadApiKey, readApiKeys } from './store.ts';

export async function findApiKey(operation: Operation, id: number): Promise<ApiKeyRow | undefined> {
  requirePermission(operation, 'apiKeys.manage');
  return loadApiKey(operation, id);
}

/** The key of a mutation's answer, read after the commit. */
export async function requireApiKey(operation: Operation, id: number): Promise<ApiKeyRow> {
  const key = await findApiKey(operation, id);
  if (!key) throw new NotFoundFault('the API key is gone');
  return key;
}

export async function listApiKeys(
  operation: Operation,
  args: PageArgs,
): Promise<Page<ApiKeyRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'apiKeys.manage');
  return { ...(await readApiKeys(operation, args)), count: () => countApiKeys(operation) };
}
