import { describe, expect, it } from 'vitest';
import { decodeEvents } from '#core/bus/events.ts';
import type { DevicePresence } from '#core/db/presence.ts';
import { shardOf } from '#core/fleet/shards.ts';
import { presenceMessages } from './presence-messages.ts';

const SHARDS = 2;

const device = (tenant: string, tenantId: number, deviceId: number): DevicePresence => ({
  ...{ tenant, tenantId, deviceId, device: `d-${deviceId}`, siteId: null, intervalSeconds: 60 },
  ...{ template: undefined, metricsSince: null },
  state: {
    ...{ connection: 'ONLINE', epoch: 1n, connectionChangedAt: 1, freshness: 'FRESH', lastSeenAt: 1 },
    ...{ credential: 'ACTIVE', missingMetrics: [] },
  },
});

/** Tenants of one shard, as many as asked. */
const neighbours = (count: number, shard: number): string[] =>
  Array.from({ length: 100 }, (_, index) => `tenant-${index}`)
    .filter((slug) => shardOf(slug, SHARDS) === shard)
    .slice(0, count);

const read = (messages: ReturnType<typeof presenceMessages>) =>
  messages.map(({ payload }) =>
    decodeEvents(payload).parts.map(({ tenantId, events }) => ({
      tenantId,
      devices: events.map(({ deviceId }) => deviceId),
    })),
  );

describe('presence messages', () => {
  it('are one a shard, whatever the number of tenants, each device under its own', () => {
    const [[one = '', two = ''], [other = '']] = [neighbours(2, 0), neighbours(1, 1)];
    const changed = [device(one, 1, 10), device(other, 3, 30), device(two, 2, 20), device(one, 1, 11)];
    const messages = presenceMessages(changed, 5, SHARDS);
    expect(messages.map(({ subject, tenantId }) => ({ subject, tenantId }))).toEqual([
      { subject: 'events.0.presence', tenantId: null },
      { subject: 'events.1.presence', tenantId: 3 },
    ]);
    expect(read(messages)).toEqual([
      [
        { tenantId: 1, devices: [10, 11] },
        { tenantId: 2, devices: [20] },
      ],
      [{ tenantId: 3, devices: [30] }],
    ]);
  });

  it('are split where there are too many devices for one', () => {
    const [slug = ''] = neighbours(1, 0);
    const changed = Array.from({ length: 1_500 }, (_, index) => device(slug, 1, index));
    const sizes = read(presenceMessages(changed, 5, SHARDS)).map(([part]) => part?.devices.length);
    expect(sizes).toEqual([1_000, 500]);
    expect(presenceMessages([], 5, SHARDS)).toEqual([]);
  });
});
