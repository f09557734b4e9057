import {
  encodeEventBatch,
  type HeartbeatEvent,
  type SessionEvent,
  type ShadowEvent,
  type SignBatch,
  type TenantEvents,
} from '#core/bus/events.ts';
import { eventsSubject } from '#core/bus/subjects.ts';
import { encodeTelemetry } from '#core/bus/telemetry-encoding.ts';
import type { DecodedFrame, KnownDevice } from './decoded.ts';
import type { IngestRow } from './ingest-row.ts';
import type { ReportVersion } from './reports.ts';

export interface EventToPublish {
  readonly subject: string;
  readonly id: string;
  readonly payload: Buffer;
}

/** With the longest frame and the shortest readings still far below what the bus takes as one message. */
const READINGS_A_MESSAGE = 2_000;

/**
 * The events of one stored frame: one message, whatever the number of tenants, with its readings and what else was heard; another of what
 * was reported, several of very many readings, and one a kind of what was heard where there are no readings. Ids are made of
 * the batch id and what follows from `fresh` alone, so publishing again gives the same ids whatever else has changed meanwhile.
 * @param fresh one flag a slot of the frame: true where a new row was stored
 * @param versionOf what a report of the frame became
 */
export function eventsOf(
  frame: DecodedFrame,
  fresh: readonly boolean[],
  versionOf: ReportVersion = () => undefined,
): EventToPublish[] {
  const rows = frame.rows.filter((row) => fresh[row.slot]);
  const signs = signsOf(frame);
  const told =
    rows.length > 0 ? readingEvents(frame, rows, signs) : signs.map((batch) => toPublish(frame, batch));
  const shadows = shadowParts(frame, versionOf);
  return shadows.length > 0 ? [...told, toPublish(frame, { kind: 'shadow', parts: shadows })] : told;
}

/** What else was heard goes with the first of them. */
function readingEvents(
  frame: DecodedFrame,
  rows: readonly IngestRow[],
  signs: readonly SignBatch[],
): EventToPublish[] {
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
      payload: encodeTelemetry(tenants, begin === 0 ? signs : []),
    });
  }
  return messages;
}

function signsOf(frame: DecodedFrame): SignBatch[] {
  const heartbeats: About<HeartbeatEvent>[] = [];
  const sessions: About<SessionEvent>[] = [];
  for (const { identity, at, what } of frame.signs) {
    if (what.kind === 'heartbeat') heartbeats.push({ identity, event: { ...aboutDevice(identity), at } });
    else {
      const { kind: _, ...session } = what;
      sessions.push({ identity, event: { ...aboutDevice(identity), at, ...session } });
    }
  }
  const batches: SignBatch[] = [
    { kind: 'heartbeat', parts: partsOf(heartbeats) },
    { kind: 'session', parts: partsOf(sessions) },
  ];
  return batches.filter(({ parts }) => parts.length > 0);
}

function shadowParts(frame: DecodedFrame, versionOf: ReportVersion): TenantEvents<ShadowEvent>[] {
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
  return partsOf(told);
}

interface About<Event> {
  readonly identity: KnownDevice;
  readonly event: Event;
}

const partsOf = <Event>(about: readonly About<Event>[]): TenantEvents<Event>[] =>
  [...byTenant(about)].map(([{ tenant, tenantId }, some]) => ({
    ...{ tenant, tenantId, events: some.map(({ event }) => event) },
  }));

const toPublish = (
  { batchId, shard }: DecodedFrame,
  batch: Parameters<typeof encodeEventBatch>[0],
): EventToPublish => ({
  subject: eventsSubject(shard, batch.kind),
  id: `${batchId}.${batch.kind}`,
  payload: encodeEventBatch(batch),
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
