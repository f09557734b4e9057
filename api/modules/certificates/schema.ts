import { builder } from '#api/graphql/builder.ts';
import type { Operation } from '#api/graphql/context.ts';
import { mutationIdDescription } from '#api/graphql/mutations.ts';
import {
  conflictErrorRef,
  forbiddenErrorRef,
  notFoundErrorRef,
  resultTypeOf,
  validationErrorRef,
} from '#api/graphql/user-errors.ts';
import { deviceCredentialRef, revocationReasonEnum } from '../devices/schema.ts';
import { type CredentialRow, loadCredential } from '../devices/service.ts';
import {
  type CertificateGenerated,
  type CertificateIssued,
  type CertificateRevoked,
  generateCertificate,
  issueCertificate,
  revokeCertificate,
} from './service.ts';

const MUTATION_COST = 20;

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
  deviceCertificateRevoke: t.field({
    type: revokeResult,
    description:
      'Revokes a client certificate: ends the session it began and puts it on the revocation list. Needs `devices.write`.',
    complexity: MUTATION_COST,
    args: { input: t.arg({ type: revokeInput, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, operation) => revokeCertificate(operation, input),
  }),
}));
