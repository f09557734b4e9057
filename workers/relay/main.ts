import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { openBus } from '#core/bus/connect.ts';
import { createPublisher } from '#core/bus/publish.ts';
import { DEFAULT_STREAM_LIMITS } from '#core/bus/streams.ts';
import { openPool } from '#core/db/pool.ts';
import { createLogger } from '#core/runtime/logger.ts';
import { createMetrics } from '#core/runtime/metrics.ts';
import { runService } from '#core/runtime/run-service.ts';
import { readConfig } from './config.ts';
import { declareMetrics } from './metrics.ts';
import { createRelay } from './relay.ts';

const config = readConfig(process.env);
const log = createLogger('relay', config.LOG_LEVEL);
const metrics = createMetrics('relay');

await runService({
  log,
  metrics,
  health: { host: config.HEALTH_HOST, port: config.HEALTH_PORT },
  shutdownDeadlineMs: config.SHUTDOWN_DEADLINE_MS,
  async open(releaser) {
    const holder = `relay-${randomUUID().slice(0, 8)}`;
    const pool = openPool({
      url: config.DATABASE_URL,
      name: 'fleetgraph-relay',
      max: config.DATABASE_CONNECTIONS,
      log,
    });
    releaser.defer('database', () => pool.end());
    const limits = { ...DEFAULT_STREAM_LIMITS, replicas: config.BUS_REPLICAS };
    const bus = await openBus({ url: config.NATS_URL, name: 'relay', log, limits });
    releaser.defer('bus', () => bus.close());
    const publisher = createPublisher(bus, log, holder);
    releaser.defer('publisher', () => publisher.close());
    return createRelay({
      bus,
      pool,
      publisher,
      shards: config.BUS_SHARDS,
      holder,
      pollMs: config.RELAY_POLL_MS,
      log,
      metrics: declareMetrics(metrics),
    });
  },
});
