import { builder } from '#api/graphql/builder.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import { loadTenant, type TenantRow } from './store.ts';

export const tenantRef = builder.objectRef<TenantRow>('Tenant');

builder.node(tenantRef, {
  description: 'A customer of the platform. Everything belongs to exactly one.',
  id: { resolve: (tenant) => tenant.id },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : loadTenant(operation, key);
  },
  fields: (t) => ({
    slug: t.exposeString('slug', { description: 'Names the tenant in topics and tokens; never changes.' }),
    name: t.exposeString('name', { description: 'What people call the tenant.' }),
    retentionDays: t.exposeInt('retentionDays', { description: 'How many days readings are kept.' }),
  }),
});
