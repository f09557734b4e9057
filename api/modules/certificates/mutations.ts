import type { Operation } from '#api/graphql/context.ts';
import { defineMutation } from '#api/graphql/define-mutation.ts';
import { type CredentialRow, loadCredential } from '../devices/service.ts';
import { findTenantCa } from './lists.ts';
import { renewCertificate } from './renew.ts';
import { rotateTenantCa } from './rotate.ts';
import { deviceCredentialRef, revocationReasonEnum, tenantCaRef } from './schema.ts';
import {
  type CertificateRevoked,
  generateCertificate,
  issueCertificate,
  revokeCertificate,
} from './service.ts';

const certificateDescription =
  'PEM: the certificate, and behind it the authority of the tenant that signed it.';
const caDescription = 'PEM: the platform’s root, which the device trusts the server by.';

async function requireCredential(
  { credentialId }: CertificateRevoked,
  operation: Operation,
): Promise<CredentialRow> {
  const credential = await loadCredential(operation, credentialId);
  if (!credential) throw new Error(`certificate ${credentialId} is not in the database`);
  return credential;
}

defineMutation({
  name: 'deviceCertificateIssue',
  description:
    'Makes a client certificate for a key that never leaves the device, for 397 days. Needs `devices.write`.',
  input: {
    description: 'A certificate to be made for a key of the device’s own.',
    argument: 'For which key.',
    fields: (t) => ({
      deviceId: t.id({ required: true, description: 'Which device.' }),
      csr: t.string({
        required: true,
        description:
          'A PKCS #10 request in PEM for an EC P-256 key, at most 8 192 characters. The names in it are ignored.',
      }),
    }),
  },
  run: (operation, { input }) => issueCertificate(operation, input),
  result: 'What came of issuing a certificate.',
  success: {
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
  },
});

defineMutation({
  name: 'deviceCertificateGenerate',
  description:
    'Makes a client certificate with its key, for 397 days; the key is shown once. Needs `devices.write`.',
  input: {
    description: 'A certificate to be made together with its key.',
    argument: 'For which device.',
    fields: (t) => ({
      deviceId: t.id({ required: true, description: 'Which device.' }),
    }),
  },
  run: (operation, { input }) => generateCertificate(operation, input),
  result: 'What came of generating a certificate.',
  success: {
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
  },
});

defineMutation({
  name: 'deviceCertificateRenew',
  description:
    'Makes a client certificate that takes the place of another, for the same key or a new one; both are good for the overlap. Needs `devices.write`.',
  input: {
    description: 'A certificate to be replaced by a new one.',
    argument: 'Which one.',
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
    }),
  },
  run: (operation, { input }) => renewCertificate(operation, input),
  result: 'What came of renewing a certificate.',
  success: {
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
  },
});

defineMutation({
  name: 'tenantCaRotate',
  description:
    'Gives the tenant a new certificate authority, signed by the same root. Live sessions go on. Needs `certificates.manage`.',
  input: {
    description: 'The authority of the tenant is to be replaced.',
    argument: 'How long the older ones last.',
    fields: (t) => ({
      overlapSeconds: t.int({
        description:
          'Seconds after which every certificate of the older ones ends, at most 34 300 800 (397 days); 0 ends them at once. By default they stay good until they expire.',
      }),
    }),
  },
  run: (operation, { input }) => rotateTenantCa(operation, input),
  result: 'What came of replacing the authority.',
  success: {
    description: 'New certificates are signed by a new authority; the older ones are still trusted.',
    fields: (t) => ({
      tenantCa: t.field({
        type: tenantCaRef,
        description: 'The authorities as they are now.',
        resolve: (_rotated, _args, operation) => findTenantCa(operation),
      }),
    }),
  },
});

defineMutation({
  name: 'deviceCertificateRevoke',
  description:
    'Revokes a client certificate: ends the session it began and puts it on the revocation list. Needs `devices.write`.',
  input: {
    description: 'A certificate to revoke.',
    argument: 'Which one.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'The credential.' }),
      reason: t.field({ type: revocationReasonEnum, description: 'Why; UNSPECIFIED by default.' }),
    }),
  },
  run: (operation, { input }) => revokeCertificate(operation, input),
  result: 'What came of revoking a certificate.',
  success: {
    description: 'The certificate lets nobody in any more.',
    fields: (t) => ({
      credential: t.field({
        type: deviceCredentialRef,
        description: 'The credential as it is now.',
        resolve: (revoked, _args, operation) => requireCredential(revoked, operation),
      }),
    }),
  },
});
