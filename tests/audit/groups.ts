import { makeDevice, type Recipes, type Scene } from './recipe.ts';

async function groupId(scene: Scene, key: string): Promise<string> {
  const data = await scene.ask(
    `mutation { groupCreate(input: { key: "${key}", name: "Group" }) { ... on GroupCreateSuccess { group { id } } } }`,
  );
  return data.groupCreate.group.id;
}

const made = { name: 'Group', description: '', kind: 'STATIC', filter: null };

export const groups: Recipes = {
  groupCreate: {
    table: 'device_groups',
    input: async () => ({ key: 'cold', filter: { tagsAny: ['cold'], search: null } }),
    target: 'cold',
    before: null,
    after: { key: 'cold', name: 'cold', description: '', kind: 'DYNAMIC', filter: { tagsAny: ['cold'] } },
  },
  groupUpdate: {
    table: 'device_groups',
    input: async (scene) => ({ id: await groupId(scene, 'renamed'), name: 'Another' }),
    target: 'renamed',
    before: { name: 'Group' },
    after: { name: 'Another' },
  },
  groupAddDevices: {
    table: 'device_group_members',
    input: async (scene) => ({
      id: await groupId(scene, 'filled'),
      target: { ids: [(await makeDevice(scene, 'put-in')).id] },
    }),
    target: 'filled',
    before: null,
    after: { matched: 1, changed: 1 },
  },
  groupRemoveDevices: {
    table: 'audit_entries',
    input: async (scene) => {
      await makeDevice(scene, 'taken-out');
      const id = await groupId(scene, 'emptied');
      const target = { where: { keys: ['taken-out'] } };
      await scene.ask(
        'mutation ($input: GroupAddDevicesInput!) { groupAddDevices(input: $input) { __typename } }',
        { input: { id, target } },
      );
      return { id, target };
    },
    target: 'emptied',
    before: null,
    after: { matched: 1, changed: 1 },
  },
  groupDelete: {
    table: 'audit_entries',
    input: async (scene) => ({ id: await groupId(scene, 'forgotten') }),
    target: 'forgotten',
    before: { key: 'forgotten', ...made },
    after: null,
  },
};
