import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { baseConfig, integer, parseConfig } from '#core/runtime/config.ts';
import { ConfigError } from '#core/runtime/errors.ts';
import { PATTERN_NAMES } from './patterns.ts';

const device = z.object({
  tenant: z.string(),
  key: z.string(),
  username: z.string(),
  password: z.string(),
  /** Default: by the beginning of the key, see `patternFor`. */
  pattern: z.enum(PATTERN_NAMES).optional(),
});

export type SimulatedDevice = z.output<typeof device>;

/**
 * What the simulator reads from its environment.
 * @throws ConfigError naming everything that is wrong, the list of devices included
 */
export function readConfig(env: NodeJS.ProcessEnv) {
  const { LOG_LEVEL, HEALTH_HOST, HEALTH_PORT, SHUTDOWN_DEADLINE_MS } = baseConfig;
  const config = parseConfig(
    {
      ...{ LOG_LEVEL, HEALTH_HOST, HEALTH_PORT, SHUTDOWN_DEADLINE_MS },
      MQTT_URL: z.string().default('mqtt://127.0.0.1:1883'),
      /** A JSON file: a list of {tenant, key, username, password, pattern?}. */
      SIMULATOR_DEVICES: z.string(),
      /** Between two messages of one device. */
      SIMULATOR_INTERVAL_MS: integer(1_000, 10, 3_600_000),
    },
    env,
  );
  return { ...config, devices: readDevices(config.SIMULATOR_DEVICES) };
}

function readDevices(path: string): SimulatedDevice[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError([`SIMULATOR_DEVICES: ${path}: ${error instanceof Error ? error.message : error}`]);
  }
  const parsed = z.array(device).safeParse(content);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map((issue) => `${path}: ${issue.path.join('.')}: ${issue.message}`),
  );
}
