import type { X509Certificate } from 'node:crypto';
import { isDeviceKey, isTenantSlug } from '../fleet/ids.ts';

/** Why a certificate does not let a device in. */
export type CertificateRefusal =
  | 'EXPIRED'
  | 'NOT_YET_VALID'
  | 'REVOKED'
  | 'UNKNOWN_CA'
  | 'WRONG_TENANT'
  | 'WRONG_NAME'
  | 'SELF_SIGNED'
  | 'UNKNOWN_CERTIFICATE';

/** Who a certificate says it is. */
export interface CertificateIdentity {
  readonly tenant: string;
  readonly device: string;
}

/** A certificate as it was stored when it was made. */
export interface CertificateRecord {
  readonly revoked: boolean;
}

const NAME = /^URI:urn:fleetgraph:([^:,]+):([^,]+)$/;
const MAX_COMMON_NAME = 64;

/** The one name of a device's certificate: its SAN is exactly one of our URIs, and its CN agrees where it can. */
export function readIdentity(certificate: X509Certificate): CertificateIdentity | undefined {
  const [, tenant = '', device = ''] = NAME.exec(certificate.subjectAltName ?? '') ?? [];
  if (!isTenantSlug(tenant) || !isDeviceKey(device)) return undefined;
  const name = `${tenant}/${device}`;
  const agrees = name.length > MAX_COMMON_NAME || certificate.subject === `CN=${name}`;
  return agrees ? { tenant, device } : undefined;
}

/** The tenant whose authority a certificate claims to be signed by. */
export function readIssuerTenant(certificate: X509Certificate): string | undefined {
  const [, tenant = ''] = /^O=Fleetgraph\nCN=([^\n]+)$/.exec(certificate.issuer) ?? [];
  return isTenantSlug(tenant) ? tenant : undefined;
}

export interface SignatureCheck {
  readonly certificate: X509Certificate;
  /** The authorities of `readIssuerTenant`. */
  readonly authorities: readonly X509Certificate[];
  readonly now: Date;
  /** The MQTT user name; undefined where none was given. */
  readonly claimed: CertificateIdentity | undefined;
}

/**
 * What the certificate itself tells: who signed it, when it is good, whom it names. Whoever presents it has proved in
 * the TLS handshake to hold its key.
 * @returns the identity, or why not; it may still be revoked or unknown: see `checkRecord`
 */
export function checkSignature(check: SignatureCheck): CertificateIdentity | CertificateRefusal {
  const { certificate, authorities, now, claimed } = check;
  const signed = authorities.some(
    (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
  );
  if (!signed) return isSelfSigned(certificate) ? 'SELF_SIGNED' : 'UNKNOWN_CA';
  if (certificate.validToDate <= now) return 'EXPIRED';
  if (certificate.validFromDate > now) return 'NOT_YET_VALID';
  const identity = readIdentity(certificate);
  if (!identity) return 'WRONG_NAME';
  if (identity.tenant !== readIssuerTenant(certificate)) return 'WRONG_TENANT';
  if (claimed && claimed.tenant !== identity.tenant) return 'WRONG_TENANT';
  if (claimed && claimed.device !== identity.device) return 'WRONG_NAME';
  return identity;
}

/** Whether this very certificate is among those made for its device, and still good; undefined when it is. */
export function checkRecord(
  record: CertificateRecord | undefined,
): 'UNKNOWN_CERTIFICATE' | 'REVOKED' | undefined {
  if (!record) return 'UNKNOWN_CERTIFICATE';
  return record.revoked ? 'REVOKED' : undefined;
}

const isSelfSigned = (certificate: X509Certificate): boolean =>
  certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);
