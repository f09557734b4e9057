import { builder } from '#api/graphql/builder.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { NotFoundFault } from '#api/graphql/errors.ts';
import { deviceStatusEnum } from '../devices/schema.ts';
import { connectivityEnum } from '../presence/schema.ts';
import { type OperatorAccess, openAccess } from './access.ts';
import type { DeadLetterRow, OperatedDeviceRow } from './devices-store.ts';
import { platformLogEntryRef, platformLogFilterInput } from './log-schema.ts';
import { readDurability, readGateways, readLeases } from './processes-store.ts';
import {
  findDevices,
  listDeadLetters,
  listPlatformLog,
  listProcesses,
  listStreams,
  listTenants,
  lookAtTenant,
} from './service.ts';
import { durabilityRef, gatewayRef, leaseRef, processBalanceRef, streamRef } from './streams-schema.ts';
import { operatedTenantRef, tenantStatusEnum } from './tenants-schema.ts';
import { loadOperatedTenant } from './tenants-store.ts';

const operatedDeviceRef = builder.objectRef<OperatedDeviceRow>('OperatedDevice').implement({
  description: 'A device of any tenant as operators of the platform see it.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Names the device within its tenant.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    tenant: t.field({
      type: operatedTenantRef,
      description: 'Whose it is.',
      async resolve({ tenantId }, _args, operation) {
        const tenant = await loadOperatedTenant(operation, tenantId);
        if (!tenant) throw new NotFoundFault('the tenant is gone');
        return tenant;
      },
    }),
    status: t.field({
      type: deviceStatusEnum,
      description: 'What its owner says about it.',
      resolve: (device) => device.status,
    }),
    connection: t.field({
      type: connectivityEnum,
      description: 'Whether it is connected.',
      resolve: (device) => device.connection,
    }),
    lastSeenAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Its last traffic; null when it was never heard of.',
      resolve: (device) => device.lastSeenAt,
    }),
  }),
});

const deadLetterRef = builder.objectRef<DeadLetterRow>('DeadLetter').implement({
  description: 'A message that was given up, kept for an operator of the platform to look into.',
  fields: (t) => ({
    id: t.exposeString('id', { description: 'Its number.' }),
    tenant: t.field({
      type: operatedTenantRef,
      nullable: true,
      description: 'Whose it was, where that is known.',
      resolve: async ({ tenantId }, _args, operation) =>
        tenantId === null ? null : loadOperatedTenant(operation, tenantId),
    }),
    stream: t.exposeString('stream', { description: 'The stream it came on.' }),
    sequence: t.exposeFloat('sequence', { description: 'Its place on that stream.' }),
    itemIndex: t.exposeInt('itemIndex', {
      description: 'Which item of the message, from 0; -1 for the whole of it.',
    }),
    reason: t.exposeString('reason', { description: 'Why it was given up.' }),
    payloadBytes: t.exposeInt('payloadBytes', { description: 'Length of what was kept of it, in bytes.' }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was given up.',
      resolve: (letter) => letter.createdAt,
    }),
  }),
});

const tenantFilterInput = builder.inputType('TenantFilter', {
  description: 'Which tenants. All conditions must hold; what is absent or null does not limit.',
  fields: (t) => ({
    search: t.string({ description: 'Part of the slug or the name, in any case.' }),
    statuses: t.field({ type: [tenantStatusEnum], description: 'One of these.' }),
  }),
});

const tenantConnectionRef = builder.connectionObject(
  {
    type: operatedTenantRef,
    name: 'OperatedTenantConnection',
    description: 'A page of tenants.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many tenants the whole list has, whatever the page.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'OperatedTenantEdge', description: 'A tenant in a page.' },
);
const deviceConnectionRef = builder.connectionObject(
  { type: operatedDeviceRef, name: 'OperatedDeviceConnection', description: 'A page of devices.' },
  { name: 'OperatedDeviceEdge', description: 'A device in a page.' },
);
const deadLetterConnectionRef = builder.connectionObject(
  { type: deadLetterRef, name: 'DeadLetterConnection', description: 'A page of dead letters.' },
  { name: 'DeadLetterEdge', description: 'A dead letter in a page.' },
);
const logConnectionRef = builder.connectionObject(
  {
    type: platformLogEntryRef,
    name: 'PlatformAuditConnection',
    description: 'A page of the platform’s log.',
  },
  { name: 'PlatformAuditEdge', description: 'An entry in a page.' },
);

const tenantArg = 'Slug of the only tenant to look at. It finds this in its own audit log.';

const operatorRef = builder.objectRef<OperatorAccess>('Operator').implement({
  description:
    'The platform across all tenants. Whoever looks stands in the platform’s own log before anything is read, with the reason; a tenant that is looked at by name finds it in its own audit log too.',
  fields: (t) => ({
    tenants: t.connection(
      {
        type: operatedTenantRef,
        description: 'Tenants, by slug.',
        complexity: pageCost,
        args: {
          where: t.arg({ type: tenantFilterInput, description: 'Which ones; all of them by default.' }),
        },
        resolve: (access, { where, ...page }) => listTenants(access, page, where ?? {}),
      },
      tenantConnectionRef,
    ),
    tenant: t.field({
      type: operatedTenantRef,
      nullable: true,
      description: 'One tenant, null where there is none. It finds this in its own audit log.',
      args: { slug: t.arg.string({ required: true, description: 'Its slug.' }) },
      resolve: async (access, { slug }) => (await lookAtTenant(access, slug)) ?? null,
    }),
    devices: t.connection(
      {
        type: operatedDeviceRef,
        description: 'Devices of every tenant, by key.',
        complexity: pageCost,
        args: {
          search: t.arg.string({
            required: true,
            description: 'Part of the key, name or serial number, in any case; at least 2 characters.',
          }),
          tenant: t.arg.string({ description: tenantArg }),
        },
        resolve: (access, { search, tenant, ...page }) => findDevices(access, page, { search, tenant }),
      },
      deviceConnectionRef,
    ),
    streams: t.field({
      type: [streamRef],
      description: 'What waits on the bus, and who is behind.',
      complexity: { field: 10, multiplier: 10 },
      resolve: listStreams,
    }),
    gateways: t.field({
      type: [gatewayRef],
      description: 'Gateways, the one heard of last first; at most 500.',
      complexity: { field: 10, multiplier: 10 },
      resolve: ({ operation }) => readGateways(operation),
    }),
    leases: t.field({
      type: [leaseRef],
      description: 'Which worker leads in what; at most 500.',
      complexity: { field: 10, multiplier: 10 },
      resolve: ({ operation }) => readLeases(operation),
    }),
    processes: t.field({
      type: [processBalanceRef],
      description: 'What each process took from devices lately, and what became of it; at most 500.',
      complexity: { field: 50, multiplier: 10 },
      args: {
        minutes: t.arg.int({
          required: true,
          defaultValue: 5,
          description: 'How far back, 1 to 60 minutes.',
        }),
      },
      resolve: ({ operation }, { minutes }) => listProcesses(operation, minutes),
    }),
    durability: t.field({
      type: durabilityRef,
      description: 'What a commit is worth here.',
      resolve: ({ operation }) => readDurability(operation),
    }),
    deadLetters: t.connection(
      {
        type: deadLetterRef,
        description: 'Messages that were given up, newest first.',
        complexity: pageCost,
        args: {
          stream: t.arg.string({ description: 'Only those of this stream.' }),
          tenant: t.arg.string({ description: tenantArg }),
        },
        resolve: (access, { stream, tenant, ...page }) => listDeadLetters(access, page, { stream, tenant }),
      },
      deadLetterConnectionRef,
    ),
    audit: t.connection(
      {
        type: platformLogEntryRef,
        description: 'What operators looked at and did, newest first.',
        complexity: pageCost,
        args: {
          where: t.arg({
            type: platformLogFilterInput,
            description: 'Which entries; all of them by default.',
          }),
        },
        resolve: (access, { where, ...page }) => listPlatformLog(access, page, where ?? {}),
      },
      logConnectionRef,
    ),
  }),
});

builder.queryField('operator', (t) =>
  t.field({
    type: operatorRef,
    description:
      'Looks across tenants. For operators of the platform, who must say why. Needs `platform.operate`.',
    complexity: 10,
    args: {
      reason: t.arg.string({
        required: true,
        description: 'Why, in 8 to 500 characters, for example the number of a ticket and what it is about.',
      }),
    },
    resolve: (_root, { reason }, operation, info) => openAccess(operation, reason, info),
  }),
);
