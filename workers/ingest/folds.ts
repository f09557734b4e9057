import type { TelemetryEvent } from '#core/bus/events.ts';
import type { TelemetryBatch } from '#core/bus/telemetry-batch.ts';
import { isNewer, type LatestEntry, type LatestFold } from '#core/db/latest.ts';

/** The newest values of many devices, gathered from their readings. */
export interface Folds {
  /** Devices in it. */
  readonly size: number;
  add(batch: TelemetryBatch): void;
  /** Hands over everything so far and begins anew. */
  take(): Folds;
  /** Takes in again what could not be written. */
  giveBack(folds: Folds): void;
  /** As the database takes them. */
  folds(): LatestFold[];
  readonly devices: ReadonlyMap<number, DeviceFold>;
}

interface DeviceFold {
  readonly tenantId: number;
  oldestTs: number;
  newestTs: number;
  /** Of each metric the reading that has the newest value. Without a prototype: a metric may be called `constructor`. */
  readonly newest: Record<string, TelemetryEvent>;
}

export function createFolds(): Folds {
  return foldsWith(new Map());
}

function foldsWith(devices: Map<number, DeviceFold>): Folds {
  let held = devices;
  const fold = (tenantId: number, event: TelemetryEvent, metrics: Readonly<Record<string, unknown>>) => {
    let device = held.get(event.deviceId);
    if (!device) {
      device = { tenantId, oldestTs: event.ts, newestTs: event.ts, newest: Object.create(null) };
      held.set(event.deviceId, device);
    } else {
      if (event.ts < device.oldestTs) device.oldestTs = event.ts;
      if (event.ts > device.newestTs) device.newestTs = event.ts;
    }
    for (const key in metrics) {
      const known = device.newest[key];
      if (!known || isNewer(event, known)) device.newest[key] = event;
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
      const events = batch.events();
      for (const { tenantId, first, deviceIds } of batch.parts) {
        for (let index = first; index < first + deviceIds.length; index++) {
          const event = events[index];
          if (event) fold(tenantId, event, event.metrics);
        }
      }
    },
    take() {
      const taken = foldsWith(held);
      held = new Map();
      return taken;
    },
    giveBack(folds) {
      for (const { tenantId, oldestTs, newestTs, newest } of folds.devices.values()) {
        for (const [key, event] of Object.entries(newest)) fold(tenantId, event, { [key]: true });
        const device = held.get(Object.values(newest)[0]?.deviceId ?? -1);
        if (!device) continue;
        device.oldestTs = Math.min(device.oldestTs, oldestTs);
        device.newestTs = Math.max(device.newestTs, newestTs);
      }
    },
    folds: () => [...held].map(([deviceId, device]) => toFold(deviceId, device)),
  };
}

function toFold(deviceId: number, { tenantId, oldestTs, newestTs, newest }: DeviceFold): LatestFold {
  const metrics: Record<string, LatestEntry> = Object.create(null);
  for (const key in newest) {
    const event = newest[key];
    const value = event?.metrics[key];
    if (event && value !== undefined) metrics[key] = [value, event.ts, event.id, event.receivedAt];
  }
  return { tenantId, deviceId, oldestTs, newestTs, metrics };
}
