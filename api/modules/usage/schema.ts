import { builder } from '#api/graphql/builder.ts';
import { NotFoundFault } from '#api/graphql/errors.ts';
import { tenantRef } from '../tenants/schema.ts';
import { DAY_MINUTES, fillMinutes, HOUR_MINUTES, sumOf, type Usage, usageOf } from './service.ts';
import type { UsageRow } from './store.ts';

const countsRef = builder.objectRef<UsageRow>('UsageCounts').implement({
  description: 'What devices sent in a stretch of time, over MQTT and HTTP.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'When it begins.', resolve: (counts) => counts.from }),
    messages: t.exposeFloat('messages', { description: 'Messages that were published.' }),
    bytes: t.exposeFloat('bytes', {
      description: 'Their payloads, over MQTT together with their topics, in bytes.',
    }),
    throttled: t.exposeFloat('throttled', {
      description: 'How often a connection was made to wait for a limit. Nothing was lost by it.',
    }),
    refused: t.exposeFloat('refused', {
      description: 'Messages over HTTP answered 429, connects refused, and sessions ended, for a limit.',
    }),
  }),
});

const limitsRef = builder.objectRef<Usage['limits']>('TenantLimits').implement({
  description:
    'How much a tenant and each of its devices may send. Over a limit MQTT is read more slowly and then disconnected, and HTTP answers 429.',
  fields: (t) => ({
    messagesPerSecond: t.exposeFloat('messagesPerSecond', { description: 'Of all its devices together.' }),
    bytesPerSecond: t.exposeFloat('bytesPerSecond', { description: 'Of all its devices together.' }),
    connectsPerSecond: t.exposeFloat('connectsPerSecond', { description: 'Of all its devices together.' }),
    deviceMessagesPerSecond: t.exposeFloat('deviceMessagesPerSecond', { description: 'Of each device.' }),
    deviceBytesPerSecond: t.exposeFloat('deviceBytesPerSecond', { description: 'Of each device.' }),
    deviceConnectsPerSecond: t.exposeFloat('deviceConnectsPerSecond', { description: 'Of each device.' }),
    burstSeconds: t.exposeFloat('burstSeconds', {
      description: 'So many seconds’ worth may come at once after a quiet time.',
    }),
    own: t.exposeStringList('own', {
      description: 'The names of those that were set for this tenant; the others are everybody’s.',
    }),
  }),
});

const usageRef = builder.objectRef<Usage>('TenantUsage').implement({
  description: 'What a tenant may send and what it sent; some ten seconds behind.',
  fields: (t) => ({
    limits: t.field({
      type: limitsRef,
      description: 'What it may send.',
      resolve: ({ limits }) => limits,
    }),
    minute: t.field({
      type: countsRef,
      description: 'The present minute so far.',
      resolve: (usage) => sumOf(usage, 1),
    }),
    hour: t.field({
      type: countsRef,
      description: 'The last 60 minutes, the present one among them.',
      resolve: (usage) => sumOf(usage, HOUR_MINUTES),
    }),
    day: t.field({
      type: countsRef,
      description: 'The last 24 hours, the present minute among them.',
      resolve: (usage) => sumOf(usage, DAY_MINUTES),
    }),
    minutes: t.field({
      type: [countsRef],
      description: 'Minute by minute, oldest first; the last one is the present minute.',
      complexity: { field: 1, multiplier: 20 },
      args: {
        last: t.arg.int({
          required: true,
          defaultValue: HOUR_MINUTES,
          description: 'How many of the newest; 1 to 1 440.',
        }),
      },
      resolve: (usage, { last }) => fillMinutes(usage, Math.min(Math.max(1, last), DAY_MINUTES)),
    }),
  }),
});

builder.objectField(tenantRef, 'usage', (t) =>
  t.field({
    type: usageRef,
    description: 'What the devices of this tenant may send and what they sent.',
    complexity: 20,
    resolve(tenant, _args, operation) {
      if (tenant.id !== operation.viewer.tenantId) throw new NotFoundFault('there is no such tenant');
      return usageOf(operation);
    },
  }),
);
