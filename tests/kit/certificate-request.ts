import { identityUri, toPem } from '#core/auth/certificates.ts';
import * as x509 from '#core/auth/x509.ts';

/** A certificate request, with its key, for names that are somebody else's. */
export async function createRequest(
  algorithm: EcKeyGenParams,
): Promise<{ readonly csr: string; readonly privateKey: string }> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: ['rival/other'] }],
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: identityUri('rival', 'other') }]),
    ],
  });
  const key = new Uint8Array(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { csr: made.toString('pem'), privateKey: toPem('PRIVATE KEY', key) };
}
