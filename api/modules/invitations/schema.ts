import type { InvitationRecord } from '#api/database/credentials.ts';
import { builder } from '#api/graphql/builder.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import { invitationFaultEnum } from '#api/graphql/user-errors.ts';
import { roleEnum } from '../viewer/schema.ts';
import { faultOf, findInvitation, listInvitations, readOffer } from './service.ts';
import type { InvitationRow } from './store.ts';

export const invitationRef = builder.objectRef<InvitationRow>('Invitation');

builder.node(invitationRef, {
  description:
    'An offer to join the tenant, made to one e-mail address. Its token is shown when it is made, never again.',
  id: { resolve: (invitation) => invitation.id },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : findInvitation(operation, key);
  },
  fields: (t) => ({
    email: t.exposeString('email', { description: 'Whom it is for.' }),
    role: t.field({
      type: roleEnum,
      description: 'What they will be.',
      resolve: (invitation) => invitation.role,
    }),
    invitedBy: t.exposeString('invitedBy', { description: 'Name of who made it, as it was then.' }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was made.',
      resolve: (invitation) => invitation.createdAt,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When it ends.',
      resolve: (invitation) => invitation.expiresAt,
    }),
    acceptedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was accepted; null while it is not.',
      resolve: (invitation) => invitation.acceptedAt,
    }),
    revokedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was taken back; null while it is not.',
      resolve: (invitation) => invitation.revokedAt,
    }),
  }),
});

const invitationConnectionRef = builder.connectionObject(
  {
    type: invitationRef,
    name: 'InvitationConnection',
    description: 'A page of invitations.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many invitations the whole list has, whatever the page.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'InvitationEdge', description: 'An invitation in a page.' },
);

const invitationOfferRef = builder.objectRef<InvitationRecord>('InvitationOffer').implement({
  description: 'An invitation as whoever holds its token sees it.',
  fields: (t) => ({
    tenantName: t.exposeString('tenantName', { description: 'What the tenant that invites is called.' }),
    role: t.field({
      type: roleEnum,
      description: 'What one would be there.',
      resolve: (offer) => offer.role,
    }),
    email: t.exposeString('email', { description: 'Whom it is for.' }),
    invitedBy: t.exposeString('invitedBy', { description: 'Who made it.' }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When it ends.',
      resolve: (offer) => offer.expiresAt,
    }),
    fault: t.field({
      type: invitationFaultEnum,
      nullable: true,
      description: 'Why it does not let the viewer in; null when it does.',
      resolve: (offer, _args, { viewer }) => faultOf(offer, viewer.person) ?? null,
    }),
  }),
});

builder.queryFields((t) => ({
  invitations: t.connection(
    {
      type: invitationRef,
      description: 'Invitations of the tenant, newest first. Needs `members.manage`.',
      complexity: pageCost,
      args: {
        pendingOnly: t.arg.boolean({
          defaultValue: false,
          description: 'Only those that can still be accepted.',
        }),
      },
      resolve: (_root, { pendingOnly, ...page }, operation) =>
        listInvitations(operation, page, pendingOnly === true),
    },
    invitationConnectionRef,
  ),
  invitationOffer: t.field({
    type: invitationOfferRef,
    nullable: true,
    description:
      'The invitation behind a token, null where there is none. Also for somebody who belongs to no tenant yet.',
    args: { token: t.arg.string({ required: true, description: 'The token of the invitation.' }) },
    resolve: (_root, { token }, operation) => readOffer(operation, token),
  }),
}));
