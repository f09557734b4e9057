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
  readonly loadedAt: number;
}

/** What is remembered is believed no longer than this where it refuses: the tenant may have got an authority just now. */
const REFUSAL_TTL_MS = 1_000;

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

  const authoritiesOf = async (
    tenant: string | undefined,
    maxAgeMs: number,
  ): Promise<readonly X509Certificate[]> => {
    if (tenant === undefined) return [];
    const cached = entries.get(tenant);
    if (cached && Date.now() - cached.loadedAt < maxAgeMs) return cached.authorities;
    const authorities = (await load(tenant)).map((der) => new X509Certificate(der));
    entries.delete(tenant);
    entries.set(tenant, { authorities, loadedAt: Date.now() });
    if (entries.size > options.maxTenants) {
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        break;
      }
    }
    return authorities;
  };

  return async (certificate, claimed) => {
    const tenant = readIssuerTenant(certificate);
    const judge = async (maxAgeMs: number) => {
      const authorities = await authoritiesOf(tenant, maxAgeMs);
      return checkSignature({ certificate, authorities, now: new Date(), claimed });
    };
    let identity: Awaited<ReturnType<typeof judge>>;
    try {
      identity = await judge(options.ttlMs);
      if (identity === 'UNKNOWN_CA') identity = await judge(Math.min(REFUSAL_TTL_MS, options.ttlMs));
    } catch {
      return 'UNAVAILABLE';
    }
    if (typeof identity === 'string') return identity;
    const answer = await options.credentials.checkCertificate(
      identity.tenant,
      identity.device,
      fingerprintOf(certificate.raw),
    );
    return typeof answer === 'string' ? answer : { ...answer, ...identity };
  };
}

/** What a person needs to find a certificate that was refused. */
export function describeCertificate(certificate: X509Certificate): string {
  const { subject, issuer, fingerprint256 } = certificate;
  const oneLine = (name: string | undefined) => (name ?? '').replaceAll('\n', ', ').slice(0, 200);
  return `subject ${oneLine(subject)}, issuer ${oneLine(issuer)}, SHA-256 ${fingerprint256.replaceAll(':', '').toLowerCase()}`;
}
