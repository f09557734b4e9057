import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hashPassword, type IdentityUser } from './identity/users.ts';
import { nodeProcess } from './node-process.ts';
import { type SupervisedProcess, type SuperviseOptions, supervise } from './supervise.ts';

/** Somebody who can sign in, with the password in the clear. */
export interface Person extends Omit<IdentityUser, 'passwordHash' | 'operator'> {
  /** Operates the platform. Default false. */
  readonly operator?: boolean;
  readonly password: string;
}

export interface IdentityOptions extends SuperviseOptions {
  /** Keys, sessions and grants lie here; made when absent. */
  readonly dataDir: string;
  readonly host?: string;
  readonly port: number;
  readonly healthPort: number;
  /** The address browsers reach it by. Default `http://127.0.0.1:{port}`. */
  readonly issuer?: string;
  readonly people: readonly Person[];
  /** Where the console is served. */
  readonly consoleOrigins: readonly string[];
  /** Makes the client `fleetgraph-machine` (client credentials, role ENGINEER). At least 32 characters. */
  readonly machineSecret?: string;
  readonly logFile: string;
}

export interface IdentityServer extends AsyncDisposable {
  readonly issuer: string;
  readonly process: SupervisedProcess;
  /** Default deadline 5 000 ms. */
  stop(deadlineMs?: number): Promise<void>;
}

const usersFileIn = (dataDir: string) => join(dataDir, 'users.json');

/** Lets these people, and nobody else, sign in at the provider of this folder, also while it runs. */
export async function writePeople(dataDir: string, people: readonly Person[]): Promise<void> {
  const users: IdentityUser[] = await Promise.all(
    people.map(async ({ password, ...person }) => ({
      operator: false,
      ...person,
      passwordHash: await hashPassword(password),
    })),
  );
  const file = usersFileIn(dataDir);
  writeFileSync(`${file}.new`, JSON.stringify(users, undefined, 2), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Starts the embedded OpenID provider as a process of its own, supervised. */
export async function openIdentity(options: IdentityOptions): Promise<IdentityServer> {
  const dataDir = resolve(options.dataDir);
  const issuer = options.issuer ?? `http://127.0.0.1:${options.port}`;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  await writePeople(dataDir, options.people);
  const server = await supervise(
    nodeProcess({
      name: 'identity',
      main: 'standalone/identity/main.ts',
      healthPort: options.healthPort,
      logFile: options.logFile,
      env: {
        IDENTITY_HOST: options.host ?? '127.0.0.1',
        IDENTITY_PORT: String(options.port),
        IDENTITY_ISSUER: issuer,
        IDENTITY_DIR: dataDir,
        IDENTITY_USERS: usersFileIn(dataDir),
        CONSOLE_ORIGINS: options.consoleOrigins.join(','),
        ...(options.machineSecret !== undefined && { IDENTITY_MACHINE_SECRET: options.machineSecret }),
      },
    }),
    options,
  );
  return {
    issuer,
    process: server,
    stop: (deadlineMs) => server.stop(deadlineMs),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
