import { z } from 'zod';
import type { InvitationRecord } from '#api/database/credentials.ts';
import type { WriteScope } from '#api/database/writes.ts';
import type { Operation } from '#api/graphql/context.ts';
import {
  ConflictFault,
  type InvitationFault,
  InvitationRefusal,
  NotFoundFault,
  type Refusal,
  ValidationFault,
} from '#api/graphql/errors.ts';
import { type Done, runMutation } from '#api/graphql/mutations.ts';
import { ROLES } from '#core/auth/permissions.ts';
import type { Person } from '#core/auth/viewer.ts';
import { announceMember } from '../members/service.ts';
import { faultOf, readOffer } from './service.ts';

const acceptedSchema = z.object({
  tenantSlug: z.string(),
  tenantName: z.string(),
  role: z.enum(ROLES),
});
export type InvitationAccepted = z.output<typeof acceptedSchema>;

const PATH = ['input', 'token'];
const SAID: Readonly<Record<InvitationFault, string>> = {
  ACCEPTED: 'the invitation was used already',
  EXPIRED: 'the invitation has expired; ask for a new one',
  OTHER_ADDRESS: 'the invitation is for another e-mail address; sign in with the one it was made for',
  REVOKED: 'the invitation was taken back',
};

/**
 * Makes the person a member of the tenant that invited them, in whose name it runs: of what the viewer may do elsewhere
 * nothing counts.
 */
export async function acceptInvitation(
  operation: Operation,
  input: { readonly token: string; readonly clientMutationId?: string | null | undefined },
): Promise<InvitationAccepted | Refusal<'InvitationError'>> {
  const { person } = operation.viewer;
  if (!person) {
    const message = 'an invitation is for a person; sign in as one';
    return new ValidationFault([{ path: PATH, message }]).toUserError();
  }
  const offer = await readOffer(operation, input.token);
  if (!offer) return new NotFoundFault('there is no such invitation', PATH).toUserError();
  const { tenant, role } = offer;
  const inTenant: Operation = {
    ...operation,
    viewer: {
      ...operation.viewer,
      tenantId: tenant.id,
      tenantSlug: tenant.slug,
      role,
      permissions: new Set(),
    },
  };
  return runMutation(inTenant, {
    name: 'invitationAccept',
    permission: null,
    refusals: ['InvitationError'],
    input,
    read: (remembered) => acceptedSchema.parse(remembered),
    run: (scope) => join(scope, offer, person),
  });
}

async function join(
  scope: WriteScope,
  offer: InvitationRecord,
  person: Person,
): Promise<Done<InvitationAccepted>> {
  const { prisma, tenantId } = scope;
  const [current] = await prisma.$queryRaw<Pick<InvitationRecord, 'acceptedAt' | 'revokedAt'>[]>`
    select accepted_at as "acceptedAt", revoked_at as "revokedAt" from invitations where id = ${offer.id} for update`;
  const fault = faultOf({ ...offer, ...current }, person);
  if (fault) throw new InvitationRefusal(fault, SAID[fault], PATH);
  const { issuer, subject, name, email } = person;
  const { role, tenant, tenantName } = offer;
  const [member] = await prisma.$queryRaw<{ id: number }[]>`
    insert into members (tenant_id, issuer, subject, name, email, role, origin, role_source)
    values (${tenantId}, ${issuer}, ${subject}, ${name}, ${email}, ${role}::role_name, 'INVITATION', 'TENANT')
    on conflict (tenant_id, issuer, subject) do update set name = excluded.name, email = excluded.email,
      role = excluded.role, origin = 'INVITATION', role_source = 'TENANT', removed_at = null
      where members.removed_at is not null
    returning id`;
  if (!member) throw new ConflictFault('you are a member of this tenant already', PATH, null);
  await prisma.$executeRaw`update invitations set accepted_at = now() where id = ${offer.id}`;
  await announceMember(scope, subject);
  return {
    success: { tenantSlug: tenant.slug, tenantName, role },
    audit: {
      target: { type: 'Member', id: member.id, label: name },
      before: null,
      after: { email, role, invitedBy: offer.invitedBy },
    },
  };
}
