import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import type { Pool } from 'pg';
import { ensureRoot } from '#core/auth/authorities.ts';
import { issueServerCertificate, toPem } from '#core/auth/certificates.ts';
import { createSecretBox } from '#core/auth/secrets.ts';
import { createAuthorityStore } from '#core/db/authorities.ts';
import { freePort } from '#standalone/ports.ts';
import { TEST_SECRET } from './seed.ts';

/** What a gateway needs to listen with TLS. */
export interface MqttsFiles extends AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  /** PEM of the platform's root. */
  readonly ca: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A server's certificate under the root that the database has, or gets. */
export async function writeMqttsFiles(admin: Pool): Promise<MqttsFiles> {
  const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-certificates-'));
  const store = createAuthorityStore(
    async <Row extends object>(statement: string, values: readonly unknown[]) => {
      const { rows } = await admin.query<Row>(statement, [...values]);
      return rows;
    },
  );
  const root = await ensureRoot(store, createSecretBox(TEST_SECRET));
  const server = await issueServerCertificate({ root, names: ['localhost'], addresses: ['127.0.0.1'] });
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const port = await freePort();
  const caFile = file('ca.pem', toPem('CERTIFICATE', root.certificate));
  return {
    folder,
    port,
    ca: readFileSync(caFile, 'utf8'),
    env: {
      MQTTS_PORT: String(port),
      MQTTS_CERT_FILE: file('server.pem', toPem('CERTIFICATE', server.certificate)),
      MQTTS_KEY_FILE: file('server.key', toPem('PRIVATE KEY', server.privateKey)),
    },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Connects once, by certificate; rejects where it is not let in. */
export function connectByCertificate(
  port: number,
  bundle: { readonly certificate: string; readonly privateKey: string; readonly ca: string },
  clientId: string,
): Promise<MqttClient> {
  return mqtt.connectAsync(
    `mqtts://127.0.0.1:${port}`,
    {
      ...{ cert: bundle.certificate, key: bundle.privateKey, ca: bundle.ca },
      ...{ clientId, reconnectPeriod: 0 },
    },
    false,
  );
}
