import {
  type EventMessage,
  encodeEvents,
  type HeartbeatEvent,
  type SessionEvent,
  type ShadowEvent,
} from '#core/bus/events.ts';
import { eventsSubject } from '#core/bus/subjects.ts';
import { encodeTelemetry } from '#core/bus/telemetry-encoding.ts';
import type { DecodedFrame, KnownDevice } from './decoded.ts';
import type { ReportVersion } from './reports.ts';

export interface EventToPublish {
  readonly subject: string;
  readonly id: string;
  readonly payload: Buffer;
}

/** With the longest frame and the shortest readings still far below what the bus takes as one message. */
const READINGS_A_MESSAGE = 2_000;

/**
 * The events of one stored frame: its new readings together, what else was heard one message a tenant and kind. Ids are made of
 * the batch id and what follows from `fresh` alone, so publishing again gives the same ids whatever else has changed meanwhile.
 * @param fresh one flag a slot of the frame: true where a new row was stored
 * @param versionOf what a report of the frame became
 */
export function eventsOf(
  frame: DecodedFrame,
  fresh: readonly boolean[],
  versionOf: ReportVersion = () => undefined,
): EventToPublish[] {
  return [...readingEvents(frame, fresh), ...signEvents(frame), ...shadowEvents(frame, versionOf)];
}

function readingEvents(frame: DecodedFrame, fresh: readonly boolean[]): EventToPublish[] {
  const rows = frame.rows.filter((row) => fresh[row.slot]);
  const messages: EventToPublish[] = [];
  for (let begin = 0; begin < rows.length; begin += READINGS_A_MESSAGE) {
    const tenants = [...byTenant(rows.slice(begin, begin + READINGS_A_MESSAGE))].map(([identity, some]) => ({
      ...{ tenant: identity.tenant, tenantId: identity.tenantId, events: some },
    }));
    const part = begin === 0 ? '' : `.${begin / READINGS_A_MESSAGE}`;
    const id = `${frame.batchId}.telemetry${part}`;
    messages.push({
      subject: eventsSubject(frame.shard, 'telemetry'),
      id,
      payload: encodeTelemetry(tenants),
    });
  }
  return messages;
}

function signEvents(frame: DecodedFrame): EventToPublish[] {
  const messages: EventMessage[] = [];
  for (const [{ tenant, tenantId }, signs] of byTenant(frame.signs)) {
    const head = { v: 1 as const, tenant, tenantId };
    const heartbeats: HeartbeatEvent[] = [];
    const sessions: SessionEvent[] = [];
    for (const { identity, at, what } of signs) {
      if (what.kind === 'heartbeat') heartbeats.push({ ...aboutDevice(identity), at });
      else {
        const { kind: _, ...session } = what;
        sessions.push({ ...aboutDevice(identity), at, ...session });
      }
    }
    if (heartbeats.length > 0) messages.push({ ...head, kind: 'heartbeat', events: heartbeats });
    if (sessions.length > 0) messages.push({ ...head, kind: 'session', events: sessions });
  }
  return messages.map((message) => toPublish(frame, message));
}

function shadowEvents(frame: DecodedFrame, versionOf: ReportVersion): EventToPublish[] {
  const told = frame.reports.flatMap((row) => {
    const version = versionOf(frame, row);
    if (version === undefined) return [];
    const { identity, item, report } = row;
    const event: ShadowEvent = {
      ...{ ...aboutDevice(identity), at: item.receivedAt, side: 'REPORTED', version },
      ...{ answers: report.answers, actor: null },
    };
    return [{ identity, event }];
  });
  return [...byTenant(told)].map(([{ tenant, tenantId }, some]) => {
    const events = some.map(({ event }) => event);
    return toPublish(frame, { v: 1, tenant, tenantId, kind: 'shadow', events });
  });
}

const toPublish = ({ batchId, shard }: DecodedFrame, message: EventMessage): EventToPublish => ({
  subject: eventsSubject(shard, message.kind),
  id: `${batchId}.${message.tenantId}.${message.kind}`,
  payload: encodeEvents(message),
});

const aboutDevice = ({ deviceId, device, siteId }: KnownDevice) => ({ deviceId, device, siteId });

/** Each tenant's, with the identity of the first. */
function byTenant<Entry extends { readonly identity: KnownDevice }>(
  entries: readonly Entry[],
): Iterable<[KnownDevice, Entry[]]> {
  const tenants = new Map<number, [KnownDevice, Entry[]]>();
  for (const entry of entries) {
    const known = tenants.get(entry.identity.tenantId);
    if (known) known[1].push(entry);
    else tenants.set(entry.identity.tenantId, [entry.identity, [entry]]);
  }
  return tenants.values();
}
