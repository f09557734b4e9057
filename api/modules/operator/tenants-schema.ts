import { builder } from '#api/graphql/builder.ts';
import { TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import {
  loadDeviceCounts,
  loadLastReading,
  loadTraffic,
  type OperatedTenantRow,
  type Traffic,
} from './tenants-store.ts';

export const tenantStatusEnum = builder.enumType('TenantStatus', {
  description: 'What operators of the platform say about a tenant.',
  values: {
    ACTIVE: { description: 'Its devices and people are let in.' },
    SUSPENDED: { description: 'Nobody of it is let in; its data is kept.' },
    DELETING: { description: 'As suspended, until its data is deleted.' },
  },
});

const trafficRef = builder.objectRef<Traffic>('OperatedTraffic').implement({
  description: 'What became of readings.',
  fields: (t) => ({
    accepted: t.exposeFloat('accepted', { description: 'Readings that came in.' }),
    stored: t.exposeFloat('stored', { description: 'Of those, how many were new and are stored.' }),
    duplicate: t.exposeFloat('duplicate', { description: 'Of those, how many were there already.' }),
    quarantined: t.exposeFloat('quarantined', { description: 'Of those, how many are in quarantine.' }),
    deadLettered: t.exposeFloat('deadLettered', { description: 'Of those, how many were given up.' }),
  }),
});

export const operatedTenantRef = builder.objectRef<OperatedTenantRow>('OperatedTenant').implement({
  description: 'A tenant as operators of the platform see it.',
  fields: (t) => ({
    slug: t.exposeString('slug', { description: 'Names the tenant in topics and tokens; never changes.' }),
    name: t.exposeString('name', { description: 'What people call the tenant.' }),
    status: t.field({
      type: tenantStatusEnum,
      description: 'Whether its devices and people are let in.',
      resolve: (tenant) => tenant.status,
    }),
    retentionDays: t.exposeInt('retentionDays', { description: 'How many days readings are kept.' }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was made.',
      resolve: (tenant) => tenant.createdAt,
    }),
    deleteAfter: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When its data begins to be deleted, and the deletion can no longer be called off; null while it is to stay.',
      resolve: (tenant) => tenant.deleteAfter,
    }),
    purgeStartedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When its data began to be deleted; null before.',
      resolve: (tenant) => tenant.purgeStartedAt,
    }),
    deviceCount: t.int({
      description: 'How many devices it has that are not decommissioned.',
      complexity: TOTAL_COUNT_COST / 10,
      resolve: async ({ id }, _args, operation) => (await loadDeviceCounts(operation, id)).devices,
    }),
    onlineCount: t.int({
      description: 'How many of those are connected.',
      complexity: TOTAL_COUNT_COST / 10,
      resolve: async ({ id }, _args, operation) => (await loadDeviceCounts(operation, id)).online,
    }),
    lastReadingAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Time of its newest reading; null while it has none.',
      complexity: TOTAL_COUNT_COST / 10,
      resolve: ({ id }, _args, operation) => loadLastReading(operation, id),
    }),
    today: t.field({
      type: trafficRef,
      description: 'What became of its readings within the current UTC day, up to some seconds ago.',
      complexity: TOTAL_COUNT_COST / 10,
      resolve: async ({ id }, _args, operation) => (await loadTraffic(operation, id)).today,
    }),
    total: t.field({
      type: trafficRef,
      description: 'What became of all its readings that there ever were.',
      complexity: TOTAL_COUNT_COST / 10,
      resolve: async ({ id }, _args, operation) => (await loadTraffic(operation, id)).total,
    }),
  }),
});
