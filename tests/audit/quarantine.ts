import { expect } from 'vitest';
import { seedQuarantine } from '../kit/quarantine.ts';
import type { Recipes } from './recipe.ts';

export const quarantine: Recipes = {
  quarantineReplay: {
    table: 'quarantine_jobs',
    input: async ({ api, acme }) => ({
      target: { ids: [await seedQuarantine(api.database.admin, acme, 'replayed')] },
      fix: { text: '{"password":"hunter2"}' },
    }),
    target: '1 message',
    before: null,
    after: { matched: 1, target: { ids: [expect.any(String)] }, fix: { replaced: true, bytes: 22 } },
  },
  quarantineDiscard: {
    table: 'quarantine_jobs',
    input: async ({ api, acme }) => {
      await seedQuarantine(api.database.admin, acme, 'discarded');
      await seedQuarantine(api.database.admin, acme, 'discarded');
      return { target: { where: { deviceKey: 'discarded' } } };
    },
    target: '2 messages',
    before: null,
    after: { matched: 2, target: { deviceKey: 'discarded' } },
  },
};
