import { X509Certificate } from 'node:crypto';
import {
  type CertificateIdentity,
  type CertificateRefusal,
  checkSignature,
  readIssuerTenant,
} from '#core/auth/certificate-check.ts';
import { fingerprintOf } from '#core/auth/certificates.ts';
import type { Credentials, Denial, Grant } from '#core/auth/credential-cache.ts';
import { createBatch } from '#core/runtime/batch.ts';

/** A device that a certificate lets in. */
export interface CertifiedGrant extends Grant, CertificateIdentity {}

export interface CertificatesOptions {
  readonly credentials: Pick<Credentials, 'checkCertificate'>;
  /** How long a tenant's authorities are remembered, in milliseconds. */
  readonly ttlMs: number;
  /** Tenants whose authorities are remembered. */
  readonly maxTenants: number;
  /** The DER of the authorities of each tenant, in the same order. */
  findAuthorities(tenants: readonly string[]): Promise<readonly (readonly Uint8Array[])[]>;
}

/**
 * Whether a certificate presented in a TLS handshake lets its device in; `claimed` is the user name of its CONNECT,
 * where there is one. Never rejects.
 */
export type CheckCertificate = (
  certificate: X509Certificate,
  claimed: CertificateIdentity | undefined,
) => Promise<CertifiedGrant | Denial | CertificateRefusal>;

interface Entry {
  readonly authorities: readonly X509Certificate[];
  readonly until: number;
}

/** A tenant may get its authority just now. */
const ABSENT_TTL_MS = 1_000;

export function createCertificateCheck(options: CertificatesOptions): CheckCertificate {
  const entries = new Map<string, Entry>();
  const load = createBatch<string, readonly Uint8Array[]>({
    name: 'the database, asked for authorities,',
    maxItems: 100,
    waitMs: 1,
    maxWaiting: 20_000,
    timeoutMs: 3_000,
    run: options.findAuthorities,
  });

  const authoritiesOf = async (tenant: string | undefined): Promise<readonly X509Certificate[]> => {
    if (tenant === undefined) return [];
    const cached = entries.get(tenant);
    if (cached && cached.until > Date.now()) return cached.authorities;
    const authorities = (await load(tenant)).map((der) => new X509Certificate(der));
    const ttlMs = authorities.length > 0 ? options.ttlMs : Math.min(ABSENT_TTL_MS, options.ttlMs);
    entries.delete(tenant);
    entries.set(tenant, { authorities, until: Date.now() + ttlMs });
    if (entries.size > options.maxTenants) {
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        break;
      }
    }
    return authorities;
  };

  return async (certificate, claimed) => {
    let authorities: readonly X509Certificate[];
    try {
      authorities = await authoritiesOf(readIssuerTenant(certificate));
    } catch {
      return 'UNAVAILABLE';
    }
    const identity = checkSignature({ certificate, authorities, now: new Date(), claimed });
    if (typeof identity === 'string') return identity;
    const { tenant, device } = identity;
    const answer = await options.credentials.checkCertificate(tenant, device, fingerprintOf(certificate.raw));
    return typeof answer === 'string' ? answer : { ...answer, tenant, device };
  };
}

/** What a person needs to find a certificate that was refused. */
export function describeCertificate(certificate: X509Certificate): string {
  const { subject, issuer, fingerprint256 } = certificate;
  const oneLine = (name: string | undefined) => (name ?? '').replaceAll('\n', ', ').slice(0, 200);
  return `subject ${oneLine(subject)}, issuer ${oneLine(issuer)}, SHA-256 ${fingerprint256.replaceAll(':', '').toLowerCase()}`;
}
