import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { openPool } from '#core/db/pool.ts';
import { removeFolder } from '#core/objects/file-store.ts';
import { createLogger } from '#core/runtime/logger.ts';
import { createMetrics } from '#core/runtime/metrics.ts';
import { runService } from '#core/runtime/run-service.ts';
import { readConfig } from './config.ts';
import { createJanitor } from './janitor.ts';
import { declareMetrics } from './metrics.ts';

const config = readConfig(process.env);
const log = createLogger('janitor', config.LOG_LEVEL);
const metrics = createMetrics('janitor');

await runService({
  log,
  metrics,
  health: { host: config.HEALTH_HOST, port: config.HEALTH_PORT },
  shutdownDeadlineMs: config.SHUTDOWN_DEADLINE_MS,
  async open(releaser) {
    const pool = openPool({
      url: config.DATABASE_URL,
      name: 'fleetgraph-janitor',
      max: config.DATABASE_CONNECTIONS,
      log,
    });
    releaser.defer('database', () => pool.end());
    return createJanitor({
      pool,
      holder: `janitor-${randomUUID()}`,
      intervalMs: config.JANITOR_INTERVAL_MS,
      daysAhead: config.JANITOR_DAYS_AHEAD,
      frameDays: config.JANITOR_FRAME_DAYS,
      deadLetterDays: config.JANITOR_DEAD_LETTER_DAYS,
      foldIntervalMs: config.JANITOR_FOLD_INTERVAL_MS,
      jobsPollMs: config.JANITOR_JOBS_POLL_MS,
      commandExpiryMs: config.JANITOR_COMMANDS_MS,
      shards: config.BUS_SHARDS,
      batchRows: config.JANITOR_PURGE_ROWS,
      removeFolder: (folder) => removeFolder(config.OBJECTS_DIR, folder),
      log,
      metrics: declareMetrics(metrics),
    });
  },
});
