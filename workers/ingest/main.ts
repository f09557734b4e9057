import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { openBus } from '#core/bus/connect.ts';
import { consume } from '#core/bus/consume.ts';
import { listenControl } from '#core/bus/control.ts';
import { createPublisher } from '#core/bus/publish.ts';
import { DEFAULT_STREAM_LIMITS } from '#core/bus/streams.ts';
import { findDeviceIdentities, findTemplateDefinitions } from '#core/db/devices.ts';
import { databaseAnswers, openPool } from '#core/db/pool.ts';
import { ensurePartitions } from '#core/db/readings.ts';
import { createSchemaChecks } from '#core/fleet/command-checks.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { createLogger } from '#core/runtime/logger.ts';
import { createMetrics } from '#core/runtime/metrics.ts';
import { runService } from '#core/runtime/run-service.ts';
import { createAckStore } from './acks.ts';
import { readConfig } from './config.ts';
import { createDeadLetters } from './dead-letters.ts';
import { createDiscovery } from './discovery.ts';
import { createIdentities } from './identities.ts';
import { createIngest } from './ingest.ts';
import { createLatestFollower } from './latest.ts';
import { declareMetrics } from './metrics.ts';
import { createPartitions } from './partitions.ts';
import { createProfiles } from './profiles.ts';
import { createSequenceFolder } from './sequences.ts';
import { createIngestService } from './service.ts';

/** Schemas of templates that are kept compiled. */
const MAX_SCHEMAS = 1_000;

const config = readConfig(process.env);
const log = createLogger('ingest', config.LOG_LEVEL);
const metrics = createMetrics('ingest');

await runService({
  log,
  metrics,
  health: { host: config.HEALTH_HOST, port: config.HEALTH_PORT },
  shutdownDeadlineMs: config.SHUTDOWN_DEADLINE_MS,
  async open(releaser) {
    const worker = `ingest-${randomUUID().slice(0, 8)}`;
    const pool = openPool({
      url: config.DATABASE_URL,
      name: 'fleetgraph-ingest',
      max: config.DATABASE_CONNECTIONS,
      log,
    });
    releaser.defer('database', () => pool.end());
    const bus = await openBus({
      url: config.NATS_URL,
      name: 'ingest',
      log,
      limits: { ...DEFAULT_STREAM_LIMITS, replicas: config.BUS_REPLICAS },
    });
    releaser.defer('bus', () => bus.close());
    const publisher = createPublisher(bus, log);
    releaser.defer('publisher', () => publisher.close());
    const declared = declareMetrics(metrics);
    const profiles = createProfiles(
      (wanted) => findTemplateDefinitions(pool, wanted),
      config.INGEST_PROFILE_CACHE,
    );
    const identities = createIdentities(
      async (wanted) => profiles.attach(await findDeviceIdentities(pool, wanted)),
      config.INGEST_IDENTITY_CACHE,
    );
    listenControl(bus, 'device', (change) => identities.forget(change.tenant, change.id));
    listenControl(bus, 'tenant', (change) => identities.forget(change.tenant));
    const forgetTemplates = (tenant?: string) => {
      profiles.clear();
      if (tenant) identities.forget(tenant);
      else identities.clear();
    };
    // That of a template everybody sees names no tenant.
    listenControl(bus, 'template', (change) => forgetTemplates(change.tenant));
    bus.onReconnect(() => forgetTemplates());

    const discovery = createDiscovery({ pool, shards: config.BUS_SHARDS, log, metrics: declared });
    const framePartitions = createPartitions((days) => ensurePartitions(pool, 'ingest_frames', days));

    const ingest = {
      pool,
      worker,
      publisher,
      identities,
      discovery,
      readingPartitions: createPartitions((days) => ensurePartitions(pool, 'readings', days)),
      framePartitions,
      storeAcks: createAckStore({
        schemaChecks: createSchemaChecks(MAX_SCHEMAS),
        shardOf: (tenant) => shardOf(tenant, config.BUS_SHARDS),
        metrics: declared,
      }),
      limits: {
        maxMessageBytes: config.INGEST_MAX_MESSAGE_BYTES,
        maxMetrics: config.INGEST_MAX_METRICS,
        maxStringLength: config.INGEST_MAX_STRING_LENGTH,
        maxReadings: config.INGEST_MAX_READINGS,
        maxMeasurements: config.INGEST_MAX_MEASUREMENTS,
        maxAheadMs: config.INGEST_MAX_AHEAD_MS,
      },
      log,
      metrics: declared,
    };
    const deadLetter = createDeadLetters({ pool, worker, identities, framePartitions });
    const healthy = async () => bus.connected() && (await databaseAnswers(pool));
    return createIngestService({
      follow: (stream) =>
        consume({
          bus,
          stream,
          durable: 'ingest-workers',
          batchMessages: config.INGEST_BATCH_FRAMES,
          batchBytes: config.INGEST_BATCH_BYTES,
          maxHeld: stream === 'TELEMETRY' ? config.INGEST_MAX_HELD : config.INGEST_MAX_HELD_OTHER,
          gatherMs: config.INGEST_GATHER_MS,
          log,
          handle: createIngest({ ...ingest, stream }),
          healthy,
          deadLetter,
        }),
      latest: createLatestFollower({
        bus,
        pool,
        shards: config.BUS_SHARDS,
        holder: worker,
        log,
        metrics: declared,
      }),
      sequences: createSequenceFolder({
        pool,
        shards: config.BUS_SHARDS,
        holder: `sequences-${randomUUID()}`,
        foldMs: config.INGEST_SEQUENCE_FOLD_MS,
        log,
        metrics: declared,
      }),
      discovery,
      metrics,
    });
  },
});
