import { describe, expect, it } from 'vitest';
import { EventError, encodeEventBatch } from '#core/bus/events.ts';
import { createCursorSealer, WHOLE } from './cursor.ts';
import { Entry } from './entry.ts';

const sealer = createCursorSealer([Buffer.alloc(32)]);

const shadow = (deviceId: number) => ({
  ...{ deviceId, device: `d-${deviceId}`, siteId: null, at: 7, side: 'REPORTED' as const, version: 1 },
  ...{ answers: 0, actor: null },
});

const data = encodeEventBatch({
  kind: 'shadow',
  parts: [
    { tenant: 'acme', tenantId: 5, events: [shadow(1), shadow(2)] },
    { tenant: 'other', tenantId: 6, events: [shadow(3), shadow(4)] },
  ],
});

const entryOf = (): Entry =>
  new Entry({ shard: 2, created: 1, sealer }, { subject: 'events.2.shadow', seq: 9, at: 7, data });

describe('an entry with the events of several tenants', () => {
  it('knows whose they are, each at its place in the whole message', () => {
    const entry = entryOf();
    expect(entry.parts).toEqual([
      { tenantId: 5, first: 0, count: 2 },
      { tenantId: 6, first: 2, count: 2 },
    ]);
    expect(entry.partOf(6, 'shadow')).toEqual({ tenantId: 6, first: 2, count: 2 });
    expect([entry.partOf(7, 'shadow'), entry.partOf(6, 'presence')]).toEqual([undefined, undefined]);
    expect([0, 1, 2, 3].map((index) => entry.deviceIdOf(index))).toEqual([1, 2, 3, 4]);
    expect([entry.deviceOf(2), entry.event(3).deviceId, entry.count]).toEqual(['d-3', 4, 4]);
    expect([entry.deviceIdOf(4), entry.deviceOf(4)]).toEqual([-1, '']);
    expect(() => entry.event(4)).toThrow(EventError);
  });

  it('seals cursors for the tenant of the part; the last of it has seen the whole message', () => {
    const entry = entryOf();
    const part = entry.parts[1] ?? { tenantId: 0, first: 0, count: 0 };
    const opened = [2, 3].map((index) => sealer.open(entry.cursor(part, index)));
    expect(opened).toMatchObject([
      { tenantId: 6, sequence: 9, index: 2 },
      { tenantId: 6, sequence: 9, index: WHOLE },
    ]);
  });
});
