import { describe, expect, it } from 'vitest';
import { encodeEvents } from '#core/bus/events.ts';
import { Audience, type Follower } from './audience.ts';
import { createCursorSealer } from './cursor.ts';
import { Entry } from './entry.ts';
import type { LiveFilter } from './filter.ts';

const sealer = createCursorSealer([Buffer.alloc(32)]);

/** A message with one reading of each device. */
function entryOf(devices: Readonly<Record<string, number>>): Entry {
  const events = Object.entries(devices).map(([device, deviceId]) => ({
    ...{ deviceId, device, siteId: null, ts: 1, id: '1', receivedAt: 1, metrics: { n: 1 } },
  }));
  const data = encodeEvents({ v: 1, tenant: 'acme', tenantId: 5, kind: 'telemetry', events });
  return new Entry({ shard: 2, created: 1, sealer }, { subject: 'events.2.telemetry', seq: 1, at: 7, data });
}

const followerOf = (filter: LiveFilter): Follower => ({
  ...{ tenantId: 5, kind: 'telemetry', filter },
  offer: () => true,
  released: () => undefined,
});

const byKey = followerOf({ deviceKeys: new Set(['pump', 'not-yet-there']) });
const byId = followerOf({ deviceIds: new Set([1, 2]) });
const broad = followerOf({ metrics: new Set(['n']) });

describe('an audience', () => {
  it('is found by the id of a device, by its key, and by anything broader', () => {
    const audience = new Audience();
    for (const follower of [byKey, byId, broad]) audience.add(follower);
    const entry = entryOf({ pump: 1, fan: 2, lamp: 3 });
    for (const _ of [1, 2]) {
      expect(new Set(audience.of(entry, 0))).toEqual(new Set([byKey, byId, broad]));
      expect(new Set(audience.of(entry, 1))).toEqual(new Set([byId, broad]));
      expect(audience.of(entry, 2)).toEqual([broad]);
    }
    expect(audience.of(entryOf({ 'not-yet-there': 4 }), 0)).toContain(byKey);
  });

  it('knows at once who has come and who has gone', () => {
    const audience = new Audience();
    const entry = entryOf({ pump: 1 });
    expect(audience.of(entry, 0)).toEqual([]);
    audience.add(byKey);
    expect(audience.of(entry, 0)).toEqual([byKey]);
    audience.add(byId);
    audience.remove(byKey);
    expect(audience.of(entry, 0)).toEqual([byId]);
    audience.remove(byId);
    expect([audience.of(entry, 0), audience.isEmpty]).toEqual([[], true]);
  });
});
