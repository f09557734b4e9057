import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import { type Operation, requireGrantable } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { parseInput } from '#api/graphql/input.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { createInvitation } from '#core/auth/invitations.ts';
import { permissionsOf, ROLES } from '#core/auth/permissions.ts';

/** Enough for every team, few enough to look through. */
const MAX_PENDING = 500;
const DAY_SECONDS = 86_400;

const inviteSchema = z.object({
  email: z
    .string()
    .trim()
    .max(254, 'must have at most 254 characters')
    .regex(/^[^\s@\0]+@[^\s@\0]+$/, 'must be an e-mail address'),
  role: z.enum(ROLES),
  lifetimeSeconds: z
    .number()
    .int()
    .min(60, 'must be at least 60')
    .max(30 * DAY_SECONDS, 'must be at most 2 592 000 (30 days)')
    .nullish()
    .transform((seconds) => seconds ?? 7 * DAY_SECONDS),
});

const invitedSchema = z.object({ invitationId: z.number(), token: z.string() });
const revokedSchema = z.object({ invitationId: z.number() });
export type MemberInvited = z.output<typeof invitedSchema>;
export type InvitationRevoked = z.output<typeof revokedSchema>;

type WithMutationId = { readonly clientMutationId?: string | null | undefined };

/** Makes an invitation for one e-mail address. Its token is in the answer and nowhere else. */
export function inviteMember(
  operation: Operation,
  input: WithMutationId,
): Promise<MemberInvited | UserError> {
  return runMutation(operation, {
    name: 'memberInvite',
    permission: 'members.manage',
    input,
    secrets: ['token'],
    read: (remembered) => invitedSchema.parse(remembered),
    async run(scope) {
      const { email, role, lifetimeSeconds } = parseInput(inviteSchema, input);
      requireGrantable(operation, permissionsOf(role));
      await assertInvitable(scope, email);
      const { token, hash } = createInvitation(operation.platform.invitationKey);
      const expiresAt = new Date(Date.now() + lifetimeSeconds * 1000);
      const [made] = await scope.prisma.$queryRaw<{ id: number }[]>`
        insert into invitations (tenant_id, email, role, secret_hash, invited_by, expires_at)
        values (${scope.tenantId}, ${email}, ${role}::role_name, ${hash}, ${operation.viewer.name}, ${expiresAt})
        returning id`;
      const invitationId = made?.id ?? 0;
      return {
        success: { invitationId, token },
        audit: {
          target: { type: 'Invitation', id: invitationId, label: email },
          before: null,
          after: { email, role, expiresAt: expiresAt.toISOString() },
        },
      };
    },
  });
}

/** One invitation at a time in a tenant, so that two for one address do not pass each other. @throws ConflictFault */
async function assertInvitable({ prisma, tenantId }: WriteScope, email: string): Promise<void> {
  await prisma.$executeRaw`select pg_advisory_xact_lock(hashtextextended(${`invitations/${tenantId}`}, 0))`;
  const path = ['input', 'email'];
  const members = await prisma.$queryRaw<unknown[]>`
    select from members where lower(email) = lower(${email}) and removed_at is null`;
  if (members.length > 0)
    throw new ConflictFault('somebody with this address is a member already', path, null);
  const pending = await prisma.$queryRaw<{ same: boolean }[]>`
    select lower(email) = lower(${email}) as same from invitations
    where accepted_at is null and revoked_at is null and expires_at > now()`;
  if (pending.some(({ same }) => same))
    throw new ConflictFault('this address has an open invitation; revoke it first', path, null);
  if (pending.length >= MAX_PENDING)
    throw new ConflictFault(`a tenant has at most ${MAX_PENDING} open invitations`, path, null);
}

/** Takes an invitation back that nobody has accepted. */
export function revokeInvitation(
  operation: Operation,
  input: WithMutationId & { readonly id: string },
): Promise<InvitationRevoked | UserError> {
  return runMutation(operation, {
    name: 'invitationRevoke',
    permission: 'members.manage',
    input,
    read: (remembered) => revokedSchema.parse(remembered),
    async run({ prisma }) {
      const id = readRowId(input.id, 'Invitation') ?? 0;
      const path = ['input', 'id'];
      const [found] = await prisma.$queryRaw<
        { email: string; acceptedAt: Date | null; revokedAt: Date | null }[]
      >`
        select email, accepted_at as "acceptedAt", revoked_at as "revokedAt" from invitations where id = ${id} for update`;
      if (!found) throw new NotFoundFault('there is no such invitation', path);
      if (found.acceptedAt)
        throw new ConflictFault('the invitation was accepted already; remove the member', path, null);
      if (found.revokedAt) throw new ConflictFault('the invitation is revoked already', path, null);
      const revokedAt = new Date();
      await prisma.$executeRaw`update invitations set revoked_at = ${revokedAt} where id = ${id}`;
      return {
        success: { invitationId: id },
        audit: {
          target: { type: 'Invitation', id, label: found.email },
          before: { revokedAt: null },
          after: { revokedAt: revokedAt.toISOString() },
        },
      };
    },
  });
}
