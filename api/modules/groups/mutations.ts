import { defineMutation, type InputBuilder, type SuccessFields } from '#api/graphql/define-mutation.ts';
import { deviceFilterInput, deviceTargetInput } from '../devices/schema.ts';
import { createGroup, deleteGroup, type GroupChanged, updateGroup } from './changes.ts';
import { addDevices, type MembersChanged, removeDevices } from './members.ts';
import { groupRef } from './schema.ts';
import { requireGroup } from './service.ts';

const changedFields: SuccessFields<GroupChanged> = (t) => ({
  group: t.field({
    type: groupRef,
    description: 'The group as it is now.',
    resolve: ({ groupId }, _args, operation) => requireGroup(operation, groupId),
  }),
});

const NAME = 'At most 200 characters';
const DESCRIPTION = 'What it is for; at most 2 000 characters.';

defineMutation({
  name: 'groupCreate',
  description:
    'Makes a group: a dynamic one with a filter, a static one without. At most 500 a tenant, 100 of them dynamic. Needs `groups.write`.',
  input: {
    description: 'A group to make.',
    argument: 'The group.',
    fields: (t) => ({
      key: t.string({
        required: true,
        description:
          '1 to 63 of a-z 0-9 - beginning with a letter or digit; unique in the tenant, never changes.',
      }),
      name: t.string({ description: `${NAME}; the key by default.` }),
      description: t.string({ description: DESCRIPTION }),
      filter: t.field({
        type: deviceFilterInput,
        description: 'Makes it dynamic: its devices are those that meet the filter. Names no groups.',
      }),
    }),
  },
  run: (operation, { input }) => createGroup(operation, input),
  result: 'What came of making a group.',
  success: { description: 'The group exists.', fields: changedFields },
});

defineMutation({
  name: 'groupUpdate',
  description: 'Changes a group. Needs `groups.write`.',
  input: {
    description: 'Changes to a group. What is absent or null stays.',
    argument: 'The changes.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which group.' }),
      expectedVersion: t.int({ description: 'Version the caller has seen; another one is a ConflictError.' }),
      name: t.string({ description: `${NAME}.` }),
      description: t.string({ description: DESCRIPTION }),
      filter: t.field({
        type: deviceFilterInput,
        description: 'All of the filter; of a dynamic group only. Names no groups.',
      }),
    }),
  },
  run: (operation, { input }) => updateGroup(operation, input),
  result: 'What came of changing a group.',
  success: { description: 'The group was changed.', fields: changedFields },
});

defineMutation({
  name: 'groupDelete',
  description: 'Forgets a group; its devices stay. Needs `groups.write`.',
  input: {
    description: 'A group to forget.',
    argument: 'Which group.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Which group.' }),
      expectedVersion: t.int({ description: 'Version the caller has seen; another one is a ConflictError.' }),
    }),
  },
  run: (operation, { input }) => deleteGroup(operation, input),
  result: 'What came of forgetting a group.',
  success: {
    description: 'The group is gone.',
    fields: (t) => ({
      key: t.exposeString('key', { description: 'Key of the group that is gone.' }),
    }),
  },
});

const membersInput = (target: string) => ({
  description: `${target}.`,
  argument: 'The group and the devices.',
  fields: (t: InputBuilder) => ({
    id: t.id({ required: true, description: 'Which group; a static one.' }),
    target: t.field({ type: deviceTargetInput, required: true, description: `${target}.` }),
    dryRun: t.boolean({ description: 'Only counts; changes nothing. False by default.' }),
  }),
});

const membersFields: SuccessFields<MembersChanged> = (t) => ({
  group: t.field({
    type: groupRef,
    description: 'The group as it is now.',
    resolve: ({ groupId }, _args, operation) => requireGroup(operation, groupId),
  }),
  matched: t.exposeInt('matched', { description: 'Devices of the target.' }),
  changed: t.exposeInt('changed', { description: 'Of those, how many went in or out, or would.' }),
});

defineMutation({
  name: 'groupAddDevices',
  description:
    'Puts devices into a static group, at most 10 000 at once; decommissioned ones are left out. Needs `groups.write`.',
  input: membersInput('Devices to put into a group'),
  run: (operation, { input }) => addDevices(operation, input),
  result: 'What came of putting devices into a group.',
  success: { description: 'They are in the group.', fields: membersFields },
});

defineMutation({
  name: 'groupRemoveDevices',
  description: 'Takes devices out of a static group, at most 10 000 at once. Needs `groups.write`.',
  input: membersInput('Devices to take out of a group'),
  run: (operation, { input }) => removeDevices(operation, input),
  result: 'What came of taking devices out of a group.',
  success: { description: 'They are not in the group.', fields: membersFields },
});
