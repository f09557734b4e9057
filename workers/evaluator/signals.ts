import type { SessionEvent, SignBatch } from '#core/bus/events.ts';
import type { EventKind } from '#core/bus/subjects.ts';
import type { OpenEvents } from '#core/bus/telemetry-batch.ts';
import type { PresenceSignal } from '#core/fleet/presence.ts';

/** What speaks of devices as such. */
export const SIGNAL_KINDS = ['telemetry', 'heartbeat', 'session'] as const satisfies readonly EventKind[];

/** What was heard of one device, in order; traffic that follows traffic is one signal, the later one. */
export interface DeviceSignals {
  readonly tenantId: number;
  readonly deviceId: number;
  readonly signals: PresenceSignal[];
}

/** Adds what a message says of its devices, by their id. */
export function collectSignals(message: OpenEvents | SignBatch, heard: Map<number, DeviceSignals>): void {
  const hear = (tenantId: number, deviceId: number, signal: PresenceSignal) => {
    const device = heard.get(deviceId);
    if (device) device.signals.push(signal);
    else heard.set(deviceId, { tenantId, deviceId, signals: [signal] });
  };
  const hearTraffic = (tenantId: number, deviceId: number, at: number) => {
    const signals = heard.get(deviceId)?.signals;
    const last = signals?.at(-1);
    if (last?.kind !== 'traffic') hear(tenantId, deviceId, { kind: 'traffic', at });
    else if (signals && at > last.at) signals[signals.length - 1] = { kind: 'traffic', at };
  };
  switch (message.kind) {
    case 'telemetry':
      for (const { tenantId, first, count } of message.parts) {
        for (let index = first; index < first + count; index++)
          hearTraffic(tenantId, message.deviceIds[index] ?? -1, message.receivedAt[index] ?? 0);
      }
      for (const batch of message.signs) collectSignals(batch, heard);
      return;
    case 'heartbeat':
      for (const { tenantId, events } of message.parts)
        for (const { deviceId, at } of events) hearTraffic(tenantId, deviceId, at);
      return;
    case 'session':
      for (const { tenantId, events } of message.parts)
        for (const event of events) hear(tenantId, event.deviceId, signalOf(event));
      return;
    case 'presence':
    case 'device':
    case 'sequence':
    case 'credential':
    case 'shadow':
    case 'command':
      return;
  }
}

function signalOf({ at, connection, epoch }: SessionEvent): PresenceSignal {
  if (epoch === undefined) return { kind: 'said', at, connection };
  return { kind: connection === 'ONLINE' ? 'connected' : 'disconnected', at, epoch: BigInt(epoch) };
}

/** Nothing but traffic, from a device that is known to be fresh and whose last sight is recent enough. */
export function onlyExpectedTraffic(device: DeviceSignals, writeAgainAt: number | undefined): boolean {
  return (
    writeAgainAt !== undefined &&
    device.signals.every((signal) => signal.kind === 'traffic' && signal.at < writeAgainAt)
  );
}
