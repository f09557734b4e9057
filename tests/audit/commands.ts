import { expect } from 'vitest';
import { makeDevice, type Recipes } from './recipe.ts';

export const commands: Recipes = {
  commandSend: {
    table: 'device_commands',
    input: async (scene) => ({
      deviceId: (await makeDevice(scene, 'told')).id,
      ...{ type: 'join', params: { ssid: 'plant', password: 'hunter2' } },
    }),
    target: 'join for told',
    before: null,
    after: {
      ...{ device: 'told', type: 'join', expiresAt: expect.any(String) },
      params: { ssid: 'plant', password: '[redacted]' },
    },
  },
  commandSendMany: {
    table: 'fleet_jobs',
    input: async (scene) => ({
      target: { ids: [(await makeDevice(scene, 'told-too')).id] },
      ...{ type: 'join', params: { password: 'hunter2' } },
    }),
    target: '1 device',
    before: null,
    after: { matched: 1, type: 'join', params: { password: '[redacted]' }, expiresAt: expect.any(String) },
  },
  commandCancel: {
    table: 'device_commands',
    input: async (scene) => {
      const { id } = await makeDevice(scene, 'untold');
      const data = await scene.ask(
        `mutation { commandSend(input: { deviceId: "${id}", type: "join" }) { ... on CommandSendSuccess { command { id } } } }`,
      );
      return { id: data.commandSend.command.id };
    },
    target: 'join for untold',
    before: { status: 'QUEUED' },
    after: { status: 'CANCELLED' },
  },
};
