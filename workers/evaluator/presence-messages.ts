import { encodeEvents, type PresenceEvent } from '#core/bus/events.ts';
import { eventsSubject } from '#core/bus/subjects.ts';
import type { OutboxMessage } from '#core/db/outbox.ts';
import type { DevicePresence } from '#core/db/presence.ts';
import { shardOf } from '#core/fleet/shards.ts';

/** Devices in one message: far below the largest that the bus takes. */
const MESSAGE_DEVICES = 1_000;

/** The events that tell subscribers the presence of these devices, those of a tenant together. */
export function presenceMessages(
  changed: readonly DevicePresence[],
  now: number,
  shards: number,
): OutboxMessage[] {
  return [...Map.groupBy(changed, (device) => device.tenantId).values()].flatMap((devices) => {
    const [first] = devices;
    if (!first) return [];
    const { tenant, tenantId } = first;
    const shard = shardOf(tenant, shards);
    return Array.from({ length: Math.ceil(devices.length / MESSAGE_DEVICES) }, (_, index) => {
      const events = devices
        .slice(index * MESSAGE_DEVICES, (index + 1) * MESSAGE_DEVICES)
        .map((device) => presenceEvent(device, now));
      const payload = encodeEvents({ v: 1, tenant, tenantId, kind: 'presence', events });
      return { tenantId, shard, subject: eventsSubject(shard, 'presence'), payload };
    });
  });
}

const presenceEvent = (device: DevicePresence, at: number): PresenceEvent => ({
  deviceId: device.deviceId,
  device: device.device,
  siteId: device.siteId,
  at,
  connection: device.state.connection,
  freshness: device.state.freshness,
  credential: device.state.credential,
  lastSeenAt: device.state.lastSeenAt,
  connectionChangedAt: device.state.connectionChangedAt,
  missingMetrics: device.state.missingMetrics,
});
