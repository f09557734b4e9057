import { z } from 'zod';
import { ConfigError } from './errors.ts';

/**
 * Parses the environment into one typed value. An empty string counts as absent.
 * @throws ConfigError naming every variable that is missing or malformed.
 */
export function parseConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: Readonly<Record<string, string | undefined>>,
): z.output<z.ZodObject<Shape>> {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = z.object(shape).safeParse(present);
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
}

/** A whole number within bounds, given as text; `fallback` when absent. */
export function integer(fallback: number, min = 0, max = Number.MAX_SAFE_INTEGER) {
  return z.coerce.number().int().min(min).max(max).default(fallback);
}

/** A TCP port; 0 lets the system choose one. */
export function port(fallback: number) {
  return integer(fallback, 0, 65_535);
}

const SECRET = '[0-9a-f]{64}';

/** The deployment's secret, and those that stood in its place before. */
export const secretConfig = {
  FLEETGRAPH_SECRET_KEY: z
    .string()
    .regex(new RegExp(`^${SECRET}$`), 'must be 64 hexadecimal characters (32 bytes)'),
  /** Newest first, separated by commas: what they sealed stays readable. */
  FLEETGRAPH_SECRET_KEYS_PREVIOUS: z
    .string()
    .regex(
      new RegExp(`^${SECRET}(,${SECRET})*$`),
      'must be 64 hexadecimal characters each, separated by commas',
    )
    .optional()
    .transform((text) => text?.split(',') ?? []),
};

/** What every process of the platform reads. */
export const baseConfig = {
  ...secretConfig,
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  HEALTH_HOST: z.string().default('127.0.0.1'),
  HEALTH_PORT: port(0),
  NATS_URL: z.string().default('nats://127.0.0.1:4222'),
  DATABASE_URL: z.string(),
  /** Fixed for the life of a deployment: it decides which subject a tenant's messages travel on. */
  BUS_SHARDS: integer(16, 1, 1024),
  /** Copies the bus keeps of every stored message; 3 in production. */
  BUS_REPLICAS: integer(1, 1, 5),
  /** How long a stopping process waits for work in flight, in milliseconds. */
  SHUTDOWN_DEADLINE_MS: integer(10_000, 0, 600_000),
};
