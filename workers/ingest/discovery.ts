import { type ControlMessage, encodeEvents } from '#core/bus/events.ts';
import { controlSubject, eventsSubject } from '#core/bus/subjects.ts';
import type { OutboxMessage } from '#core/db/outbox.ts';
import type { Pool } from '#core/db/pool.ts';
import { type FoundSensor, insertDiscovered, MAX_DISCOVERED, type SensingDevice } from '#core/db/sensors.ts';
import { shardOf } from '#core/fleet/shards.ts';
import type { MetricValue } from '#core/fleet/telemetry.ts';
import { type Clock, every } from '#core/runtime/every.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { IngestRow } from './ingest-row.ts';
import type { IngestMetrics } from './metrics.ts';

export interface DiscoveryDeps {
  readonly pool: Pool;
  readonly shards: number;
  readonly log: Logger;
  readonly metrics: Pick<IngestMetrics, 'discovered'>;
}

/**
 * Makes sensors of metrics that nobody has modelled, about two seconds after they were stored. Nothing is kept for them: what is lost
 * with the process is found again with the next reading.
 */
export interface Discovery {
  /** Notes the unmodelled metrics of a reading that is stored. Costs a look-up each, and nothing for a reading without any. */
  note(row: Pick<IngestRow, 'tenantId' | 'deviceId' | 'unmodelled'>): void;
  start(): void;
  stop(): Promise<void>;
}

const WRITE_MS = 2_000;
/** In one transaction, and so many may wait; what is more is found again. */
const MAX_WAITING = 5_000;
const MAX_REMEMBERED = 500_000;
/** A sensor that somebody has deleted may be found again after this long. */
const REMEMBER_MS = 600_000;
/** Devices in one event message. */
const MESSAGE_DEVICES = 500;

export function createDiscovery(deps: DiscoveryDeps): Discovery {
  const remembered = new Map<number, Set<string>>();
  let size = 0;
  let forgetAt = Date.now() + REMEMBER_MS;
  let waiting: FoundSensor[] = [];
  let clock: Clock | undefined;

  const forget = () => {
    remembered.clear();
    size = 0;
    forgetAt = Date.now() + REMEMBER_MS;
  };

  const write = async () => {
    if (Date.now() > forgetAt || size > MAX_REMEMBERED) forget();
    const writing = waiting;
    waiting = [];
    try {
      const tell = (devices: readonly SensingDevice[]) => messagesOf(devices, deps.shards, Date.now());
      deps.metrics.discovered.inc(await insertDiscovered(deps.pool, writing, tell));
    } catch (error) {
      forget();
      throw error;
    }
  };

  return {
    note({ tenantId, deviceId, unmodelled }) {
      if (!unmodelled) return;
      const known = remembered.get(deviceId) ?? new Set();
      remembered.set(deviceId, known);
      for (const [metric, value] of unmodelled) {
        if (known.has(metric) || known.size >= MAX_DISCOVERED || waiting.length >= MAX_WAITING) continue;
        known.add(metric);
        size++;
        waiting.push({ tenantId, deviceId, metric, type: typeOf(value) });
      }
    },
    start() {
      clock = every(WRITE_MS, 'discovery', deps.log, write);
    },
    async stop() {
      await clock?.stop();
      await write().catch((error: unknown) =>
        deps.log.warn({ err: error }, 'sensors not made; they will be found again'),
      );
    },
  };
}

/** A number may have decimals the next time, whatever it has now. */
function typeOf(value: MetricValue): FoundSensor['type'] {
  if (typeof value === 'number') return 'FLOAT';
  return typeof value === 'boolean' ? 'BOOLEAN' : 'STRING';
}

/** Tells followers that the devices have changed, and caches that what they know of them is no longer true. */
function messagesOf(devices: readonly SensingDevice[], shards: number, at: number): OutboxMessage[] {
  return [...Map.groupBy(devices, (device) => device.tenantId)].flatMap(([tenantId, own]) => {
    const tenant = own[0]?.tenant ?? '';
    const shard = shardOf(tenant, shards);
    const messages: OutboxMessage[] = [];
    for (let begin = 0; begin < own.length; begin += MESSAGE_DEVICES) {
      const events = own.slice(begin, begin + MESSAGE_DEVICES).map(({ deviceId, device, siteId }) => {
        return { deviceId, device, siteId, at, change: 'UPDATED' as const };
      });
      const payload = encodeEvents({ v: 1, tenant, tenantId, kind: 'device', events });
      messages.push({ tenantId, shard, subject: eventsSubject(shard, 'device'), payload });
    }
    for (const { device: id, version } of own) {
      const message: ControlMessage = { tenant, tenantId, id, version };
      const payload = Buffer.from(JSON.stringify(message));
      messages.push({ tenantId, shard, subject: controlSubject('device'), payload });
    }
    return messages;
  });
}
