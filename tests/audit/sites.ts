import type { Recipes, Scene } from './recipe.ts';

async function siteId(scene: Scene, key: string): Promise<string> {
  const data = await scene.ask(
    `mutation { siteCreate(input: { key: "${key}" }) { ... on SiteCreateSuccess { site { id } } } }`,
  );
  return data.siteCreate.site.id;
}

const hall = { name: 'hall', address: '', timezone: 'UTC', latitude: null, longitude: null };

export const sites: Recipes = {
  siteCreate: {
    table: 'sites',
    input: async () => ({
      key: 'built',
      timezone: 'Europe/Vienna',
      location: { latitude: 48, longitude: 16 },
    }),
    target: 'built',
    before: null,
    after: {
      key: 'built',
      name: 'built',
      address: '',
      timezone: 'Europe/Vienna',
      latitude: 48,
      longitude: 16,
    },
  },
  siteUpdate: {
    table: 'sites',
    input: async (scene) => ({ id: await siteId(scene, 'moved'), name: 'Moved', address: 'New street 1' }),
    target: 'moved',
    before: { name: 'moved', address: '' },
    after: { name: 'Moved', address: 'New street 1' },
  },
  siteDelete: {
    table: 'audit_entries',
    input: async (scene) => ({ id: await siteId(scene, 'hall') }),
    target: 'hall',
    before: { key: 'hall', ...hall },
    after: null,
  },
};
