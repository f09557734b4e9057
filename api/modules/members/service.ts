import type { WriteScope } from '#api/database/writes.ts';
import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput, NotFoundFault } from '#api/graphql/errors.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import { countMembers, loadMember, type MemberFilter, type MemberRow, readMembers } from './store.ts';

const MAX_SEARCH = 200;

/** Those who were removed are found by id too. */
export async function findMember(operation: Operation, id: number): Promise<MemberRow | undefined> {
  requirePermission(operation, 'members.read');
  return loadMember(operation, id);
}

/** The member of a mutation's answer, read after the commit. */
export async function requireMember(operation: Operation, id: number): Promise<MemberRow> {
  const member = await loadMember(operation, id);
  if (!member) throw new NotFoundFault('the member is gone');
  return member;
}

/** @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits */
export async function listMembers(
  operation: Operation,
  args: PageArgs,
  filter: MemberFilter,
): Promise<Page<MemberRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'members.read');
  if ((filter.search?.length ?? 0) > MAX_SEARCH)
    throw badInput(`search takes at most ${MAX_SEARCH} characters`);
  if (filter.search?.includes('\0')) throw badInput('search must not hold NUL');
  return { ...(await readMembers(operation, args, filter)), count: () => countMembers(operation, filter) };
}

/** Tells every API process to ask again what this person may do. */
export const announceMember = (scope: WriteScope, subject: string): Promise<void> =>
  scope.publishControl('member', `user:${subject}`, 0);
