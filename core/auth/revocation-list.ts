import { importKey, type KeyedCertificate } from './certificates.ts';
import * as x509 from './x509.ts';

/** Why a certificate was revoked (RFC 5280, section 5.3.1). */
export const REVOCATION_REASONS = [
  'UNSPECIFIED',
  'KEY_COMPROMISE',
  'AFFILIATION_CHANGED',
  'SUPERSEDED',
  'CESSATION_OF_OPERATION',
  'PRIVILEGE_WITHDRAWN',
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

export interface RevokedCertificate {
  readonly serial: string;
  readonly revokedAt: Date;
  readonly reason: RevocationReason | null;
}

const REASON: Readonly<Record<RevocationReason, x509.X509CrlReason>> = {
  UNSPECIFIED: x509.X509CrlReason.unspecified,
  KEY_COMPROMISE: x509.X509CrlReason.keyCompromise,
  AFFILIATION_CHANGED: x509.X509CrlReason.affiliationChanged,
  SUPERSEDED: x509.X509CrlReason.superseded,
  CESSATION_OF_OPERATION: x509.X509CrlReason.cessationOfOperation,
  PRIVILEGE_WITHDRAWN: x509.X509CrlReason.privilegeWithdrawn,
};
/** Long before it ends, whoever uses a list has a newer one: each is made when it is asked for. */
const VALID_MS = 86_400_000;

const CRL_NUMBER = '2.5.29.20';

/** A list signed by the authority of those certificates, DER, good for a day. */
export async function createRevocationList(
  authority: KeyedCertificate,
  revoked: readonly RevokedCertificate[],
  now = new Date(),
): Promise<Buffer> {
  const issuer = new x509.X509Certificate(authority.certificate.slice());
  const list = await x509.X509CrlGenerator.create({
    issuer: issuer.subjectName.toJSON(),
    thisUpdate: now,
    nextUpdate: new Date(now.getTime() + VALID_MS),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    signingKey: await importKey(authority.privateKey),
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      new x509.Extension(CRL_NUMBER, false, derInteger(now.getTime())),
    ],
    entries: revoked.map(({ serial, revokedAt, reason }) => ({
      serialNumber: serial,
      revocationDate: revokedAt,
      ...(reason !== null && reason !== 'UNSPECIFIED' && { reason: REASON[reason] }),
    })),
  });
  return Buffer.from(list.rawData);
}

/** Six bytes hold milliseconds since 1970 until the year 6429, and the first of them is below 0x80. */
function derInteger(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  bytes.set([0x02, 0x06]);
  Buffer.from(bytes.buffer).writeUIntBE(value, 2, 6);
  return bytes;
}
