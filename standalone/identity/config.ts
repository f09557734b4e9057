import { z } from 'zod';
import { baseConfig, parseConfig, port } from '#core/runtime/config.ts';

const shape = {
  LOG_LEVEL: baseConfig.LOG_LEVEL,
  HEALTH_HOST: baseConfig.HEALTH_HOST,
  HEALTH_PORT: baseConfig.HEALTH_PORT,
  IDENTITY_HOST: z.string().default('127.0.0.1'),
  IDENTITY_PORT: port(8081),
  /** The address others know this provider by; part of every token. */
  IDENTITY_ISSUER: z.url(),
  /** Keys, sessions and grants lie here. */
  IDENTITY_DIR: z.string(),
  /** JSON list of those who may sign in; see users.ts. */
  IDENTITY_USERS: z.string(),
  /** Where the console is served, separated by commas: the only places a sign-in may return to. */
  CONSOLE_ORIGINS: z.string().transform((list) => list.split(',')),
  OIDC_CLIENT_ID: z.string().default('fleetgraph-console'),
  OIDC_AUDIENCE: z.string().default('urn:fleetgraph:api'),
  /** Secret of client `fleetgraph-machine`, for programs that sign in as themselves; no such client when absent. */
  IDENTITY_MACHINE_SECRET: z.string().min(32).optional(),
  IDENTITY_MACHINE_TENANT: z.string().default('acme'),
};

export type IdentityConfig = ReturnType<typeof readIdentityConfig>;

/** @throws ConfigError naming every variable that is missing or malformed. */
export function readIdentityConfig(env: Readonly<Record<string, string | undefined>>) {
  return parseConfig(shape, env);
}
