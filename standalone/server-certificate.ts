import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { ensureRoot } from '#core/auth/authorities.ts';
import { issueServerCertificate, toPem } from '#core/auth/certificates.ts';
import { createSecretBox } from '#core/auth/secrets.ts';
import { createAuthorityStore } from '#core/db/authorities.ts';
import { withClient } from './roles.ts';

export interface ServerCertificateOptions {
  readonly databaseUrl: string;
  /** The deployment's, newest first. */
  readonly secretKeys: readonly string[];
  /** Certificate, key and root are kept here. */
  readonly folder: string;
  /** What devices connect to, as in an address. */
  readonly host: string;
}

/** PEM files. */
export interface ServerCertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** The platform's root, for clients to trust. */
  readonly caFile: string;
}

/** One that ends sooner is made anew at the next start. */
const RENEW_BEFORE_MS = 60 * 86_400_000;

/** The certificate that MQTT over TLS is served with, signed by the platform's root; both are made where they are missing. */
export async function ensureServerCertificate(
  options: ServerCertificateOptions,
): Promise<ServerCertificateFiles> {
  const { folder } = options;
  const files = {
    certificateFile: join(folder, 'server.pem'),
    keyFile: join(folder, 'server.key'),
    caFile: join(folder, 'ca.pem'),
  };
  const host = options.host.replace(/^\[(.*)\]$/, '$1');
  const [secret = '', ...previous] = options.secretKeys;
  const root = await withClient(options.databaseUrl, async (client) => {
    await client.query('set role fleetgraph_owner');
    const store = createAuthorityStore(
      async <Row extends object>(statement: string, values: readonly unknown[]) =>
        (await client.query<Row>(statement, [...values])).rows,
    );
    return ensureRoot(store, createSecretBox(secret, previous));
  });
  replaceFile(files.caFile, toPem('CERTIFICATE', root.certificate));
  if (isGood(files, host, new X509Certificate(root.certificate))) return files;
  const made = await issueServerCertificate({
    root,
    names: isIP(host) ? ['localhost'] : [...new Set([host, 'localhost'])],
    addresses: [...new Set([...(isIP(host) ? [host] : []), '127.0.0.1', '::1'])],
  });
  replaceFile(files.keyFile, toPem('PRIVATE KEY', made.privateKey), 0o600);
  replaceFile(files.certificateFile, toPem('CERTIFICATE', made.certificate));
  return files;
}

function isGood(files: ServerCertificateFiles, host: string, root: X509Certificate): boolean {
  if (!existsSync(files.certificateFile) || !existsSync(files.keyFile)) return false;
  const present = new X509Certificate(readFileSync(files.certificateFile));
  const named = isIP(host) ? present.checkIP(host) : present.checkHost(host);
  return (
    named !== undefined &&
    present.verify(root.publicKey) &&
    present.validToDate.getTime() - Date.now() > RENEW_BEFORE_MS
  );
}

function replaceFile(path: string, content: string, mode = 0o644): void {
  writeFileSync(`${path}.new`, content, { mode });
  renameSync(`${path}.new`, path);
}
