import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { AuditChange } from '#api/graphql/audit.ts';
import { type Operation, requireGrantable } from '#api/graphql/context.ts';
import { ForbiddenFault, LastAdminFault, NotFoundFault, type Refusal } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { parseInput } from '#api/graphql/input.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { permissionsOf, ROLES } from '#core/auth/permissions.ts';
import { announceMember } from './service.ts';
import { type LockedMember, lockMembers } from './store.ts';

const updateSchema = z.object({ role: z.enum(ROLES) });
const changedSchema = z.object({ memberId: z.number() });
export type MemberChanged = z.output<typeof changedSchema>;

type WithId = { readonly id: string; readonly clientMutationId?: string | null | undefined };

/** Gives a member a role, which the identity provider's claims no longer change. */
export function updateMember(
  operation: Operation,
  input: WithId & { readonly role: string },
): Promise<MemberChanged | Refusal<'LastAdminError'>> {
  return runMutation(operation, {
    name: 'memberUpdate',
    permission: 'members.manage',
    refusals: ['LastAdminError'],
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const { role } = parseInput(updateSchema, input);
      requireGrantable(operation, permissionsOf(role));
      const member = await takeMember(operation, scope, input.id, role === 'ADMIN');
      await scope.prisma.$executeRaw`
        update members set role = ${role}::role_name, role_source = 'TENANT' where id = ${member.id}`;
      await announceMember(scope, member.subject);
      return {
        success: { memberId: member.id },
        audit: {
          target: targetOf(member),
          before: { role: member.role, roleSource: member.roleSource },
          after: { role, roleSource: 'TENANT' },
        },
      };
    },
  });
}

/** Puts a member out of the tenant, with every session of theirs. Only an invitation brings them back. */
export function removeMember(
  operation: Operation,
  input: WithId,
): Promise<MemberChanged | Refusal<'LastAdminError'>> {
  return runMutation(operation, {
    name: 'memberRemove',
    permission: 'members.manage',
    refusals: ['LastAdminError'],
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const member = await takeMember(operation, scope, input.id, false);
      const removedAt = new Date();
      await scope.prisma.$executeRaw`update members set removed_at = ${removedAt} where id = ${member.id}`;
      await announceMember(scope, member.subject);
      return {
        success: { memberId: member.id },
        audit: {
          target: targetOf(member),
          before: { role: member.role, removedAt: null },
          after: { role: member.role, removedAt: removedAt.toISOString() },
        },
      };
    },
  });
}

/**
 * The member, locked.
 * @param staysAdmin whether they are an admin after the change
 * @throws NotFoundFault, LastAdminFault; ForbiddenFault when the viewer has just been made less than an admin
 */
async function takeMember(
  operation: Operation,
  scope: WriteScope,
  globalId: string,
  staysAdmin: boolean,
): Promise<LockedMember> {
  const { kind, rowId } = operation.viewer;
  const { member, admins } = await lockMembers(scope, readRowId(globalId, 'Member'));
  if (kind === 'USER' && !admins.some(({ id }) => id === rowId)) throw new ForbiddenFault('members.manage');
  if (!member) throw new NotFoundFault('there is no such member', ['input', 'id']);
  const isLast = admins.length === 1 && admins[0]?.id === member.id;
  if (isLast && !staysAdmin) throw new LastAdminFault(['input', 'id']);
  return member;
}

const targetOf = ({ id, name }: LockedMember): AuditChange['target'] => ({ type: 'Member', id, label: name });
