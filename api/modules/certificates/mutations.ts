import { builder } from '#api/graphql/builder.ts';
import type { Operation } from '#api/graphql/context.ts';
import { MUTATION_COST } from '#api/graphql/cost.ts';
import { mutationIdDescription } from '#api/graphql/mutations.ts';
import {
  conflictErrorRef,
  forbiddenErrorRef,
  notFoundErrorRef,
  resultTypeOf,
  validationErrorRef,
} from '#api/graphql/user-errors.ts';
import { type CredentialRow, loadCredential } from '../devices/service.ts';
import { findTenantCa } from './lists.ts';
import { type CertificateRenewed, renewCertificate } from './renew.ts';
import { type AuthorityRotated, rotateTenantCa } from './rotate.ts';
import { deviceCredentialRef, revocationReasonEnum, tenantCaRef } from './schema.ts';
import {
  type CertificateGenerated,
  type CertificateIssued,
  type CertificateRevoked,
  generateCertificate,
  issueCertificate,
  revokeCertificate,
} from './service.ts';

const certificateDescription =
  'PEM: the certificate, and behind it the authority of the tenant that signed it.';
const caDescription = 'PEM: the platform’s root, which the device trusts the server by.';

const issueInput = builder.inputType('DeviceCertificateIssueInput', {
  description: 'A certificate to be made for a key of the device’s own.',
  fields: (t) => ({
    deviceId: t.id({ required: true, description: 'Which device.' }),
    csr: t.string({
      required: true,
      description:
        'A PKCS #10 request in PEM for an EC P-256 key, at most 8 192 characters. The names in it are ignored.',
    }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const generateInput = builder.inputType('DeviceCertificateGenerateInput', {
  description: 'A certificate to be made together with its key.',
  fields: (t) => ({
    deviceId: t.id({ required: true, description: 'Which device.' }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const revokeInput = builder.inputType('DeviceCertificateRevokeInput', {
  description: 'A certificate to revoke.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The credential.' }),
    reason: t.field({ type: revocationReasonEnum, description: 'Why; UNSPECIFIED by default.' }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const renewInput = builder.inputType('DeviceCertificateRenewInput', {
  description: 'A certificate to be replaced by a new one.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The credential; it must be good.' }),
    csr: t.string({
      description:
        'A PKCS #10 request in PEM for a new key, as for `deviceCertificateIssue`. Absent: the key stays as it is.',
    }),
    overlapSeconds: t.int({
      description:
        'Seconds for which the old one stays good, at most 34 300 800 (397 days); 604 800 (a week) by default. 0 ends its session at once.',
    }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

const rotateInput = builder.inputType('TenantCaRotateInput', {
  description: 'The authority of the tenant is to be replaced.',
  fields: (t) => ({
    overlapSeconds: t.int({
      description:
        'Seconds after which every certificate of the older ones ends, at most 34 300 800 (397 days); 0 ends them at once. By default they stay good until they expire.',
    }),
    clientMutationId: t.string({ description: mutationIdDescription }),
  }),
});

async function requireCredential(
  { credentialId }: CertificateRevoked,
  operation: Operation,
): Promise<CredentialRow> {
  const credential = await loadCredential(operation, credentialId);
  if (!credential) throw new Error(`certificate ${credentialId} is not in the database`);
  return credential;
}

const issueSuccessRef = builder.objectRef<CertificateIssued>('DeviceCertificateIssueSuccess').implement({
  description: 'The device may connect with the certificate.',
  fields: (t) => ({
    credential: t.field({
      type: deviceCredentialRef,
      description: 'The stored side of it.',
      resolve: (issued, _args, operation) => requireCredential(issued, operation),
    }),
    certificate: t.exposeString('certificate', { description: certificateDescription }),
    ca: t.exposeString('ca', { description: caDescription }),
  }),
});

const generateSuccessRef = builder
  .objectRef<CertificateGenerated>('DeviceCertificateGenerateSuccess')
  .implement({
    description: 'The device may connect with the certificate and the key.',
    fields: (t) => ({
      credential: t.field({
        type: deviceCredentialRef,
        description: 'The stored side of it.',
        resolve: (generated, _args, operation) => requireCredential(generated, operation),
      }),
      certificate: t.exposeString('certificate', { description: certificateDescription }),
      privateKey: t.exposeString('privateKey', { description: 'PEM, PKCS #8. It is not kept: note it now.' }),
      ca: t.exposeString('ca', { description: caDescription }),
    }),
  });

const revokeSuccessRef = builder.objectRef<CertificateRevoked>('DeviceCertificateRevokeSuccess').implement({
  description: 'The certificate lets nobody in any more.',
  fields: (t) => ({
    credential: t.field({
      type: deviceCredentialRef,
      description: 'The credential as it is now.',
      resolve: (revoked, _args, operation) => requireCredential(revoked, operation),
    }),
  }),
});

const renewSuccessRef = builder.objectRef<CertificateRenewed>('DeviceCertificateRenewSuccess').implement({
  description: 'The device may connect with the new certificate, and for the overlap with the old one.',
  fields: (t) => ({
    credential: t.field({
      type: deviceCredentialRef,
      description: 'The stored side of the new one.',
      resolve: (renewed, _args, operation) => requireCredential(renewed, operation),
    }),
    previous: t.field({
      type: deviceCredentialRef,
      description: 'The old one; `retiresAt` says when it ends.',
      resolve: ({ previousId: credentialId }, _args, operation) =>
        requireCredential({ credentialId }, operation),
    }),
    certificate: t.exposeString('certificate', { description: certificateDescription }),
    ca: t.exposeString('ca', { description: caDescription }),
  }),
});

const rotateSuccessRef = builder.objectRef<AuthorityRotated>('TenantCaRotateSuccess').implement({
  description: 'New certificates are signed by a new authority; the older ones are still trusted.',
  fields: (t) => ({
    tenantCa: t.field({
      type: tenantCaRef,
      description: 'The authorities as they are now.',
      resolve: (_rotated, _args, operation) => findTenantCa(operation),
    }),
  }),
});

const issueResult = builder.unionType('DeviceCertificateIssueResult', {
  description: 'What came of issuing a certificate.',
  types: [issueSuccessRef, validationErrorRef, conflictErrorRef, notFoundErrorRef, forbiddenErrorRef],
  resolveType: resultTypeOf('DeviceCertificateIssueSuccess'),
});

const generateResult = builder.unionType('DeviceCertificateGenerateResult', {
  description: 'What came of generating a certificate.',
  types: [generateSuccessRef, validationErrorRef, conflictErrorRef, notFoundErrorRef, forbiddenErrorRef],
  resolveType: resultTypeOf('DeviceCertificateGenerateSuccess'),
});

const revokeResult = builder.unionType('DeviceCertificateRevokeResult', {
  description: 'What came of revoking a certificate.',
  types: [revokeSuccessRef, validationErrorRef, conflictErrorRef, notFoundErrorRef, forbiddenErrorRef],
  resolveType: resultTypeOf('DeviceCertificateRevokeSuccess'),
});

const renewResult = builder.unionType('DeviceCertificateRenewResult', {
  description: 'What came of renewing a certificate.',
  types: [renewSuccessRef, validationErrorRef, conflictErrorRef, notFoundErrorRef, forbiddenErrorRef],
  resolveType: resultTypeOf('DeviceCertificateRenewSuccess'),
});

const rotateResult = builder.unionType('TenantCaRotateResult', {
  description: 'What came of replacing the authority.',
  types: [rotateSuccessRef, validationErrorRef, conflictErrorRef, notFoundErrorRef, forbiddenErrorRef],
  resolveType: resultTypeOf('TenantCaRotateSuccess'),
});

builder.mutationFields((t) => ({
  deviceCertificateIssue: t.field({
    type: issueResult,
    description:
      'Makes a client certificate for a key that never leaves the device, for 397 days. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: issueInput, required: true, description: 'For which key.' }) },
    resolve: (_root, { input }, operation) => issueCertificate(operation, input),
  }),
  deviceCertificateGenerate: t.field({
    type: generateResult,
    description:
      'Makes a client certificate with its key, for 397 days; the key is shown once. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: generateInput, required: true, description: 'For which device.' }) },
    resolve: (_root, { input }, operation) => generateCertificate(operation, input),
  }),
  deviceCertificateRenew: t.field({
    type: renewResult,
    description:
      'Makes a client certificate that takes the place of another, for the same key or a new one; both are good for the overlap. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: renewInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, operation) => renewCertificate(operation, input),
  }),
  tenantCaRotate: t.field({
    type: rotateResult,
    description:
      'Gives the tenant a new certificate authority, signed by the same root. Live sessions go on. Needs `certificates.manage`.',
    complexity: MUTATION_COST,
    args: {
      input: t.arg({ type: rotateInput, required: true, description: 'How long the older ones last.' }),
    },
    resolve: (_root, { input }, operation) => rotateTenantCa(operation, input),
  }),
  deviceCertificateRevoke: t.field({
    type: revokeResult,
    description:
      'Revokes a client certificate: ends the session it began and puts it on the revocation list. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: revokeInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, operation) => revokeCertificate(operation, input),
  }),
}));
