import { builder } from '#api/graphql/builder.ts';
import { pageCost, TOTAL_COUNT_COST } from '#api/graphql/cost.ts';
import { fingerprintOf, toPem } from '#core/auth/certificates.ts';
import { deviceCredentialRef } from '../devices/schema.ts';
import { crlPath } from './authorities.ts';
import { findTenantCa, listCertificates, type TenantCa } from './lists.ts';
import type { AuthorityRow } from './store.ts';

export { deviceCredentialRef, revocationReasonEnum } from '../devices/schema.ts';

const certificateStateEnum = builder.enumType('CertificateState', {
  description: 'What a certificate is good for.',
  values: {
    GOOD: { description: 'It lets its device in.' },
    EXPIRING: { description: 'It does, and ends within 30 days.' },
    REVOKED: { description: 'It was revoked, or superseded before its time.' },
    EXPIRED: { description: 'Its time is over.' },
  },
});

const authorityRef = builder.objectRef<AuthorityRow>('CertificateAuthority').implement({
  description: 'One of the authorities that sign, or signed, certificates of the tenant’s devices.',
  fields: (t) => ({
    generation: t.exposeInt('generation', { description: 'Counts from 1; the highest one signs.' }),
    isCurrent: t.exposeBoolean('isCurrent', { description: 'Whether new certificates are signed by it.' }),
    certificate: t.string({
      description: 'PEM.',
      resolve: ({ certificate }) => toPem('CERTIFICATE', certificate),
    }),
    fingerprint: t.string({
      description: 'SHA-256, hexadecimal.',
      resolve: ({ certificate }) => fingerprintOf(certificate).toString('hex'),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When it ends, and all it signed with it.',
    }),
    retiresAt: t.expose('retiresAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the certificates it signed end before their time, because it was replaced; null while they do not.',
    }),
    liveCertificates: t.exposeInt('liveCertificates', {
      description: 'How many certificates it signed that let a device in.',
    }),
    crlUrl: t.string({
      description: 'Where its revocation list is.',
      resolve: ({ generation }, _args, { viewer, platform }) =>
        platform.addresses.httpUrl + crlPath(viewer.tenantSlug, generation),
    }),
  }),
});

export const tenantCaRef = builder.objectRef<TenantCa>('TenantCa').implement({
  description: 'Whom certificates of the tenant’s devices are signed by.',
  fields: (t) => ({
    rootCertificate: t.string({
      nullable: true,
      description:
        'PEM: the platform’s root, by which devices trust the server. Null before the first certificate was made.',
      resolve: ({ root }) => (root ? toPem('CERTIFICATE', root) : null),
    }),
    generations: t.field({
      type: [authorityRef],
      description: 'The tenant’s authorities, newest first; none before its first certificate.',
      resolve: ({ generations }) => [...generations],
    }),
  }),
});

const certificateConnectionRef = builder.connectionObject(
  {
    type: deviceCredentialRef,
    name: 'CertificateConnection',
    description: 'A page of certificates.',
    fields: (t) => ({
      totalCount: t.int({
        description: 'How many certificates the whole list has, whatever the page.',
        complexity: TOTAL_COUNT_COST,
        resolve: (connection) => connection.count?.() ?? 0,
      }),
    }),
  },
  { name: 'CertificateEdge', description: 'A certificate in a page.' },
);

builder.queryFields((t) => ({
  tenantCa: t.field({
    type: tenantCaRef,
    description: 'The authorities of the tenant, and the root above them.',
    resolve: (_root, _args, operation) => findTenantCa(operation),
  }),
  certificates: t.connection(
    {
      type: deviceCredentialRef,
      description:
        'Certificates of the tenant’s devices in one state: the good ones by their end, soonest first, the others newest first.',
      complexity: pageCost,
      args: {
        state: t.arg({ type: certificateStateEnum, required: true, description: 'Which ones.' }),
      },
      resolve: (_root, { state, ...page }, operation) => listCertificates(operation, page, state),
    },
    certificateConnectionRef,
  ),
}));
