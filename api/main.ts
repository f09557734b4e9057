import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { openLastingKeys } from '#core/auth/lasting-keys.ts';
import { createSecretBox } from '#core/auth/secrets.ts';
import { openBus } from '#core/bus/connect.ts';
import { DEFAULT_STREAM_LIMITS } from '#core/bus/streams.ts';
import { createPlatformKeyStore } from '#core/db/platform-keys.ts';
import { databaseAnswers, openPool, untilDatabaseAnswers } from '#core/db/pool.ts';
import { every } from '#core/runtime/every.ts';
import { createLogger } from '#core/runtime/logger.ts';
import { createMetrics } from '#core/runtime/metrics.ts';
import { runService } from '#core/runtime/run-service.ts';
import { buildApp } from './app.ts';
import { readApiConfig } from './config.ts';

const DATABASE_CHECK_MS = 2_000;

const config = readApiConfig(process.env);
const log = createLogger('api', config.LOG_LEVEL);
const metrics = createMetrics('api');
const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')));

await runService({
  log,
  metrics,
  health: { host: config.HEALTH_HOST, port: config.HEALTH_PORT },
  shutdownDeadlineMs: config.SHUTDOWN_DEADLINE_MS,
  async open(releaser) {
    const pool = openPool({
      url: config.DATABASE_URL,
      name: 'fleetgraph-api',
      max: config.DATABASE_CONNECTIONS,
      log,
    });
    releaser.defer('database', () => pool.end());
    const operatorPool =
      config.OPERATOR_DATABASE_URL === undefined
        ? undefined
        : openPool({
            url: config.OPERATOR_DATABASE_URL,
            name: 'fleetgraph-operator',
            max: config.OPERATOR_DATABASE_CONNECTIONS,
            log,
          });
    releaser.defer('operator database', async () => operatorPool?.end());
    const limits = { ...DEFAULT_STREAM_LIMITS, replicas: config.BUS_REPLICAS };
    const bus = await openBus({ url: config.NATS_URL, name: 'api', log, limits });
    releaser.defer('bus', () => bus.close());
    await untilDatabaseAnswers(pool, log);
    let answers = true;
    const checking = every(DATABASE_CHECK_MS, 'database check', log, async () => {
      answers = await databaseAnswers(pool);
    });
    releaser.defer('database check', () => checking.stop());
    const checks = { database: () => answers, bus: () => bus.connected() };
    const { FLEETGRAPH_SECRET_KEY: secret, FLEETGRAPH_SECRET_KEYS_PREVIOUS: previous } = config;
    const keys = await openLastingKeys(createPlatformKeyStore(pool), createSecretBox(secret, previous), [
      secret,
      ...previous,
    ]);
    const app = buildApp({ config, pool, operatorPool, keys, bus, metrics, log, checks, version });
    return {
      async start() {
        const port = await app.listen();
        log.info({ host: config.HTTP_HOST, port }, 'listening');
      },
      stop: async (deadlineMs) => ({ abandoned: await app.close(deadlineMs) }),
      ready: () => answers && bus.connected(),
    };
  },
});
