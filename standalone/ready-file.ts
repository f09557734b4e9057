import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a script or a test needs to drive a running platform. */
export interface ReadyFile {
  readonly http: string;
  readonly graphql: string;
  readonly graphqlWs: string;
  readonly mqtt: string;
  readonly mqtts: string;
  /** MQTT over WebSocket, with its path. */
  readonly mqttWs: string;
  /** PEM file of the certificate that MQTT over TLS is trusted by. */
  readonly caFile: string;
  readonly nats: string;
  /** With every right, as migrations use it. */
  readonly database: string;
  readonly oidcIssuer: string;
  readonly users: readonly {
    readonly email: string;
    readonly password: string;
    readonly tenant: string;
    /** In the tenant; or PLATFORM_OPERATOR. */
    readonly role: string;
  }[];
  /** Role ADMIN of the demo's tenant. */
  readonly apiKey: string;
  /** A device nobody simulates; null without demo data. */
  readonly device: {
    readonly tenant: string;
    readonly key: string;
    readonly username: string;
    readonly password: string;
  } | null;
}

/** Writes `standalone.json` (mode 0600): its presence says that everything is ready. */
export function writeReadyFile(folder: string, content: ReadyFile): void {
  const path = join(folder, 'standalone.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
  chmodSync(`${path}.new`, 0o600);
  renameSync(`${path}.new`, path);
}

/** Nothing is ready any more, or not yet. */
export function removeReadyFile(folder: string): void {
  rmSync(join(folder, 'standalone.json'), { force: true });
}
