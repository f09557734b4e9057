import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { openBus } from '#core/bus/connect.ts';
import { consume } from '#core/bus/consume.ts';
import type { DownlinkEnvelope } from '#core/bus/downlink.ts';
import { createFramePublisher } from '#core/bus/frame-publisher.ts';
import type { FrameItem } from '#core/bus/messages.ts';
import { createPublisher } from '#core/bus/publish.ts';
import { desiredEnvelope, noDesiredEnvelope } from '#core/bus/shadow.ts';
import { DEFAULT_STREAM_LIMITS } from '#core/bus/streams.ts';
import { databaseAnswers, openPool } from '#core/db/pool.ts';
import { insertDeadLetter } from '#core/db/quarantine.ts';
import { findDesiredByName, type NamedDevice } from '#core/db/shadows.ts';
import { METER2_FILTERS, UPLINK_FILTERS } from '#core/mqtt/topics.ts';
import { createBatch } from '#core/runtime/batch.ts';
import { createLogger } from '#core/runtime/logger.ts';
import { createMetrics } from '#core/runtime/metrics.ts';
import { runService } from '#core/runtime/run-service.ts';
import { createBridge } from './bridge.ts';
import { BrokerConnection } from './broker-connection.ts';
import { parseBridgeConfig } from './config.ts';
import { createDownlinkHandler } from './downlink.ts';
import { declareMetrics } from './metrics.ts';
import { EMQX_PRESENCE_FILTER, readEmqxPresence } from './presence.ts';
import { type BrokerMessage, readUplink } from './uplink.ts';

const DOWNLINK_BATCH = { batchMessages: 50, batchBytes: 1_000_000, maxHeld: 200 };

const config = parseBridgeConfig(process.env);
const log = createLogger('bridge', config.LOG_LEVEL);
const metrics = createMetrics('bridge');

await runService({
  log,
  metrics,
  health: { host: config.HEALTH_HOST, port: config.HEALTH_PORT },
  shutdownDeadlineMs: config.SHUTDOWN_DEADLINE_MS,
  async open(releaser) {
    const origin = `bridge-${config.BRIDGE_ID}-${randomUUID().slice(0, 8)}`;
    const pool = openPool({
      ...{ url: config.DATABASE_URL, name: 'fleetgraph-bridge', max: config.DATABASE_CONNECTIONS },
      log,
    });
    releaser.defer('database', () => pool.end());
    const limits = { ...DEFAULT_STREAM_LIMITS, replicas: config.BUS_REPLICAS };
    const bus = await openBus({ url: config.NATS_URL, name: `bridge-${config.BRIDGE_ID}`, log, limits });
    releaser.defer('bus', () => bus.close());
    const publisher = createPublisher(bus, log, origin);
    releaser.defer('publisher', () => publisher.close());
    const frames = createFramePublisher({
      publisher,
      shards: config.BUS_SHARDS,
      flushIntervalMs: config.BRIDGE_FLUSH_INTERVAL_MS,
      highWaterBytes: config.BRIDGE_HIGH_WATER_BYTES,
    });

    let congested = false;
    frames.onDrain(() => {
      congested = false;
    });
    const connections: BrokerConnection[] = [];
    const counted = declareMetrics(metrics, {
      subscribed: () => connections.filter(({ subscribed }) => subscribed).length,
      unacknowledged: () => connections.reduce((sum, { unacknowledged }) => sum + unacknowledged, 0),
      pendingBytes: () => frames.pendingBytes,
      paused: () => Number(congested),
    });

    const publish = (item: FrameItem, stored: () => void) => {
      counted.messages.inc({ kind: item.kind });
      const roomLeft = frames.add(item, (error) => {
        if (!error) stored();
      });
      if (roomLeft || congested) return;
      congested = true;
      for (const connection of connections) connection.pause();
    };
    const onMessage = (message: BrokerMessage, acknowledge: (reasonCode: number) => void) => {
      const now = Date.now();
      const system = message.topic.startsWith('$SYS/');
      const item = system
        ? readEmqxPresence(message.topic, message.payload, now)
        : readUplink(message, now, config.meterTenant);
      if (item) {
        publish(item, () => {
          counted.acknowledged.inc();
          acknowledge(0);
        });
        return;
      }
      if (!system) {
        counted.refused.inc({ reason: 'topic' });
        log.warn({ topic: message.topic }, 'the topic of no device');
      }
      acknowledge(system ? 0 : 0x90);
    };

    const shared = [...UPLINK_FILTERS, ...(config.meterTenant === undefined ? [] : METER2_FILTERS)].map(
      (filter) => `$share/${config.BRIDGE_GROUP}/${filter}`,
    );
    const url = new URL(config.BRIDGE_URL);
    const ca = config.BRIDGE_CA_FILE === undefined ? undefined : readFileSync(config.BRIDGE_CA_FILE);
    for (let index = 0; index < config.BRIDGE_CONNECTIONS; index++) {
      const presence = index === 0 && config.BRIDGE_PRESENCE === 'emqx' ? [EMQX_PRESENCE_FILTER] : [];
      connections.push(
        new BrokerConnection({
          ...{ url, ca, log, onMessage },
          clientId: `${config.BRIDGE_GROUP}-${config.BRIDGE_ID}-${index}`,
          filters: [...shared, ...presence],
          receiveMaximum: config.BRIDGE_RECEIVE_MAXIMUM,
          sessionExpiryS: config.BRIDGE_SESSION_EXPIRY_S,
          maxPacketBytes: config.BRIDGE_MAX_PACKET_BYTES,
          onEnd: (reason) => counted.disconnects.inc({ reason }),
        }),
      );
    }

    const readDesired = createBatch<NamedDevice, DownlinkEnvelope>({
      ...{ name: 'the database, asked what devices should be,', maxItems: 200, waitMs: 1 },
      ...{ maxWaiting: 1_000, timeoutMs: 5_000 },
      run: async (devices) => {
        const states = await findDesiredByName(pool, devices);
        return devices.map(({ tenant, device }, index) => {
          const state = states[index];
          return state ? desiredEnvelope(tenant, device, state) : noDesiredEnvelope(tenant, device, 0);
        });
      },
    });
    const down = createDownlinkHandler({
      findDesired: readDesired,
      log,
      metrics: counted,
      publish: async (message) => connections.find(({ subscribed }) => subscribed)?.publish(message),
    });
    return createBridge({
      ...{ bus, frames, connections },
      followDownlink: () =>
        consume({
          ...{ bus, log, stream: 'DOWNLINK', durable: 'bridge-workers', ...DOWNLINK_BATCH, handle: down },
          healthy: async () => bus.connected() && (await databaseAnswers(pool)),
          deadLetter: (letter) =>
            insertDeadLetter(pool, { ...letter, itemIndex: -1, payload: letter.bytes, reason: letter.why }),
        }),
    });
  },
});
