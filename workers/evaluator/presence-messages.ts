import { encodeEventBatch, type PresenceEvent } from '#core/bus/events.ts';
import { eventsSubject } from '#core/bus/subjects.ts';
import type { OutboxMessage } from '#core/db/outbox.ts';
import type { DevicePresence } from '#core/db/presence.ts';
import { shardOf } from '#core/fleet/shards.ts';

/** Devices in one message: far below the largest that the bus takes. */
const MESSAGE_DEVICES = 1_000;

/** The events that tell subscribers the presence of these devices, those of a shard together, whosever they are. */
export function presenceMessages(
  changed: readonly DevicePresence[],
  now: number,
  shards: number,
): OutboxMessage[] {
  const byTenant = [...Map.groupBy(changed, ({ tenantId }) => tenantId).values()].flatMap((devices) =>
    devices[0] ? [{ shard: shardOf(devices[0].tenant, shards), devices }] : [],
  );
  return [...Map.groupBy(byTenant, ({ shard }) => shard)].flatMap(([shard, tenants]) => {
    const devices = tenants.flatMap((tenant) => tenant.devices);
    return Array.from({ length: Math.ceil(devices.length / MESSAGE_DEVICES) }, (_, index) =>
      presenceMessage(shard, devices.slice(index * MESSAGE_DEVICES, (index + 1) * MESSAGE_DEVICES), now),
    );
  });
}

function presenceMessage(shard: number, devices: readonly DevicePresence[], now: number): OutboxMessage {
  const parts = [...Map.groupBy(devices, ({ tenantId }) => tenantId)].map(([tenantId, some]) => ({
    tenant: some[0]?.tenant ?? '',
    tenantId,
    events: some.map((device) => presenceEvent(device, now)),
  }));
  return {
    tenantId: parts.length === 1 ? (parts[0]?.tenantId ?? null) : null,
    shard,
    subject: eventsSubject(shard, 'presence'),
    payload: encodeEventBatch({ kind: 'presence', parts }),
  };
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
