import { builder } from '#api/graphql/builder.ts';
import { MUTATION_COST } from '#api/graphql/cost.ts';
import { mutationIdDescription } from '#api/graphql/mutations.ts';
import {
  conflictErrorRef,
  forbiddenErrorRef,
  invitationErrorRef,
  notFoundErrorRef,
  resultTypeOf,
  validationErrorRef,
} from '#api/graphql/user-errors.ts';
import { acceptInvitation } from './accept.ts';
import { type InvitationRevoked, inviteMember, type MemberInvited, revokeInvitation } from './changes.ts';
import { acceptSuccessRef, invitationRef, memberInviteInput } from './schema.ts';
import { requireInvitation } from './service.ts';

const invitationRevokeInput = builder.inputType('InvitationRevokeInput', {
  description: 'An invitation to take back.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which invitation.' }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const invitationAcceptInput = builder.inputType('InvitationAcceptInput', {
  description: 'An invitation to accept.',
  fields: (t) => ({
    token: t.string({ required: true, description: 'The token of the invitation.' }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const inviteSuccessRef = builder.objectRef<MemberInvited>('MemberInviteSuccess').implement({
  description: 'The invitation is there. Nobody is told by e-mail: hand the link on.',
  fields: (t) => ({
    invitation: t.field({
      type: invitationRef,
      description: 'The stored side of it.',
      resolve: ({ invitationId }, _args, operation) => requireInvitation(operation, invitationId),
    }),
    token: t.exposeString('token', {
      description: 'What `invitationAccept` takes. Only its hash is kept: note it now.',
    }),
    link: t.string({
      description:
        'The console’s page that accepts it. The token stands behind `#`, so that no server’s log has it.',
      resolve: ({ token }, _args, { platform }) => `${platform.addresses.httpUrl}/invitation#${token}`,
    }),
  }),
});

const revokeSuccessRef = builder.objectRef<InvitationRevoked>('InvitationRevokeSuccess').implement({
  description: 'The invitation lets nobody in any more.',
  fields: (t) => ({
    invitation: t.field({
      type: invitationRef,
      description: 'The invitation as it is now.',
      resolve: ({ invitationId }, _args, operation) => requireInvitation(operation, invitationId),
    }),
  }),
});

const faults = [validationErrorRef, notFoundErrorRef, conflictErrorRef, forbiddenErrorRef] as const;

const memberInviteResult = builder.unionType('MemberInviteResult', {
  description: 'What came of inviting somebody.',
  types: [inviteSuccessRef, ...faults],
  resolveType: resultTypeOf('MemberInviteSuccess'),
});

const invitationRevokeResult = builder.unionType('InvitationRevokeResult', {
  description: 'What came of taking an invitation back.',
  types: [revokeSuccessRef, ...faults],
  resolveType: resultTypeOf('InvitationRevokeSuccess'),
});

const invitationAcceptResult = builder.unionType('InvitationAcceptResult', {
  description: 'What came of accepting an invitation.',
  types: [acceptSuccessRef, invitationErrorRef, ...faults],
  resolveType: resultTypeOf('InvitationAcceptSuccess'),
});

builder.mutationFields((t) => ({
  memberInvite: t.field({
    type: memberInviteResult,
    description:
      'Invites somebody by e-mail address, in a role that the viewer has; at most 500 invitations are open. Needs `members.manage`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: memberInviteInput, required: true, description: 'Whom, and as what.' }) },
    resolve: (_root, { input }, operation) => inviteMember(operation, input),
  }),
  invitationRevoke: t.field({
    type: invitationRevokeResult,
    description: 'Takes an invitation back that nobody has accepted. Needs `members.manage`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: invitationRevokeInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, operation) => revokeInvitation(operation, input),
  }),
  invitationAccept: t.field({
    type: invitationAcceptResult,
    description:
      'Makes the viewer a member of the tenant that invited them. For a person, also one who belongs to no tenant yet.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: invitationAcceptInput, required: true, description: 'The token.' }) },
    resolve: (_root, { input }, operation) => acceptInvitation(operation, input),
  }),
}));
