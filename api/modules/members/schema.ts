import { builder } from '#api/graphql/builder.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import { roleEnum } from '../viewer/schema.ts';
import { findMember, listMembers } from './service.ts';
import type { MemberRow } from './store.ts';

const roleSourceEnum = builder.enumType('RoleSource', {
  description: 'Whose word a member’s role is.',
  values: {
    PROVIDER: { description: 'The identity provider’s: the role follows its claims.' },
    TENANT: { description: 'An admin’s of the tenant: claims do not change it.' },
  },
});

const memberOriginEnum = builder.enumType('MemberOrigin', {
  description: 'What brought a member into the tenant.',
  values: {
    PROVIDER: { description: 'The identity provider’s claims name the tenant, and must go on doing so.' },
    INVITATION: { description: 'An invitation.' },
  },
});

export const memberRef = builder.objectRef<MemberRow>('Member');

builder.node(memberRef, {
  description: 'A person who belongs to the tenant.',
  id: { resolve: (member) => member.id },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : findMember(operation, key);
  },
  fields: (t) => ({
    subject: t.exposeString('subject', {
      description: 'Who it is at the identity provider. An audit entry’s actor is `user:` and this.',
    }),
    name: t.exposeString('name', { description: 'What the provider calls them.' }),
    email: t.exposeString('email', { nullable: true, description: 'E-mail address, where known.' }),
    role: t.field({
      type: roleEnum,
      description: 'What they may do. One that follows the claims is as of their last request.',
      resolve: (member) => member.role,
    }),
    roleSource: t.field({
      type: roleSourceEnum,
      description: 'Whose word the role is.',
      resolve: (member) => member.roleSource,
    }),
    origin: t.field({
      type: memberOriginEnum,
      description: 'What brought them.',
      resolve: (member) => member.origin,
    }),
    firstSignInAt: t.field({
      type: 'DateTime',
      description: 'When they first came in.',
      resolve: (member) => member.firstSignInAt,
    }),
    lastSignInAt: t.field({
      type: 'DateTime',
      description: 'When their newest session began.',
      resolve: (member) => member.lastSignInAt,
    }),
    removedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When an admin put them out; null while they belong to the tenant.',
      resolve: (member) => member.removedAt,
    }),
  }),
});

const memberConnectionRef = builder.connectionObject(
  {
    type: memberRef,
    name: 'MemberConnection',
    description: 'A page of members.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many members the whole list has, whatever the page.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'MemberEdge', description: 'A member in a page.' },
);

const memberFilterInput = builder.inputType('MemberFilter', {
  description: 'Which members. All conditions must hold; what is absent or null does not limit.',
  fields: (t) => ({
    search: t.string({ description: 'Part of the name or the e-mail address, in any case.' }),
    roles: t.field({ type: [roleEnum], description: 'One of these roles.' }),
  }),
});

builder.queryField('members', (t) =>
  t.connection(
    {
      type: memberRef,
      description:
        'People of the tenant, by name; those who were removed are left out. Needs `members.read`.',
      complexity: pageCost,
      args: { where: t.arg({ type: memberFilterInput, description: 'Which ones; all of them by default.' }) },
      resolve: (_root, { where, ...page }, operation) => listMembers(operation, page, where ?? {}),
    },
    memberConnectionRef,
  ),
);
