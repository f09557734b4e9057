import { expect } from 'vitest';
import { makeDevice, type Recipes, type Scene } from './recipe.ts';

const targetOf = async (scene: Scene, key: string) => ({ ids: [(await makeDevice(scene, key)).id] });
const onOne = { table: 'devices', target: '1 device', before: null };
const changed = { matched: 1, changed: 1, failed: 0 };

export const jobs: Recipes = {
  devicesTag: {
    ...onOne,
    input: async (scene) => ({ target: await targetOf(scene, 'tagged'), tags: ['a', 'b', 'a'] }),
    after: { tags: ['a', 'b'], ...changed },
  },
  devicesUntag: {
    ...onOne,
    input: async (scene) => {
      const target = await targetOf(scene, 'untagged');
      await scene.ask('mutation ($input: DevicesTagInput!) { devicesTag(input: $input) { __typename } }', {
        input: { target, tags: ['a'] },
      });
      return { target, tags: ['a'] };
    },
    after: { tags: ['a'], ...changed },
  },
  devicesSetSite: {
    ...onOne,
    input: async (scene) => {
      await scene.acme.site('bulk');
      return { target: await targetOf(scene, 'placed'), siteKey: 'bulk' };
    },
    after: { siteId: expect.any(Number), ...changed },
  },
  devicesSetStatus: {
    ...onOne,
    input: async (scene) => ({ target: await targetOf(scene, 'kept-out'), status: 'DISABLED' }),
    after: { status: 'DISABLED', ...changed },
  },
  devicesAddToGroup: {
    ...onOne,
    table: 'device_group_members',
    input: async (scene) => {
      await scene.ask('mutation { groupCreate(input: { key: "bulk" }) { __typename } }');
      return { target: await targetOf(scene, 'grouped'), groupKey: 'bulk' };
    },
    after: { groupId: expect.any(Number), ...changed },
  },
  jobCancel: {
    table: 'fleet_jobs',
    input: async (scene) => {
      await scene.acme.devices(101, 'many');
      const { devicesTag } = await scene.ask(
        `mutation { devicesTag(input: { target: { where: { search: "many-" } }, tags: ["x"] }) {
          ... on DevicesTagSuccess { job { id } } } }`,
      );
      return { id: devicesTag.job.id };
    },
    target: 'devicesTag',
    before: { status: 'QUEUED' },
    after: { status: 'CANCELLED', done: 0, failed: 0, total: 101 },
  },
};
