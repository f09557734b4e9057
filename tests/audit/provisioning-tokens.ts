import { expect } from 'vitest';
import type { Recipes, Scene } from './recipe.ts';

async function provisioningTokenId(scene: Scene, name: string): Promise<string> {
  const data = await scene.ask(
    `mutation { provisioningTokenCreate(input: { name: "${name}" }) { ... on ProvisioningTokenCreateSuccess { provisioningToken { id } } } }`,
  );
  return data.provisioningTokenCreate.provisioningToken.id;
}

export const provisioningTokens: Recipes = {
  provisioningTokenCreate: {
    table: 'provisioning_tokens',
    input: async () => ({ name: 'Factory', keyPrefix: 'pump-' }),
    target: 'Factory',
    before: null,
    after: { keyPrefix: 'pump-', siteId: null, maxDevicesPerHour: 100, expiresAt: expect.any(String) },
  },
  provisioningTokenRevoke: {
    table: 'provisioning_tokens',
    input: async (scene) => ({ id: await provisioningTokenId(scene, 'Spent') }),
    target: 'Spent',
    before: { revokedAt: null },
    after: { revokedAt: expect.any(String) },
  },
};
