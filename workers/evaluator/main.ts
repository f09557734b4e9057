import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { consumerAnsweredUntil, queueAnsweredUntil } from '#core/bus/answered.ts';
import { openBus } from '#core/bus/connect.ts';
import { consume } from '#core/bus/consume.ts';
import { DEFAULT_STREAM_LIMITS } from '#core/bus/streams.ts';
import { UPLINK_STREAMS } from '#core/bus/uplink-streams.ts';
import { databaseAnswers, openPool } from '#core/db/pool.ts';
import { insertDeadLetter } from '#core/db/quarantine.ts';
import { createLogger } from '#core/runtime/logger.ts';
import { createMetrics } from '#core/runtime/metrics.ts';
import { runService } from '#core/runtime/run-service.ts';
import { readConfig } from './config.ts';
import { createHearing } from './hearing.ts';
import { declareMetrics } from './metrics.ts';
import { createPresenceFollower } from './presence.ts';
import { createEvaluator } from './service.ts';
import { SIGNAL_KINDS } from './signals.ts';

const PRESENCE_CONSUMER = 'presence';

const config = readConfig(process.env);
const log = createLogger('evaluator', config.LOG_LEVEL);
const metrics = createMetrics('evaluator');

await runService({
  log,
  metrics,
  health: { host: config.HEALTH_HOST, port: config.HEALTH_PORT },
  shutdownDeadlineMs: config.SHUTDOWN_DEADLINE_MS,
  async open(releaser) {
    const pool = openPool({
      url: config.DATABASE_URL,
      name: 'fleetgraph-evaluator',
      max: config.DATABASE_CONNECTIONS,
      log,
    });
    releaser.defer('database', () => pool.end());
    const limits = { ...DEFAULT_STREAM_LIMITS, replicas: config.BUS_REPLICAS };
    const bus = await openBus({ url: config.NATS_URL, name: 'evaluator', log, limits });
    releaser.defer('bus', () => bus.close());
    const declared = declareMetrics(metrics);
    const presence = createPresenceFollower({ pool, shards: config.BUS_SHARDS, metrics: declared });
    return createEvaluator({
      pool,
      presence,
      holder: `evaluator-${randomUUID()}`,
      sweepMs: config.EVALUATOR_SWEEP_MS,
      log,
      hearing: createHearing({
        toldUntil: async () =>
          Math.min(...(await Promise.all(UPLINK_STREAMS.map((stream) => queueAnsweredUntil(bus, stream))))),
        takenUntil: () => consumerAnsweredUntil(bus, 'EVENTS', PRESENCE_CONSUMER),
      }),
      follow: () =>
        consume({
          bus,
          stream: 'EVENTS',
          durable: PRESENCE_CONSUMER,
          subjects: SIGNAL_KINDS.map((kind) => `events.*.${kind}`),
          batchMessages: 300,
          batchBytes: 4 * 1024 * 1024,
          maxHeld: config.EVALUATOR_MAX_HELD,
          gatherMs: config.EVALUATOR_GATHER_MS,
          log,
          handle: presence.handle,
          healthy: async () => bus.connected() && (await databaseAnswers(pool)),
          deadLetter: (letter) =>
            insertDeadLetter(pool, { ...letter, itemIndex: -1, payload: letter.bytes, reason: letter.why }),
          onFate: (fate) => declared.messages.inc({ fate }),
        }),
    });
  },
});
