import { defineMutation } from '#api/graphql/define-mutation.ts';
import { roleEnum } from '../viewer/schema.ts';
import { acceptInvitation } from './accept.ts';
import { inviteMember, revokeInvitation } from './changes.ts';
import { invitationRef } from './schema.ts';
import { requireInvitation } from './service.ts';

defineMutation({
  name: 'memberInvite',
  description:
    'Invites somebody by e-mail address, in a role that the viewer has; at most 500 invitations are open. Needs `members.manage`.',
  input: {
    description: 'Somebody to invite.',
    argument: 'Whom, and as what.',
    fields: (t) => ({
      email: t.string({
        required: true,
        description: 'Whom. Only who signs in with this address, in any case, can accept.',
      }),
      role: t.field({ type: roleEnum, required: true, description: 'What they will be.' }),
      lifetimeSeconds: t.int({
        description: 'How long it can be accepted, 60 to 2 592 000 seconds; 604 800 (7 days) by default.',
      }),
    }),
  },
  run: (operation, { input }) => inviteMember(operation, input),
  result: 'What came of inviting somebody.',
  success: {
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
  },
});

defineMutation({
  name: 'invitationRevoke',
  description: 'Takes an invitation back that nobody has accepted. Needs `members.manage`.',
  input: {
    description: 'An invitation to take back.',
    argument: 'Which one.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which invitation.' }),
    }),
  },
  run: (operation, { input }) => revokeInvitation(operation, input),
  result: 'What came of taking an invitation back.',
  success: {
    description: 'The invitation lets nobody in any more.',
    fields: (t) => ({
      invitation: t.field({
        type: invitationRef,
        description: 'The invitation as it is now.',
        resolve: ({ invitationId }, _args, operation) => requireInvitation(operation, invitationId),
      }),
    }),
  },
});

defineMutation({
  name: 'invitationAccept',
  description:
    'Makes the viewer a member of the tenant that invited them. For a person, also one who belongs to no tenant yet.',
  input: {
    description: 'An invitation to accept.',
    argument: 'The token.',
    fields: (t) => ({
      token: t.string({ required: true, description: 'The token of the invitation.' }),
    }),
  },
  refusals: ['InvitationError'],
  run: (operation, { input }) => acceptInvitation(operation, input),
  result: 'What came of accepting an invitation.',
  success: {
    description: 'The viewer is a member of the tenant now.',
    fields: (t) => ({
      tenantSlug: t.exposeString('tenantSlug', {
        description:
          'Names the tenant in the header `x-fleetgraph-tenant`, for somebody who belongs to several.',
      }),
      tenantName: t.exposeString('tenantName', { description: 'What the tenant is called.' }),
      role: t.field({
        type: roleEnum,
        description: 'What the viewer is there.',
        resolve: ({ role }) => role,
      }),
    }),
  },
});
