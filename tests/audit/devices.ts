import { expect } from 'vitest';
import { makeDevice, type Recipes } from './recipe.ts';

export const devices: Recipes = {
  deviceCreate: {
    table: 'devices',
    input: async () => ({ key: 'made', attributes: { wifi: { password: 'hunter2' }, floor: 3 } }),
    target: 'made',
    before: null,
    after: expect.objectContaining({
      key: 'made',
      attributes: { wifi: { password: '[redacted]' }, floor: 3 },
    }),
  },
  deviceUpdate: {
    table: 'devices',
    input: async (scene) => ({ id: (await makeDevice(scene, 'changed')).id, name: 'New name', model: null }),
    target: 'changed',
    before: { name: 'changed' },
    after: { name: 'New name' },
  },
  deviceDecommission: {
    table: 'devices',
    input: async (scene) => ({ id: (await makeDevice(scene, 'gone')).id }),
    target: 'gone',
    before: { status: 'ACTIVE' },
    after: { status: 'DECOMMISSIONED', credentialsRevoked: 1 },
  },
  deviceTokenIssue: {
    table: 'device_credentials',
    input: async (scene) => ({ deviceId: (await makeDevice(scene, 'given')).id }),
    target: 'given',
    before: null,
    after: { hint: expect.any(String), expiresAt: null },
  },
  deviceTokenRevoke: {
    table: 'device_credentials',
    input: async (scene) => ({ id: (await makeDevice(scene, 'taken')).tokenId, reason: 'lost' }),
    target: 'taken',
    before: { hint: expect.any(String), revokedAt: null },
    after: { hint: expect.any(String), revokedAt: expect.any(String), reason: 'lost' },
  },
};
