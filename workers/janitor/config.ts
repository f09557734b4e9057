import { z } from 'zod';
import { baseConfig, integer, parseConfig } from '#core/runtime/config.ts';

/** @throws ConfigError naming everything that is wrong */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  return parseConfig(
    {
      ...baseConfig,
      JANITOR_INTERVAL_MS: integer(60_000, 1_000, 86_400_000),
      JANITOR_DAYS_AHEAD: integer(3, 1, 60),
      JANITOR_FRAME_DAYS: integer(7, 1, 400),
      /** How often jobs are looked for, and how often the sums are added up. */
      JANITOR_JOBS_POLL_MS: integer(1_000, 50, 60_000),
      JANITOR_FOLD_INTERVAL_MS: integer(5_000, 50, 600_000),
      /** How often commands are looked for whose time is over. */
      JANITOR_COMMANDS_MS: integer(2_000, 50, 60_000),
      JANITOR_DEAD_LETTER_DAYS: integer(90, 1, 3_660),
      /** Rows of a tenant that is to be deleted, in one transaction. */
      JANITOR_PURGE_ROWS: integer(5_000, 1, 100_000),
      /** The folder of stored files, as the API has it. */
      OBJECTS_DIR: z.string().default('.fleetgraph/objects'),
      DATABASE_CONNECTIONS: integer(4, 1, 20),
    },
    env,
  );
}
