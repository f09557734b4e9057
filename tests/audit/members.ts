import { expect } from 'vitest';
import type { Recipes, Scene } from './recipe.ts';

async function memberId({ api, ask }: Scene, subject: string): Promise<string> {
  await api.ask(await api.issuer.token({ tenant: 'acme', subject }), '{ viewer { name } }');
  const data = await ask(`{ members(where: { search: "${subject}" }) { nodes { id } } }`);
  return data.members.nodes[0].id;
}

export const members: Recipes = {
  memberUpdate: {
    table: 'members',
    input: async (scene) => ({ id: await memberId(scene, 'raised'), role: 'OPERATOR' }),
    target: 'raised',
    before: { role: 'ADMIN', roleSource: 'PROVIDER' },
    after: { role: 'OPERATOR', roleSource: 'TENANT' },
  },
  memberRemove: {
    table: 'members',
    input: async (scene) => {
      await memberId(scene, 'staying');
      return { id: await memberId(scene, 'leaving') };
    },
    target: 'leaving',
    before: { role: 'ADMIN', removedAt: null },
    after: { role: 'ADMIN', removedAt: expect.any(String) },
  },
};
