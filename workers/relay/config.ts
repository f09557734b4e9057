import { baseConfig, integer, parseConfig } from '#core/runtime/config.ts';

/** @throws ConfigError naming everything that is wrong */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  return parseConfig(
    {
      ...baseConfig,
      /** How often an empty outbox is looked at, in milliseconds. */
      RELAY_POLL_MS: integer(40, 1, 60_000),
      DATABASE_CONNECTIONS: integer(3, 1, 100),
    },
    env,
  );
}
