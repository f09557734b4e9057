import { expect } from 'vitest';
import type { Recipes, Scene } from './recipe.ts';

async function keyId(scene: Scene, name: string): Promise<string> {
  const data = await scene.ask(
    `mutation { apiKeyCreate(input: { name: "${name}", role: VIEWER }) { ... on ApiKeyCreateSuccess { apiKey { id } } } }`,
  );
  return data.apiKeyCreate.apiKey.id;
}

export const apiKeys: Recipes = {
  apiKeyCreate: {
    table: 'api_keys',
    input: async () => ({ name: 'Made', role: 'VIEWER' }),
    target: 'Made',
    before: null,
    after: { name: 'Made', role: 'VIEWER', scopes: [], prefix: expect.any(String), expiresAt: null },
  },
  apiKeyRotate: {
    table: 'api_keys',
    input: async (scene) => ({ id: await keyId(scene, 'Turned') }),
    target: 'Turned',
    before: { previousExpiresAt: null },
    after: { previousExpiresAt: expect.any(String) },
  },
  apiKeyRevoke: {
    table: 'api_keys',
    input: async (scene) => ({ id: await keyId(scene, 'Ended') }),
    target: 'Ended',
    before: { revokedAt: null },
    after: { revokedAt: expect.any(String) },
  },
};
