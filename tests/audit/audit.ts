import type { Recipes } from './recipe.ts';

export const audit: Recipes = {
  auditExportCreate: {
    // Changes nothing: its entry is all it writes.
    table: 'audit_entries',
    input: async () => ({ format: 'CSV', where: { actions: ['deviceCreate'] } }),
    target: 'acme',
    before: null,
    after: { format: 'CSV', where: { actions: ['deviceCreate'] } },
  },
};
