import { builder } from '#api/graphql/builder.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import { siteRef } from '../sites/schema.ts';
import { findSite } from '../sites/service.ts';
import { findProvisioningToken, listProvisioningTokens } from './service.ts';
import { loadDeviceCount, type ProvisioningTokenRow } from './store.ts';

export const provisioningTokenRef = builder.objectRef<ProvisioningTokenRow>('ProvisioningToken');

builder.node(provisioningTokenRef, {
  description:
    'With it a device that does not exist yet makes itself by its first message over HTTP. The token itself is shown when it is made, never again.',
  id: { resolve: (token) => token.id },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : findProvisioningToken(operation, key);
  },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What people call it.' }),
    hint: t.exposeString('hint', { description: 'Its last four characters, to tell tokens apart.' }),
    keyPrefix: t.exposeString('keyPrefix', {
      description: 'What the key of a device must begin with; empty for any.',
    }),
    site: t.field({
      type: siteRef,
      nullable: true,
      description: 'Where the devices that it makes are; null for nowhere.',
      resolve: ({ siteId }, _args, operation) => (siteId === null ? null : findSite(operation, siteId)),
    }),
    maxDevicesPerHour: t.exposeInt('maxDevicesPerHour', {
      description: 'How many devices it makes within an hour at most.',
    }),
    deviceCount: t.int({
      description: 'How many devices it has made.',
      resolve: ({ id }, _args, operation) => loadDeviceCount(operation, id),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it is good.' }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null when it was not.',
    }),
  }),
});

const connectionRef = builder.connectionObject(
  {
    type: provisioningTokenRef,
    name: 'ProvisioningTokenConnection',
    description: 'A page of provisioning tokens.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many provisioning tokens the whole list has, whatever the page.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'ProvisioningTokenEdge', description: 'A provisioning token in a page.' },
);

builder.queryField('provisioningTokens', (t) =>
  t.connection(
    {
      type: provisioningTokenRef,
      description: 'Provisioning tokens of the tenant, newest first, the revoked and expired ones too.',
      complexity: pageCost,
      resolve: (_root, args, operation) => listProvisioningTokens(operation, args),
    },
    connectionRef,
  ),
);
