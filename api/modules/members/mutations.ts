import { defineMutation, type SuccessFields } from '#api/graphql/define-mutation.ts';
import { roleEnum } from '../viewer/schema.ts';
import { type MemberChanged, removeMember, updateMember } from './changes.ts';
import { memberRef } from './schema.ts';
import { requireMember } from './service.ts';

const changedFields: SuccessFields<MemberChanged> = (t) => ({
  member: t.field({
    type: memberRef,
    description: 'The member as it is now.',
    resolve: ({ memberId }, _args, operation) => requireMember(operation, memberId),
  }),
});

defineMutation({
  name: 'memberUpdate',
  description:
    'Gives a member a role, at most one that the viewer has. The last admin stays one. Needs `members.manage`.',
  input: {
    description: 'A member to give a role.',
    argument: 'Whom, and the role.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which member.' }),
      role: t.field({
        type: roleEnum,
        required: true,
        description: 'The role. From now on the identity provider’s claims do not change it.',
      }),
    }),
  },
  refusals: ['LastAdminError'],
  run: (operation, { input }) => updateMember(operation, input),
  result: 'What came of giving a member a role.',
  success: {
    description:
      'The role counts at once. Open sockets of the member are closed with 4403 within a second and resume in the new role.',
    fields: changedFields,
  },
});

defineMutation({
  name: 'memberRemove',
  description:
    'Puts a member out of the tenant; only an invitation brings them back. The last admin stays. Needs `members.manage`.',
  input: {
    description: 'A member to put out of the tenant.',
    argument: 'Whom.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which member.' }),
    }),
  },
  refusals: ['LastAdminError'],
  run: (operation, { input }) => removeMember(operation, input),
  result: 'What came of removing a member.',
  success: {
    description:
      'The member is out: requests are refused, and open sockets are closed with 4403 within a second.',
    fields: changedFields,
  },
});
