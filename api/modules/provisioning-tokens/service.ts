import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { NotFoundFault } from '#api/graphql/errors.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import {
  countProvisioningTokens,
  loadProvisioningToken,
  type ProvisioningTokenRow,
  readProvisioningTokens,
} from './store.ts';

export async function findProvisioningToken(
  operation: Operation,
  id: number,
): Promise<ProvisioningTokenRow | undefined> {
  requirePermission(operation, 'devices.read');
  return loadProvisioningToken(operation, id);
}

/** The token of a mutation's answer, read after the commit. */
export async function requireProvisioningToken(
  operation: Operation,
  id: number,
): Promise<ProvisioningTokenRow> {
  const token = await findProvisioningToken(operation, id);
  if (!token) throw new NotFoundFault('the provisioning token is gone');
  return token;
}

export async function listProvisioningTokens(
  operation: Operation,
  args: PageArgs,
): Promise<Page<ProvisioningTokenRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'devices.read');
  return {
    ...(await readProvisioningTokens(operation, args)),
    count: () => countProvisioningTokens(operation),
  };
}
