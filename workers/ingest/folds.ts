import type { TelemetryEvent } from '#core/bus/events.ts';
import type { TelemetryBatch } from '#core/bus/telemetry-batch.ts';
import { shapeOf } from '#core/bus/telemetry-shapes.ts';
import { isNewer, type LatestEntry, type LatestFold } from '#core/db/latest.ts';

/** The newest values of many devices, gathered from their readings. */
export interface Folds {
  /** Devices in it. */
  readonly size: number;
  /** Decodes no reading unless two of a device have the same time. Keeps the batch until its readings are not the newest any more. */
  add(batch: TelemetryBatch): void;
  /** Hands over everything so far and begins anew. */
  take(): Folds;
  /** Takes in again what could not be written; of its batches nothing is kept. */
  giveBack(folds: Folds): void;
  /** As the database takes them. */
  folds(): LatestFold[];
  readonly devices: ReadonlyMap<number, DeviceFold>;
}

interface DeviceFold {
  readonly tenantId: number;
  oldestTs: number;
  newestTs: number;
  /**
   * The newest reading with each set of metrics: whatever metric it is, the newest that has it is among them. Most devices always
   * send the same.
   */
  first: Newest;
  others: Map<string, Newest> | undefined;
}

interface Newest {
  readonly shape: string;
  ts: number;
  batch: Pick<TelemetryBatch, 'event'>;
  index: number;
}

export function createFolds(): Folds {
  return foldsWith(new Map());
}

function foldsWith(devices: Map<number, DeviceFold>): Folds {
  let held = devices;
  const fold = (
    tenantId: number,
    deviceId: number,
    shape: string,
    ts: number,
    batch: Newest['batch'],
    index: number,
  ) => {
    const device = held.get(deviceId);
    if (!device) {
      const first = { shape, ts, batch, index };
      held.set(deviceId, { tenantId, oldestTs: ts, newestTs: ts, first, others: undefined });
      return;
    }
    if (ts < device.oldestTs) device.oldestTs = ts;
    if (ts > device.newestTs) device.newestTs = ts;
    const known = device.first.shape === shape ? device.first : device.others?.get(shape);
    if (!known) {
      device.others ??= new Map();
      device.others.set(shape, { shape, ts, batch, index });
    } else if (ts > known.ts || (ts === known.ts && supersedes(batch.event(index), known))) {
      known.ts = ts;
      known.batch = batch;
      known.index = index;
    }
  };
  return {
    get size() {
      return held.size;
    },
    get devices() {
      return held;
    },
    add(batch) {
      for (const { tenantId, first, count } of batch.parts) {
        for (let index = first; index < first + count; index++) {
          const deviceId = batch.deviceIds[index] ?? -1;
          fold(tenantId, deviceId, batch.shapeOf(index), batch.takenAt[index] ?? 0, batch, index);
        }
      }
    },
    take() {
      const taken = foldsWith(held);
      held = new Map();
      return taken;
    },
    giveBack(folds) {
      for (const [deviceId, device] of folds.devices) {
        for (const event of newestOf(device)) {
          const batch = { event: () => event };
          fold(device.tenantId, deviceId, shapeOf(event.metrics), event.ts, batch, 0);
        }
        const known = held.get(deviceId);
        if (!known) continue;
        known.oldestTs = Math.min(known.oldestTs, device.oldestTs);
        known.newestTs = Math.max(known.newestTs, device.newestTs);
      }
    },
    folds: () => [...held].map(([deviceId, device]) => toFold(deviceId, device)),
  };
}

const supersedes = (event: TelemetryEvent, { batch, index }: Newest): boolean =>
  isNewer(event, batch.event(index));

const newestOf = ({ first, others }: DeviceFold): TelemetryEvent[] =>
  [first, ...(others?.values() ?? [])].map(({ batch, index }) => batch.event(index));

function toFold(deviceId: number, device: DeviceFold): LatestFold {
  const { tenantId, oldestTs, newestTs } = device;
  const events = newestOf(device).sort((one, other) => (isNewer(one, other) ? -1 : 1));
  // Without a prototype: a metric may be called `constructor`.
  const metrics: Record<string, LatestEntry> = Object.create(null);
  for (const { metrics: values, flags, ts, id, receivedAt } of events) {
    for (const [key, value] of Object.entries(values)) {
      const flag = flags?.[key];
      metrics[key] ??= flag === undefined ? [value, ts, id, receivedAt] : [value, ts, id, receivedAt, flag];
    }
  }
  return { tenantId, deviceId, oldestTs, newestTs, metrics };
}
