import { makeDevice, type Recipes } from './recipe.ts';

export const shadow: Recipes = {
  shadowUpdate: {
    table: 'shadow_history',
    input: async (scene) => {
      const { id: deviceId } = await makeDevice(scene, 'shadowed');
      return { deviceId, desired: { mode: 'eco', wifi: { password: 'hunter2' } }, expectedVersion: 0 };
    },
    target: 'shadowed',
    before: { version: 0, desired: {} },
    after: { version: 1, desired: { mode: 'eco', wifi: { password: '[redacted]' } } },
  },
};
