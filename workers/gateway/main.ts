import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { createCredentials } from '#core/auth/credential-cache.ts';
import { openLastingKeys } from '#core/auth/lasting-keys.ts';
import { createOffenders } from '#core/auth/offenders.ts';
import { createSecretBox } from '#core/auth/secrets.ts';
import { createTenantAccounts } from '#core/auth/tenant-accounts.ts';
import { openBus } from '#core/bus/connect.ts';
import { createFramePublisher } from '#core/bus/frame-publisher.ts';
import { createPublisher } from '#core/bus/publish.ts';
import { DEFAULT_STREAM_LIMITS } from '#core/bus/streams.ts';
import { findAuthorityCertificates } from '#core/db/authorities.ts';
import { findPendingCommands } from '#core/db/commands.ts';
import { findDeviceAccess, touchCredentials } from '#core/db/device-credentials.ts';
import { openMqttSessions, saveMqttSessions } from '#core/db/mqtt-sessions.ts';
import { createPlatformKeyStore } from '#core/db/platform-keys.ts';
import { openPool, type Pool, runOn, untilDatabaseAnswers } from '#core/db/pool.ts';
import {
  claimSessions,
  dropGatewayLease,
  findSessions,
  listGatewaySessions,
  releaseSessions,
  renewGatewayLease,
  reserveEpochs,
} from '#core/db/sessions.ts';
import { findDesired } from '#core/db/shadows.ts';
import { addUsage, findTenantLimits } from '#core/db/usage.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { createLogger } from '#core/runtime/logger.ts';
import { createMetrics } from '#core/runtime/metrics.ts';
import { runService } from '#core/runtime/run-service.ts';
import { createCatchUp } from './catch-up.ts';
import { createCertificateCheck } from './certificates.ts';
import { createClaims } from './claims.ts';
import { parseGatewayConfig } from './config.ts';
import { createConnectGuard } from './connect-guard.ts';
import type { ConnectionContext } from './connection-context.ts';
import { createDelayedWills } from './delayed-wills.ts';
import { createDownlinkBacklog } from './downlink-backlog.ts';
import { createDownlinkFollower } from './downlink-follower.ts';
import { announceSession, createGateway } from './gateway.ts';
import { createHandshake } from './handshake.ts';
import { createIntake } from './intake.ts';
import type { Listener } from './listener.ts';
import { createListeners } from './listeners.ts';
import { createGatewayMetrics } from './metrics.ts';
import { confirmAdmission, reconcile } from './reconcile.ts';
import { createRefusalLog } from './refusal-log.ts';
import { announceConnected, announceWill } from './session-events.ts';
import { createSessionKeeper } from './session-keeper.ts';
import { createSessions } from './sessions.ts';
import { createReadTables } from './tables.ts';
import { createThrottles } from './throttle.ts';
import { createUplinkPool } from './uplink.ts';
import { createWriteQueue } from './write-queue.ts';

const LEASE_MS = 15_000;
const DATABASE_CONNECTIONS = 4;
const MAX_IDLE_RECORDS = 65_536;
const MAX_TENANT_AUTHORITIES = 10_000;
const MAX_PARKED_SESSIONS = 100_000;
const MAX_DELAYED_WILLS = 100_000;
/** A packet may be this much longer than its payload: topic, properties, and of a CONNECT the credentials. */
const PACKET_OVERHEAD_BYTES = 2_048;
/** Wrong passwords that cost nothing, and after how long one more does not. */
const FREE_FAILURES = 10;
const FORGIVEN_AFTER_MS = 1_000;
/** At most one connection in so many waits for its refusal, so that guessing does not use up the connections of all. */
const HELD_BACK_SHARE = 10;
/** A session in the table that is younger may belong to a CONNECT that is being answered. */
const SETTLED_AFTER_MS = 60_000;

const config = parseGatewayConfig(process.env);
const log = createLogger('gateway', config.LOG_LEVEL);
const metrics = createMetrics('gateway');

await runService({
  log,
  metrics,
  health: { host: config.HEALTH_HOST, port: config.HEALTH_PORT },
  shutdownDeadlineMs: config.SHUTDOWN_DEADLINE_MS,
  async open(releaser) {
    // Every life has a lease of its own: what an earlier one held is found to be lost when its lease runs out.
    const gatewayId = `${config.GATEWAY_ID}-${randomUUID().slice(0, 8)}`;
    const database: Pool = openPool({
      url: config.DATABASE_URL,
      name: 'fleetgraph-gateway',
      max: DATABASE_CONNECTIONS,
      log,
    });
    releaser.defer('database', () => database.end());
    await untilDatabaseAnswers(database, log);
    const { FLEETGRAPH_SECRET_KEY: secret, FLEETGRAPH_SECRET_KEYS_PREVIOUS: previous } = config;
    const keys = await openLastingKeys(createPlatformKeyStore(database), createSecretBox(secret, previous), [
      secret,
      ...previous,
    ]);
    const limits = { ...DEFAULT_STREAM_LIMITS, replicas: config.BUS_REPLICAS };
    const bus = await openBus({ url: config.NATS_URL, name: gatewayId, log, limits });
    releaser.defer('bus', () => bus.close());
    const publisher = createPublisher(bus, log, gatewayId);
    releaser.defer('publisher', () => publisher.close());
    const frames = createFramePublisher({
      publisher,
      shards: config.BUS_SHARDS,
      flushIntervalMs: config.MQTT_FLUSH_INTERVAL_MS,
      highWaterBytes: config.MQTT_HIGH_WATER_BYTES,
    });

    const sessions = createSessions(MAX_PARKED_SESSIONS);
    const gauges: { listener?: Listener } = {};
    const accounts = createTenantAccounts({
      plan: config.plan,
      inflightBytes: (config.MQTT_HIGH_WATER_BYTES * config.LIMIT_TENANT_INFLIGHT_PERCENT) / 100,
      ttlMs: config.CREDENTIAL_TTL_MS,
      find: (tenants) => findTenantLimits(database, tenants),
      report: (sequence, usage) => addUsage(database, gatewayId, sequence, usage),
    });
    const guard = createConnectGuard({
      accounts,
      offenders: createOffenders({
        ...{ freeFailures: FREE_FAILURES, forgivenAfterMs: FORGIVEN_AFTER_MS },
        ...{ maxDelayMs: config.MQTT_CONNECT_DELAY_MS, maxOffenders: config.MQTT_MAX_OFFENDERS },
      }),
      addressConnectsPerSecond: config.LIMIT_ADDRESS_CONNECTS_PER_SECOND,
      maxHeldBack: Math.ceil(config.MQTT_MAX_CONNECTIONS / HELD_BACK_SHARE),
      maxWaitMs: config.MQTT_CONNECT_DELAY_MS,
    });
    const refusals = createRefusalLog(log);
    const counted = createGatewayMetrics(metrics, {
      connections: () => gauges.listener?.size ?? 0,
      paused: () => gauges.listener?.paused ?? 0,
      sessions: () => sessions.size,
      pendingBytes: () => frames.pendingBytes,
      heldBack: () => guard.heldBack,
    });
    const intake = createIntake(frames, createUplinkPool(MAX_IDLE_RECORDS), counted.tally);
    const credentials = createCredentials({
      key: keys['device-token'],
      ttlMs: config.CREDENTIAL_TTL_MS,
      maxEntries: config.CREDENTIAL_CACHE_SIZE,
      find: (names) => findDeviceAccess(database, names),
      onLookup: (outcome) => counted.credentialLookups.inc({ outcome }),
    });
    const checkCertificate = createCertificateCheck({
      credentials,
      ttlMs: config.CREDENTIAL_TTL_MS,
      maxTenants: MAX_TENANT_AUTHORITIES,
      findAuthorities: (tenants) => findAuthorityCertificates(database, tenants),
    });
    const claims = createClaims({
      claim: (wanted) => claimSessions(database, gatewayId, wanted),
      reserve: (count) => reserveEpochs(database, count),
      release: (ended) => releaseSessions(database, ended),
    });
    const keeper = createSessionKeeper({
      open: (wanted) => openMqttSessions(database, wanted),
      save: (kept) => saveMqttSessions(database, kept),
    });
    const downlink = createDownlinkFollower({
      bus,
      log,
      onMessage(message) {
        const held = sessions.get(message.tenant, message.device);
        if (held) counted.downlink.inc({ outcome: held.state.downlink.deliver(message) });
      },
      onMissed(shard) {
        for (const { admission, state } of sessions.all()) {
          if (shardOf(admission.tenant, config.BUS_SHARDS) === shard) readTables(admission, state.downlink);
        }
      },
    });
    const followDownlink = (tenant: string) => downlink.follow(shardOf(tenant, config.BUS_SHARDS));
    const readTables = createReadTables({
      findCommands: (devices) => findPendingCommands(runOn(database), devices),
      findDesired: (devices) =>
        findDesired(
          database,
          devices.map(({ deviceId }) => deviceId),
        ),
      log,
      follow: followDownlink,
    });
    const wills = createDelayedWills(MAX_DELAYED_WILLS, (admission, will) =>
      announceWill(intake, admission, will),
    );
    const maxPacketBytes = config.MQTT_MAX_PAYLOAD_BYTES + PACKET_OVERHEAD_BYTES;
    const usedCredentials = new Set<number>();
    const context: ConnectionContext = {
      gatewayId,
      log,
      metrics: counted,
      intake,
      sessions,
      writes: createWriteQueue({
        maxWaitMs: config.MQTT_ACK_WAIT_MS,
        due: () => counted.tally.answersDue,
      }),
      handshake: createHandshake({
        credentials,
        checkCertificate,
        claims,
        guard,
        keeper,
        maxPayloadBytes: config.MQTT_MAX_PAYLOAD_BYTES,
        limits: {
          maxSessionSeconds: config.MQTT_MAX_SESSION_SECONDS,
          maxKeepAliveSeconds: config.MQTT_MAX_KEEP_ALIVE_SECONDS,
          receiveMaximum: config.MQTT_MAX_INFLIGHT,
          maxPacketBytes,
        },
      }),
      wills,
      throttles: createThrottles(accounts, config.MQTT_THROTTLE_PATIENCE_MS),
      refusals,
      keeper,
      catchUp: createCatchUp({
        backlog: createDownlinkBacklog(bus, config.BUS_SHARDS),
        log,
        follow: followDownlink,
      }),
      readTables,
      followDownlink,
      downlinkPlace: (tenant) => downlink.place(shardOf(tenant, config.BUS_SHARDS)),
      onBegin(admission) {
        usedCredentials.add(admission.credentialId);
        announceSession(bus, admission);
        confirmAdmission(admission, sessions, credentials).catch((error: unknown) =>
          log.warn({ err: error }, 'cannot tell whether a session may go on; asking again later'),
        );
      },
      onEnd: ({ deviceId, epoch }) => claims.end({ deviceId, epoch }),
      limits: {
        maxPayloadBytes: config.MQTT_MAX_PAYLOAD_BYTES,
        maxPacketBytes,
        maxInflight: config.MQTT_MAX_INFLIGHT,
        handshakeTimeoutMs: config.MQTT_HANDSHAKE_TIMEOUT_MS,
        storeTimeoutMs: config.MQTT_STORE_TIMEOUT_MS,
      },
    };
    const listener = createListeners(config, context);
    gauges.listener = listener;
    return createGateway({
      ...{
        log,
        bus,
        frames,
        listener,
        sessions,
        credentials,
        claims,
        accounts,
        refusals,
        downlink,
        wills,
        keeper,
        usedCredentials,
        tally: counted.tally,
      },
      rows: {
        renewLease: () => renewGatewayLease(database, gatewayId, LEASE_MS),
        dropLease: () => dropGatewayLease(database, gatewayId),
        touchCredentials: (ids) => touchCredentials(database, ids),
        reconcile: () =>
          reconcile({
            ...{ sessions, credentials, claims },
            find: (ids) => findSessions(database, ids),
            listOwn: () => listGatewaySessions(database, gatewayId, SETTLED_AFTER_MS),
            onRestored: (held) => announceConnected(intake, gatewayId, held.admission, Date.now()),
          }),
      },
    });
  },
});
