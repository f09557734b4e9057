import { describe, expect, it } from 'vitest';
import { decodeEvents, EventError, encodeEventBatch, encodeEvents } from './events.ts';

const alive = (deviceId: number) => ({ deviceId, device: `d-${deviceId}`, siteId: null, at: 7 });

describe('a message of events', () => {
  it('holds those of one tenant or of many, and is read alike', () => {
    const parts = [
      { tenant: 'acme', tenantId: 1, events: [alive(1), alive(2)] },
      { tenant: 'other', tenantId: 2, events: [alive(3)] },
    ];
    expect(decodeEvents(encodeEventBatch({ kind: 'heartbeat', parts }))).toEqual({
      kind: 'heartbeat',
      parts,
    });
    const [acme] = parts;
    const single = encodeEvents({
      v: 1,
      kind: 'heartbeat',
      tenant: 'acme',
      tenantId: 1,
      events: [alive(1), alive(2)],
    });
    expect(decodeEvents(single)).toEqual({ kind: 'heartbeat', parts: [acme] });
  });

  it('is refused when it is no JSON, of another version, or holds no events', () => {
    const refused = [
      '{"v":1,"kind":"heart',
      'null',
      '{"v":5,"kind":"heartbeat","parts":[]}',
      '{"v":1,"kind":"heartbeat","parts":[]}',
      '{"v":4,"kind":"heartbeat","events":[]}',
      '{"v":4,"kind":"heartbeat","parts":[null]}',
      '{"v":4,"kind":"heartbeat","parts":[{"tenant":"acme","tenantId":1}]}',
      '{"v":4,"kind":"telemetry","parts":[]}',
    ];
    for (const text of refused) expect(() => decodeEvents(Buffer.from(text)), text).toThrow(EventError);
  });
});
