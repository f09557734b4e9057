import type { OpenEvents } from '#core/bus/telemetry-batch.ts';
import type { PresenceSignal } from '#core/fleet/presence.ts';

/** What was heard of one device, in order; traffic that follows traffic is one signal, the later one. */
export interface DeviceSignals {
  readonly tenantId: number;
  readonly deviceId: number;
  readonly signals: PresenceSignal[];
}

/** Adds what a message says of its devices, by their id. */
export function collectSignals(message: OpenEvents, heard: Map<number, DeviceSignals>): void {
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
      return;
    case 'heartbeat':
      for (const event of message.events) hearTraffic(message.tenantId, event.deviceId, event.at);
      return;
    case 'session':
      for (const { deviceId, at, connection, epoch } of message.events) {
        if (epoch === undefined) hear(message.tenantId, deviceId, { kind: 'said', at, connection });
        else {
          const kind = connection === 'ONLINE' ? 'connected' : 'disconnected';
          hear(message.tenantId, deviceId, { kind, at, epoch: BigInt(epoch) });
        }
      }
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

/** Nothing but traffic, from a device that is known to be fresh and whose last sight is recent enough. */
export function onlyExpectedTraffic(device: DeviceSignals, writeAgainAt: number | undefined): boolean {
  return (
    writeAgainAt !== undefined &&
    device.signals.every((signal) => signal.kind === 'traffic' && signal.at < writeAgainAt)
  );
}
