import { expect } from 'vitest';
import type { Recipes, Scene } from './recipe.ts';

async function claimCodeId(scene: Scene, key: string): Promise<string> {
  const data = await scene.ask(
    `mutation { claimCodeCreate(input: { deviceKey: "${key}" }) { ... on ClaimCodeCreateSuccess { claimCode { id } } } }`,
  );
  return data.claimCodeCreate.claimCode.id;
}

export const claimCodes: Recipes = {
  claimCodeCreate: {
    table: 'claim_codes',
    input: async () => ({ deviceKey: 'claimed' }),
    target: expect.stringMatching(/^….{4}$/),
    before: null,
    after: { device: 'claimed', expiresAt: expect.any(String) },
  },
  claimCodeRevoke: {
    table: 'claim_codes',
    input: async (scene) => ({ id: await claimCodeId(scene, 'unclaimed') }),
    target: expect.stringMatching(/^….{4}$/),
    before: { revokedAt: null },
    after: { revokedAt: expect.any(String) },
  },
};
