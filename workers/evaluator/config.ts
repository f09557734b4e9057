import { baseConfig, integer, parseConfig } from '#core/runtime/config.ts';

/** @throws ConfigError naming everything that is wrong */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  return parseConfig(
    {
      ...baseConfig,
      /** How often devices that fell silent and gateways that are gone are looked for, in milliseconds. */
      EVALUATOR_SWEEP_MS: integer(1_000, 50, 60_000),
      /** While messages of EVENTS follow each other closely, transactions begin so far apart, in milliseconds. */
      EVALUATOR_GATHER_MS: integer(250, 0, 5_000),
      /** Messages of EVENTS held without a fate. */
      EVALUATOR_MAX_HELD: integer(1_000, 1, 10_000),
      DATABASE_CONNECTIONS: integer(3, 1, 100),
    },
    env,
  );
}
