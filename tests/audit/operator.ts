import { expect } from 'vitest';
import { seedTenant } from '../kit/seed.ts';
import { REASON, type Recipes, type Scene } from './recipe.ts';

async function tenantIn({ api }: Scene, slug: string, status: string): Promise<Record<string, unknown>> {
  await seedTenant(api.database.admin, slug);
  await api.database.admin.query(
    `update tenants set status = $2::tenant_status, delete_after = case when $2::tenant_status = 'DELETING' then now() + interval '1 day' end,
       status_before = case when $2::tenant_status = 'DELETING' then 'SUSPENDED'::tenant_status end where slug = $1`,
    [slug, status],
  );
  return { slug, reason: REASON };
}

export const operator: Recipes = {
  tenantCreate: {
    input: async () => ({ slug: 'created', name: 'Created', reason: REASON }),
    target: 'created',
    before: null,
    after: { slug: 'created', name: 'Created', retentionDays: 400 },
  },
  tenantSuspend: {
    input: (scene) => tenantIn(scene, 'suspended', 'ACTIVE'),
    target: 'suspended',
    before: { status: 'ACTIVE', deleteAfter: null },
    after: { status: 'SUSPENDED', deleteAfter: null },
  },
  tenantResume: {
    input: (scene) => tenantIn(scene, 'resumed', 'SUSPENDED'),
    target: 'resumed',
    before: { status: 'SUSPENDED', deleteAfter: null },
    after: { status: 'ACTIVE', deleteAfter: null },
  },
  tenantDelete: {
    input: (scene) => tenantIn(scene, 'deleted', 'ACTIVE'),
    target: 'deleted',
    before: { status: 'ACTIVE', deleteAfter: null },
    after: { status: 'DELETING', deleteAfter: expect.any(String) },
  },
  tenantDeleteCancel: {
    input: (scene) => tenantIn(scene, 'spared', 'DELETING'),
    target: 'spared',
    before: { status: 'DELETING', deleteAfter: expect.any(String) },
    after: { status: 'SUSPENDED', deleteAfter: null },
  },
};
