import type { InvitationRecord } from '#api/database/credentials.ts';
import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { type InvitationFault, NotFoundFault } from '#api/graphql/errors.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import { hashInvitation } from '#core/auth/invitations.ts';
import type { Person } from '#core/auth/viewer.ts';
import { countInvitations, type InvitationRow, loadInvitation, readInvitations } from './store.ts';

export async function findInvitation(operation: Operation, id: number): Promise<InvitationRow | undefined> {
  requirePermission(operation, 'members.manage');
  return loadInvitation(operation, id);
}

/** The invitation of a mutation's answer, read after the commit. */
export async function requireInvitation(operation: Operation, id: number): Promise<InvitationRow> {
  const invitation = await findInvitation(operation, id);
  if (!invitation) throw new NotFoundFault('the invitation is gone');
  return invitation;
}

export async function listInvitations(
  operation: Operation,
  args: PageArgs,
  pendingOnly: boolean,
): Promise<Page<InvitationRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'members.manage');
  const count = () => countInvitations(operation, pendingOnly);
  return { ...(await readInvitations(operation, args, pendingOnly)), count };
}

/** The invitation behind a token, of whatever tenant; undefined where there is none or its tenant is closed. */
export async function readOffer(
  { platform }: Operation,
  token: string,
): Promise<InvitationRecord | undefined> {
  const invitation = await platform.findInvitation(hashInvitation(platform.invitationKey, token));
  return invitation?.tenant.status === 'ACTIVE' ? invitation : undefined;
}

/** Why an invitation does not let a person in now; undefined when it does. */
export function faultOf(
  { acceptedAt, revokedAt, expiresAt, email }: InvitationRecord,
  person: Person | null,
): InvitationFault | undefined {
  if (acceptedAt) return 'ACCEPTED';
  if (revokedAt) return 'REVOKED';
  if (expiresAt.getTime() <= Date.now()) return 'EXPIRED';
  const isTheirs = person?.emailVerified === true && person.email?.toLowerCase() === email.toLowerCase();
  return isTheirs ? undefined : 'OTHER_ADDRESS';
}
