import { describe, expect, it } from 'vitest';
import { encodeEvents, type TelemetryEvent } from '#core/bus/events.ts';
import { encodeTelemetry } from '#core/bus/telemetry-encoding.ts';
import { JsonText } from '#core/fleet/json-text.ts';
import { readMessageId } from '#core/fleet/message-id.ts';
import { createCursorSealer, WHOLE } from './cursor.ts';
import { Entry } from './entry.ts';
import { EventQueue, type QueuedEvent } from './queue.ts';

const sealer = createCursorSealer([Buffer.alloc(32)]);
const event = (id: number, metrics: TelemetryEvent['metrics'] = { n: id }): TelemetryEvent => ({
  deviceId: 1,
  device: 'd',
  siteId: null,
  ts: id,
  id: String(id),
  receivedAt: id,
  metrics,
});

const stored = (seq: number, data: Buffer) =>
  new Entry({ shard: 2, created: 1_000, sealer }, { subject: 'events.2.telemetry', seq, at: 77, data });

function entryOf(sequence: number, events: readonly TelemetryEvent[]): Entry {
  const data = encodeEvents({ v: 1, tenant: 'acme', tenantId: 5, kind: 'telemetry', events });
  return stored(sequence, data);
}

function items(count: number, metrics?: TelemetryEvent['metrics']): QueuedEvent[] {
  const events = Array.from({ length: count }, (_, index) => event(index, metrics));
  const entry = entryOf(1, events);
  const [part] = entry.parts;
  if (!part) throw new Error('no part');
  return events.map((each, index) => ({ type: 'event', entry, part, index, event: each }));
}

describe('event queue', () => {
  it('gives back what was put in, in order, through any number of refills', () => {
    const queue = new EventQueue({ events: 3_000, bytes: 1e9 });
    const seen: (string | undefined)[] = [];
    for (const item of items(2_500)) queue.push(item);
    for (let n = 0; n < 1_500; n += 1) seen.push(idOf(queue.take(1)[0]));
    for (const item of items(1_000)) queue.push(item);
    while (queue.length > 0) seen.push(idOf(queue.take(1)[0]));
    expect(seen).toEqual([...items(2_500), ...items(1_000)].map(idOf));
    expect(queue.bytes).toBe(0);
    expect(queue.take(1)[0]).toBeUndefined();
  });

  it('gives out several at once, no more than asked for', () => {
    const queue = new EventQueue({ events: 100, bytes: 1e9 });
    expect(queue.take(5)).toEqual([]);
    for (const item of items(7)) queue.push(item);
    expect([queue.take(5), queue.take(5), queue.take(5)].map((taken) => taken.map(idOf))).toEqual([
      ['0', '1', '2', '3', '4'],
      ['5', '6'],
      [],
    ]);
    expect([queue.length, queue.bytes]).toEqual([0, 0]);
  });

  it('is full by count, and by bytes', () => {
    const byCount = new EventQueue({ events: 2, bytes: 1e9 });
    expect(items(3).map((item) => byCount.push(item))).toEqual([true, true, false]);
    const byBytes = new EventQueue({ events: 1e9, bytes: 1_000 });
    const taken = items(20, { text: 'x'.repeat(100) }).filter((item) => byBytes.push(item));
    expect(taken.length).toBeLessThan(10);
    expect(byBytes.bytes).toBeLessThanOrEqual(1_000);
  });

  it('takes one event however large it is', () => {
    const [large] = items(1, { text: 'x'.repeat(5_000) });
    if (!large) throw new Error('no item');
    expect(new EventQueue({ events: 1, bytes: 10 }).push(large)).toBe(true);
  });
});

const idOf = (item: QueuedEvent | undefined) => (item && 'id' in item.event ? item.event.id : undefined);

describe('entry', () => {
  it('knows whose events it holds, and refuses nothing it cannot read', () => {
    const entry = entryOf(9, [event(1)]);
    expect(entry.parts).toMatchObject([{ tenantId: 5, first: 0, count: 1 }]);
    expect([entry.deviceIdOf(0), entry.deviceOf(0)]).toEqual([1, 'd']);
    expect(entryOf(9, [event(1)]).partOf(5, 'presence')).toBeUndefined();
    expect(entryOf(9, [event(1)]).partOf(6, 'telemetry')).toBeUndefined();
    const strange = stored(9, Buffer.from('not json'));
    expect(strange.parts).toEqual([]);
    expect(strange.count).toBe(0);
  });

  it('seals a cursor behind each event, and behind the whole message at the last of its tenant', () => {
    const told = ({ deviceId, device, siteId, ts, id, receivedAt }: TelemetryEvent) => ({
      ...{ identity: { deviceId, device, siteId }, ts, receivedAt },
      id: readMessageId(id),
      metrics: JsonText.of('{"n":1}'),
      shape: 'n',
    });
    const data = encodeTelemetry([
      { tenant: 'acme', tenantId: 5, events: [event(1), event(2)].map(told) },
      { tenant: 'other', tenantId: 6, events: [event(3)].map(told) },
    ]);
    const entry = stored(9, data);
    const [acme, other] = entry.parts;
    if (!acme || !other) throw new Error('parts are missing');
    const place = { shard: 2, created: 1_000, sequence: 9, at: 77, partial: false };
    expect(sealer.open(entry.cursor(acme, 0))).toEqual({ ...place, tenantId: 5, index: 0 });
    expect(sealer.open(entry.cursor(acme, 1))).toEqual({ ...place, tenantId: 5, index: WHOLE });
    expect(sealer.open(entry.cursor(other, 2))).toEqual({ ...place, tenantId: 6, index: WHOLE });
    expect(entry.event(2)).toMatchObject({ id: '3' });
  });
});
