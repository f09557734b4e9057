import type { IncomingMessage, ServerResponse } from 'node:http';
import { createFileStore } from '#core/objects/file-store.ts';
import { clientAddress } from '#core/runtime/client-address.ts';
import { answerHealth } from '#core/runtime/health.ts';
import { createEnroll } from './enroll.ts';
import { createAuditExportDoor } from './http/audit-export.ts';
import { createConsole } from './http/console.ts';
import { createCrlDoor } from './http/crl.ts';
import { createImportDoor } from './http/device-import.ts';
import { serveFile } from './http/files.ts';
import { type Gate, presentedBy } from './http/gate.ts';
import { createInternalServer, type InternalServer } from './http/internal-server.ts';
import { createMqttHooks, type MqttHooks } from './http/mqtt-hooks.ts';
import type { Ingest } from './ingest.ts';
import { keysFor } from './keys.ts';
import { openAuditExport } from './modules/audit/export.ts';
import { makeRevocationList } from './modules/certificates/revocation.ts';
import { importDevices } from './modules/devices/import/run.ts';
import type { AppDeps, Platform } from './platform.ts';

/** What is asked over HTTP, with the path and the id of the request. */
interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly requestId: string;
}

/** One path and who answers it; a path that ends in `/` stands for everything below it. */
export interface Door {
  readonly path: string;
  readonly answer: (asked: Asked) => Promise<unknown>;
}

export interface Doors {
  /** Answers by the door for the path, else as health, the console, or 404. Rejects for our own faults only. */
  answer(asked: Asked): Promise<void>;
  /** What only neighbours may ask, where that has a port of its own. */
  readonly internal: InternalServer | undefined;
}

export interface DoorsDeps
  extends Pick<AppDeps, 'config' | 'pool' | 'metrics' | 'log' | 'checks' | 'version'> {
  readonly platform: Platform;
  readonly gate: Gate;
  readonly ingest: Ingest;
  /** `/graphql`. */
  readonly graphql: Door['answer'];
}

/** Every way in over HTTP. */
export function createDoors(deps: DoorsDeps): Doors {
  const { config, checks, metrics, ingest } = deps;
  const hooks = createHooks(deps);
  const doors: readonly Door[] = [
    { path: '/graphql', answer: deps.graphql },
    ...fileDoors(deps),
    ...deviceDoors(deps),
    { path: '/ingest/', answer: ({ request, response, path }) => ingest.doors(request, response, path) },
    ...(hooks && config.INTERNAL_ON_PUBLIC_PORT ? [hookDoor(hooks)] : []),
  ];
  const serveConsole = createConsole({
    folder: config.CONSOLE_DIR,
    issuer: config.OIDC_ISSUER,
    tilesUrl: config.MAP_TILES_URL,
    config: {
      issuer: config.OIDC_ISSUER,
      clientId: config.OIDC_CLIENT_ID,
      audience: config.OIDC_AUDIENCE,
      mqttUrl: config.MQTT_PUBLIC_URL,
      httpUrl: config.PUBLIC_URL,
      version: deps.version,
      ...(config.MAP_TILES_URL !== undefined && {
        tilesUrl: config.MAP_TILES_URL,
        tilesAttribution: config.MAP_TILES_ATTRIBUTION,
      }),
    },
  });

  return {
    async answer(asked) {
      const door = doors.find(({ path }) =>
        path.endsWith('/') ? asked.path.startsWith(path) : asked.path === path,
      );
      if (door) return void (await door.answer(asked));
      const { request, response } = asked;
      if (await answerHealth({ checks, registry: metrics.registry }, request, response)) return;
      if (await serveConsole(request, response)) return;
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    },
    internal: hooks && openInternal(deps, hooks),
  };
}

/** What is downloaded. */
function fileDoors({ config, pool, platform: { secretBox } }: DoorsDeps): Door[] {
  const reading = { pool, secretBox, timeoutMs: config.REQUEST_TIMEOUT_MS };
  const serveCrl = createCrlDoor((slug, generation) => makeRevocationList(reading, slug, generation));
  const serveAuditExport = createAuditExportDoor((ticket) => openAuditExport(reading, ticket));
  const files = createFileStore({
    root: config.OBJECTS_DIR,
    linkKeys: keysFor(config, 'file-link'),
    publicUrl: `${config.PUBLIC_URL}/files`,
  });
  return [
    { path: '/crl/', answer: ({ request, response, path }) => serveCrl(path, request, response) },
    { path: '/audit/export', answer: ({ request, response }) => serveAuditExport(request, response) },
    { path: '/files', answer: ({ request, response }) => serveFile(files, request, response) },
  ];
}

/** How devices come into being. */
function deviceDoors({ config, pool, platform, metrics, gate }: DoorsDeps): Door[] {
  const enroll = createEnroll({ config, pool, platform, metrics });
  const importDoor = createImportDoor({
    admit: (request, requestId) => gate.admit(presentedBy(request, requestId, config.TRUSTED_PROXIES)),
    limits: { maxBytes: config.IMPORT_MAX_BYTES, maxRows: config.IMPORT_MAX_ROWS },
    addressOf: (request) => clientAddress(request, config.TRUSTED_PROXIES),
    run: (origin, order, file) =>
      importDevices({ ...platform, timeoutMs: config.REQUEST_TIMEOUT_MS }, origin, order, file),
  });
  return [
    {
      path: '/enroll/v1/claim',
      answer: ({ request, response, requestId }) => enroll(request, response, requestId),
    },
    {
      path: '/import/v1/devices',
      answer: ({ request, response, requestId }) => importDoor(request, response, requestId),
    },
  ];
}

/** What an outside broker asks; undefined where the deployment has none. */
function createHooks({ config, ingest, metrics }: DoorsDeps): MqttHooks | undefined {
  const secret = config.INTERNAL_SECRET;
  return secret === undefined
    ? undefined
    : createMqttHooks({
        ...{ credentials: ingest.credentials, secret, metrics },
        meterTenant: config.BRIDGE_METER_TENANT,
      });
}

const hookDoor = (hooks: MqttHooks): Door => ({
  path: '/internal/',
  answer: ({ request, response, path }) => hooks(request, response, path),
});

function openInternal({ config, log }: DoorsDeps, answer: MqttHooks): InternalServer | undefined {
  const { INTERNAL_HOST: host, INTERNAL_PORT: port } = config;
  return port > 0 ? createInternalServer({ host, port, log, answer }) : undefined;
}
