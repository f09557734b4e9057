import { MAX_KEPT_BYTES } from '#core/db/quarantine.ts';
import { baseConfig, integer, parseConfig } from '#core/runtime/config.ts';

/** @throws ConfigError naming everything that is wrong */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  return parseConfig(
    {
      ...baseConfig,
      /** Frames in one transaction. */
      INGEST_BATCH_FRAMES: integer(64, 1, 1_000),
      /** Bytes of frames in one transaction. */
      INGEST_BATCH_BYTES: integer(2 * 1024 * 1024, 1_024),
      /** While frames follow each other closely, transactions begin so far apart, in milliseconds. */
      INGEST_GATHER_MS: integer(100, 0, 5_000),
      /** Frames held without a fate; with the largest frame (144 KiB) the memory ceiling. */
      INGEST_MAX_HELD: integer(512, 1, 10_000),
      /** The same of SHADOW and of COMMANDS, each. */
      INGEST_MAX_HELD_OTHER: integer(64, 1, 10_000),
      /** Devices remembered by name. */
      INGEST_IDENTITY_CACHE: integer(200_000, 1),
      /** Template versions and compiled profiles remembered, each. */
      INGEST_PROFILE_CACHE: integer(50_000, 100, 1_000_000),
      INGEST_MAX_MESSAGE_BYTES: integer(16_384, 1, MAX_KEPT_BYTES),
      INGEST_MAX_METRICS: integer(100, 1),
      INGEST_MAX_STRING_LENGTH: integer(512, 1),
      INGEST_MAX_READINGS: integer(100, 1),
      INGEST_MAX_MEASUREMENTS: integer(200, 1),
      INGEST_MAX_AHEAD_MS: integer(86_400_000),
      /** How often the numbers of messages are folded into the sequences of their devices, in milliseconds. */
      INGEST_SEQUENCE_FOLD_MS: integer(5_000, 50, 60_000),
      DATABASE_CONNECTIONS: integer(6, 1, 100),
    },
    env,
  );
}
