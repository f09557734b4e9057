import type { Recipes, Scene } from './recipe.ts';

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
  groupDelete: {
    table: 'audit_entries',
    input: async (scene) => ({ id: await groupId(scene, 'forgotten') }),
    target: 'forgotten',
    before: { key: 'forgotten', ...made },
    after: null,
  },
};
