import { expect } from 'vitest';
import type { Recipes } from './recipe.ts';

export const templateMigrations: Recipes = {
  templateMigrate: {
    table: 'devices',
    async input({ ask }) {
      await ask(
        `mutation { templateCreate(input: { key: "moved", name: "Moved", category: EDGE_DEVICE, definition: {} }) { __typename }
          deviceCreate(input: { key: "mover", templateKey: "moved", withToken: false }) { __typename } }`,
      );
      const { template } = await ask('{ template(by: { key: "moved" }) { id } }');
      await ask(
        `mutation ($id: ID!) { templateUpdate(input: { id: $id, expectedVersion: 1, definition: { expectedIntervalSeconds: 7 } }) { __typename } }`,
        { id: template.id },
      );
      return { templateKey: 'moved', target: { where: { templateKeys: ['moved'] } } };
    },
    target: '1 device',
    before: null,
    after: {
      ...{ templateId: expect.any(Number), templateKey: 'moved', toVersion: 2 },
      ...{ matched: 1, changed: 1, failed: 0 },
    },
  },
};
