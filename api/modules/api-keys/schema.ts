import { builder } from '#api/graphql/builder.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import { roleEnum } from '../viewer/schema.ts';
import { findApiKey, listApiKeys } from './service.ts';
import type { ApiKeyRow } from './store.ts';

export const apiKeyRef = builder.objectRef<ApiKeyRow>('ApiKey');

builder.node(apiKeyRef, {
  description: 'What a program signs in with. Its secret is shown when it is made, never again.',
  id: { resolve: (key) => key.id },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : findApiKey(operation, key);
  },
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What people call it.' }),
    prefix: t.exposeString('prefix', {
      description: 'How its token begins, for example `fgk_0123456789ab`; stays the same when it is rotated.',
    }),
    role: t.field({ type: roleEnum, description: 'What it may do.', resolve: (key) => key.role }),
    scopes: t.stringList({
      description: 'What of its role it may do, as permissions; empty: all of it. Sorted.',
      resolve: (key) => [...key.scopes],
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was made.',
      resolve: (key) => key.createdAt,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it ends; null when it does not.',
      resolve: (key) => key.expiresAt,
    }),
    lastUsedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to the minute; null when never.',
      resolve: (key) => key.lastUsedAt,
    }),
    revokedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null while it is not.',
      resolve: (key) => key.revokedAt,
    }),
    previousExpiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Until when the secret before the last rotation is still good; null when it is not.',
      resolve: (key) => key.previousExpiresAt,
    }),
  }),
});

const apiKeyConnectionRef = builder.connectionObject(
  {
    type: apiKeyRef,
    name: 'ApiKeyConnection',
    description: 'A page of API keys.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many API keys the whole list has, whatever the page.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'ApiKeyEdge', description: 'An API key in a page.' },
);

builder.queryField('apiKeys', (t) =>
  t.connection(
    {
      type: apiKeyRef,
      description:
        'API keys of the tenant, newest first, revoked and expired ones too. Needs `apiKeys.manage`.',
      complexity: pageCost,
      resolve: (_root, args, operation) => listApiKeys(operation, args),
    },
    apiKeyConnectionRef,
  ),
);
