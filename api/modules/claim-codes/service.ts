import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { NotFoundFault } from '#api/graphql/errors.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import {
  type ClaimCodeRow,
  countClaimCodes,
  loadClaimCode,
  loadClaimCodesOf,
  readClaimCodes,
} from './store.ts';

export type ClaimCodeState = 'OPEN' | 'CLAIMED' | 'EXPIRED' | 'REVOKED';

/** What a code is good for at `now`. */
export function stateOfCode(code: ClaimCodeRow, now = Date.now()): ClaimCodeState {
  if (code.claimedAt) return 'CLAIMED';
  if (code.revokedAt) return 'REVOKED';
  return code.expiresAt.getTime() <= now ? 'EXPIRED' : 'OPEN';
}

export async function findClaimCodeById(operation: Operation, id: number): Promise<ClaimCodeRow | undefined> {
  requirePermission(operation, 'devices.read');
  return loadClaimCode(operation, id);
}

/** The code of a mutation's answer, read after the commit. */
export async function requireClaimCode(operation: Operation, id: number): Promise<ClaimCodeRow> {
  const code = await findClaimCodeById(operation, id);
  if (!code) throw new NotFoundFault('the claim code is gone');
  return code;
}

export async function listClaimCodesOf(operation: Operation, deviceId: number): Promise<ClaimCodeRow[]> {
  requirePermission(operation, 'devices.read');
  return [...(await loadClaimCodesOf(operation, deviceId))];
}

export async function listClaimCodes(
  operation: Operation,
  args: PageArgs,
): Promise<Page<ClaimCodeRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'devices.read');
  return { ...(await readClaimCodes(operation, args)), count: () => countClaimCodes(operation) };
}
