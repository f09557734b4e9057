import {
  encodeEventBatch,
  type HeartbeatEvent,
  type SessionEvent,
  type ShadowEvent,
  type TenantEvents,
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
 * The events of one stored frame: one message a kind, whatever the number of tenants; only of very many readings several. Ids are made of
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
  const heartbeats: About<HeartbeatEvent>[] = [];
  const sessions: About<SessionEvent>[] = [];
  for (const { identity, at, what } of frame.signs) {
    if (what.kind === 'heartbeat') heartbeats.push({ identity, event: { ...aboutDevice(identity), at } });
    else {
      const { kind: _, ...session } = what;
      sessions.push({ identity, event: { ...aboutDevice(identity), at, ...session } });
    }
  }
  return [
    ...toPublish(frame, { kind: 'heartbeat', parts: partsOf(heartbeats) }),
    ...toPublish(frame, { kind: 'session', parts: partsOf(sessions) }),
  ];
}

function shadowEvents(frame: DecodedFrame, versionOf: ReportVersion): EventToPublish[] {
  const told = frame.reports.flatMap((row): About<ShadowEvent>[] => {
    const version = versionOf(frame, row);
    if (version === undefined) return [];
    const { identity, item, report } = row;
    const event: ShadowEvent = {
      ...{ ...aboutDevice(identity), at: item.receivedAt, side: 'REPORTED', version },
      ...{ answers: report.answers, actor: null },
    };
    return [{ identity, event }];
  });
  return toPublish(frame, { kind: 'shadow', parts: partsOf(told) });
}

interface About<Event> {
  readonly identity: KnownDevice;
  readonly event: Event;
}

const partsOf = <Event>(about: readonly About<Event>[]): TenantEvents<Event>[] =>
  [...byTenant(about)].map(([{ tenant, tenantId }, some]) => ({
    ...{ tenant, tenantId, events: some.map(({ event }) => event) },
  }));

/** Nothing where there is nothing to tell. */
const toPublish = (
  { batchId, shard }: DecodedFrame,
  batch: Parameters<typeof encodeEventBatch>[0],
): EventToPublish[] =>
  batch.parts.length === 0
    ? []
    : [
        {
          subject: eventsSubject(shard, batch.kind),
          id: `${batchId}.${batch.kind}`,
          payload: encodeEventBatch(batch),
        },
      ];

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
