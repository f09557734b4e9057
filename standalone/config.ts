import { networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FleetgraphError } from '#core/runtime/errors.ts';
import { PROJECT } from './node-process.ts';

export const USAGE = `Usage: npm start -- [flags]

  --empty        no demo data: the tenant, its people and an API key, no sites and no devices
  --data DIR     where everything is kept (default .fleetgraph in this folder)
  --http PORT    console and API (default 8080)
  --mqtt PORT    devices (default 1883)
  --mqtts PORT   devices over TLS, with a token or a client certificate (default 8883)
  --mqtt-ws PORT devices over WebSocket, at ws://…/mqtt (default 8083)
  --host HOST    address to listen on (default 127.0.0.1; 0.0.0.0 = every network)
  --no-build     do not build the console; an earlier build is served as it is
  --help

  DATABASE_URL   use this PostgreSQL server instead of the embedded one
  NATS_URL       use this nats-server (with JetStream) instead of one of ours
  NATS_SERVER_BIN  the nats-server program to start
`;

export interface StandaloneConfig {
  readonly demo: boolean;
  readonly buildConsole: boolean;
  readonly dataDir: string;
  /** Address that HTTP, MQTT and sign-in listen on; everything else stays on loopback. */
  readonly host: string;
  /** The same as others write it in an address. */
  readonly publicHost: string;
  /** Asked for explicitly: taken is an error. Absent: the default or the next free one. */
  readonly httpPort: number | undefined;
  readonly mqttPort: number | undefined;
  readonly mqttsPort: number | undefined;
  readonly mqttWsPort: number | undefined;
  readonly externalDatabaseUrl: string | undefined;
  readonly externalNatsUrl: string | undefined;
}

/** Something the caller wrote cannot be; shown without a stack. */
export class UsageError extends FleetgraphError {
  constructor(message: string) {
    super('USAGE', message);
  }
}

/**
 * @returns undefined when help was asked for.
 * @throws UsageError naming the flag that is wrong.
 */
export function readStandaloneConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): StandaloneConfig | undefined {
  const flags = parseFlags(args);
  if (flags.help) return undefined;
  const host = flags.host ?? '127.0.0.1';
  return {
    demo: flags.empty !== true,
    buildConsole: flags['no-build'] !== true,
    dataDir: resolve(flags.data ?? join(PROJECT, '.fleetgraph')),
    host,
    publicHost: publicHostOf(host),
    httpPort: portFlag('--http', flags.http),
    mqttPort: portFlag('--mqtt', flags.mqtt),
    mqttsPort: portFlag('--mqtts', flags.mqtts),
    mqttWsPort: portFlag('--mqtt-ws', flags['mqtt-ws']),
    externalDatabaseUrl: env['DATABASE_URL'] || undefined,
    externalNatsUrl: env['NATS_URL'] || undefined,
  };
}

function parseFlags(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const yes = { type: 'boolean' } as const;
  const options = {
    empty: yes,
    data: text,
    http: text,
    mqtt: text,
    mqtts: text,
    'mqtt-ws': text,
    host: text,
    'no-build': yes,
    help: yes,
  };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

function portFlag(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const port = Number(value);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new UsageError(`${name} ${value} is not a port between 1 and 65535`);
}

/** A wildcard is no address to go to: then the first one that other machines can reach. */
function publicHostOf(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host.includes(':') ? `[${host}]` : host;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find((address) => address.family === 'IPv4' && !address.internal)?.address ?? '127.0.0.1';
}
