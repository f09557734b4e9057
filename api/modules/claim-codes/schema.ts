import { builder } from '#api/graphql/builder.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { readRowKey } from '#api/graphql/global-ids.ts';
import { deviceCredentialRef, deviceRef } from '../devices/schema.ts';
import { findDevice, loadCredential } from '../devices/service.ts';
import { findClaimCodeById, listClaimCodes, listClaimCodesOf, stateOfCode } from './service.ts';
import type { ClaimCodeRow } from './store.ts';

const claimCodeStateEnum = builder.enumType('ClaimCodeState', {
  description: 'What a claim code is good for.',
  values: {
    OPEN: { description: 'It can be claimed.' },
    CLAIMED: { description: 'It was exchanged for a credential.' },
    EXPIRED: { description: 'Its time ended before anybody claimed it.' },
    REVOKED: { description: 'It was revoked before anybody claimed it.' },
  },
});

export const claimCodeRef = builder.objectRef<ClaimCodeRow>('ClaimCode');

builder.node(claimCodeRef, {
  description:
    'What a device exchanges once for a credential, at `POST /enroll/v1/claim`. The code itself is shown when it is made, never again.',
  id: { resolve: (code) => code.id },
  loadWithoutCache: (id, operation) => {
    const key = readRowKey(id);
    return key === undefined ? null : findClaimCodeById(operation, key);
  },
  fields: (t) => ({
    hint: t.exposeString('hint', { description: 'Its last four characters, to tell codes apart.' }),
    state: t.field({
      type: claimCodeStateEnum,
      description: 'What it is good for now.',
      resolve: (code) => stateOfCode(code),
    }),
    device: t.field({
      type: deviceRef,
      nullable: true,
      description: 'The device it is for, or which it made; null while there is none.',
      resolve: ({ deviceId }, _args, operation) =>
        deviceId === null ? null : findDevice(operation, deviceId),
    }),
    deviceKey: t.exposeString('deviceKey', {
      nullable: true,
      description: 'What the device is or will be called; null where the device names itself.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it can be claimed.' }),
    claimedAt: t.expose('claimedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was claimed; null when it was not.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null when it was not.',
    }),
    credential: t.field({
      type: deviceCredentialRef,
      nullable: true,
      description: 'What it was exchanged for; null when it was not claimed.',
      resolve: async ({ credentialId }, _args, operation) =>
        credentialId === null ? null : ((await loadCredential(operation, credentialId)) ?? null),
    }),
  }),
});

const claimCodeConnectionRef = builder.connectionObject(
  {
    type: claimCodeRef,
    name: 'ClaimCodeConnection',
    description: 'A page of claim codes.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many claim codes the whole list has, whatever the page.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'ClaimCodeEdge', description: 'A claim code in a page.' },
);

builder.queryField('claimCodes', (t) =>
  t.connection(
    {
      type: claimCodeRef,
      description:
        'Claim codes of the tenant, newest first; those that ended more than 90 days ago are forgotten.',
      complexity: pageCost,
      resolve: (_root, args, operation) => listClaimCodes(operation, args),
    },
    claimCodeConnectionRef,
  ),
);

builder.objectField(deviceRef, 'claimCodes', (t) =>
  t.field({
    type: [claimCodeRef],
    description: 'Claim codes that were made for it, and the one that made it, newest first.',
    complexity: { field: 2, multiplier: 3 },
    resolve: (device, _args, operation) => listClaimCodesOf(operation, device.id),
  }),
);
