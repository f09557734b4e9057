import type { Subscription } from '@nats-io/nats-core';
import type { Bus } from '#core/bus/connect.ts';
import type { ControlMessage } from '#core/bus/events.ts';
import { type ControlKind, controlSubject } from '#core/bus/subjects.ts';
import type { Logger } from '#core/runtime/logger.ts';

export interface ControlListener {
  stop(): void;
}

export interface ControlOptions {
  readonly bus: Bus;
  readonly log: Logger;
  /** What was known about a device's credentials or status is no longer true. */
  onDeviceChanged(tenant: string, device: string): void;
  /** Another gateway holds the device's session now, under this epoch. */
  onSession(tenant: string, device: string, epoch: bigint): void;
}

/** Hears what changes elsewhere. Nothing is stored: whoever was disconnected must assume that it missed something. */
export function openControl(options: ControlOptions): ControlListener {
  const listen = (kind: ControlKind, act: (message: ControlMessage) => void): Subscription =>
    options.bus.connection.subscribe(controlSubject(kind), {
      callback(error, message) {
        if (error) return;
        const control = readControl(message.data);
        if (control) act(control);
        else options.log.warn({ subject: message.subject }, 'not a control message');
      },
    });
  const subscriptions = [
    listen('credential', (message) => options.onDeviceChanged(message.tenant, message.id)),
    listen('device', (message) => options.onDeviceChanged(message.tenant, message.id)),
    listen('session', (message) => options.onSession(message.tenant, message.id, BigInt(message.version))),
  ];
  return {
    stop() {
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}

/** Tells every other gateway that a device's session is here now. */
export function publishSession(bus: Bus, message: ControlMessage): void {
  if (bus.connected()) bus.connection.publish(controlSubject('session'), JSON.stringify(message));
}

function readControl(bytes: Uint8Array): ControlMessage | undefined {
  try {
    const parsed = JSON.parse(new TextDecoder().decode(bytes)) as Partial<ControlMessage> | null;
    const { tenant, tenantId = 0, id, version } = parsed ?? {};
    if (typeof tenant !== 'string' || typeof id !== 'string' || !Number.isSafeInteger(version)) return undefined;
    return { tenant, tenantId, id, version: Number(version) };
  } catch {
    return undefined;
  }
}
