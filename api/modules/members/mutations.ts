import { builder } from '#api/graphql/builder.ts';
import { MUTATION_COST } from '#api/graphql/cost.ts';
import { mutationIdDescription } from '#api/graphql/mutations.ts';
import {
  conflictErrorRef,
  forbiddenErrorRef,
  lastAdminErrorRef,
  notFoundErrorRef,
  resultTypeOf,
  validationErrorRef,
} from '#api/graphql/user-errors.ts';
import { type MemberChanged, removeMember, updateMember } from './changes.ts';
import { memberRef, memberUpdateInput } from './schema.ts';
import { requireMember } from './service.ts';

const memberRemoveInput = builder.inputType('MemberRemoveInput', {
  description: 'A member to put out of the tenant.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Which member.' }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const changedRef = (name: 'MemberUpdateSuccess' | 'MemberRemoveSuccess', description: string) =>
  builder.objectRef<MemberChanged>(name).implement({
    description,
    fields: (t) => ({
      member: t.field({
        type: memberRef,
        description: 'The member as it is now.',
        resolve: ({ memberId }, _args, operation) => requireMember(operation, memberId),
      }),
    }),
  });

const updateSuccessRef = changedRef(
  'MemberUpdateSuccess',
  'The role counts at once. Open sockets of the member are closed with 4403 within a second and resume in the new role.',
);
const removeSuccessRef = changedRef(
  'MemberRemoveSuccess',
  'The member is out: requests are refused, and open sockets are closed with 4403 within a second.',
);

const faults = [
  validationErrorRef,
  notFoundErrorRef,
  conflictErrorRef,
  forbiddenErrorRef,
  lastAdminErrorRef,
] as const;

const memberUpdateResult = builder.unionType('MemberUpdateResult', {
  description: 'What came of giving a member a role.',
  types: [updateSuccessRef, ...faults],
  resolveType: resultTypeOf('MemberUpdateSuccess'),
});

const memberRemoveResult = builder.unionType('MemberRemoveResult', {
  description: 'What came of removing a member.',
  types: [removeSuccessRef, ...faults],
  resolveType: resultTypeOf('MemberRemoveSuccess'),
});

builder.mutationFields((t) => ({
  memberUpdate: t.field({
    type: memberUpdateResult,
    description:
      'Gives a member a role, at most one that the viewer has. The last admin stays one. Needs `members.manage`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: memberUpdateInput, required: true, description: 'Whom, and the role.' }) },
    resolve: (_root, { input }, operation) => updateMember(operation, input),
  }),
  memberRemove: t.field({
    type: memberRemoveResult,
    description:
      'Puts a member out of the tenant; only an invitation brings them back. The last admin stays. Needs `members.manage`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: memberRemoveInput, required: true, description: 'Whom.' }) },
    resolve: (_root, { input }, operation) => removeMember(operation, input),
  }),
}));
