import {
  type EventMessage,
  encodeEvents,
  type HeartbeatEvent,
  type SessionEvent,
  type TelemetryEvent,
} from '#core/bus/events.ts';
import { eventsSubject } from '#core/bus/subjects.ts';
import { messageIdText } from '#core/fleet/message-id.ts';
import type { DecodedFrame, KnownDevice } from './decode.ts';

export interface EventToPublish {
  readonly subject: string;
  readonly id: string;
  readonly payload: Buffer;
}

/**
 * The events of one stored frame, one message a tenant and kind. Ids are `{batchId}.{tenant id}.{kind}`, so publishing again
 * gives the same ids whatever else has changed meanwhile.
 * @param fresh one flag a slot of the frame: true where a new row was stored
 */
export function eventsOf(frame: DecodedFrame, fresh: readonly boolean[]): EventToPublish[] {
  const messages: EventMessage[] = [];
  const head = (identity: KnownDevice) => ({
    v: 1 as const,
    tenant: identity.tenant,
    tenantId: identity.tenantId,
  });

  for (const rows of byTenant(frame.rows.filter((row) => fresh[row.slot]))) {
    const [first] = rows;
    const events = rows.map(telemetryEvent);
    if (first) messages.push({ ...head(first.identity), kind: 'telemetry', events });
  }
  for (const signs of byTenant(frame.signs)) {
    const [first] = signs;
    if (!first) continue;
    const heartbeats: HeartbeatEvent[] = [];
    const sessions: SessionEvent[] = [];
    for (const { identity, at, what } of signs) {
      if (what.kind === 'heartbeat') heartbeats.push({ ...aboutDevice(identity), at });
      else {
        const { kind: _, ...session } = what;
        sessions.push({ ...aboutDevice(identity), at, ...session });
      }
    }
    if (heartbeats.length > 0)
      messages.push({ ...head(first.identity), kind: 'heartbeat', events: heartbeats });
    if (sessions.length > 0) messages.push({ ...head(first.identity), kind: 'session', events: sessions });
  }
  return messages.map((message) => ({
    subject: eventsSubject(frame.shard, message.kind),
    id: `${frame.batchId}.${message.tenantId}.${message.kind}`,
    payload: encodeEvents(message),
  }));
}

function telemetryEvent(row: DecodedFrame['rows'][number]): TelemetryEvent {
  return {
    ...aboutDevice(row.identity),
    ts: row.ts,
    id: messageIdText(row.id),
    receivedAt: row.receivedAt,
    metrics: row.reading.metrics,
    ...(row.lat !== undefined && { lat: row.lat }),
    ...(row.lng !== undefined && { lng: row.lng }),
  };
}

const aboutDevice = (identity: KnownDevice) => ({
  deviceId: identity.deviceId,
  device: identity.device,
  siteId: identity.siteId,
});

function byTenant<Entry extends { readonly identity: KnownDevice }>(
  entries: readonly Entry[],
): Iterable<Entry[]> {
  return Map.groupBy(entries, (entry) => entry.identity.tenantId).values();
}
