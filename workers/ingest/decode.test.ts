import { describe, expect, it } from 'vitest';
import type { FrameItem } from '#core/bus/messages.ts';
import type { DeviceIdentity } from '#core/db/devices.ts';
import type { DeviceId, SiteId, TenantId } from '#core/fleet/ids.ts';
import { DEFAULT_TELEMETRY_LIMITS } from '#core/fleet/telemetry.ts';
import { decodeFrame } from './decode.ts';
import { eventsOf } from './events.ts';

const identity = (tenant: string, over: Partial<DeviceIdentity> = {}): DeviceIdentity => ({
  tenantId: (tenant === 'acme' ? 1 : 2) as TenantId,
  tenant,
  tenantStatus: 'ACTIVE',
  retentionDays: 30,
  deviceId: 10 as DeviceId,
  device: 'meter',
  siteId: 3 as SiteId,
  status: 'ACTIVE',
  ...over,
});

const item = (payload: string, over: Partial<FrameItem> = {}): FrameItem => ({
  tenant: 'acme',
  device: 'meter',
  kind: 'telemetry',
  dialect: 'canonical',
  source: 'mqtt',
  dup: false,
  receivedAt: 1_767_000_000_000,
  payload: Buffer.from(payload),
  ...over,
});

const decode = (
  items: readonly FrameItem[],
  known: (tenant: string, device: string) => DeviceIdentity | undefined = (tenant) => identity(tenant),
  stored?: readonly boolean[],
) =>
  decodeFrame(
    { batchId: '019b0000-0000-7000-8000-000000000000', items },
    { shard: 4, streamSequence: 9 },
    known,
    DEFAULT_TELEMETRY_LIMITS,
    stored,
  );

describe('decodeFrame', () => {
  it('turns every item into exactly one kind of outcome', () => {
    const frame = decode([
      item('{"a":1}'),
      item('nonsense'),
      item('{}', { kind: 'heartbeat' }),
      item('{}', { kind: 'command_ack' }),
    ]);
    expect(frame.rows).toHaveLength(1);
    expect(frame.quarantine.map((row) => row.reason)).toEqual(['BAD_JSON', 'NOT_SUPPORTED']);
    expect(frame.signs).toHaveLength(1);
    expect(frame.counts.get(1)).toMatchObject({ accepted: 3, quarantined: 2 });
  });

  it.each([
    ['TENANT_SUSPENDED', { tenantStatus: 'SUSPENDED' }],
    ['DEVICE_DISABLED', { status: 'DISABLED' }],
    ['DEVICE_DECOMMISSIONED', { status: 'DECOMMISSIONED' }],
    ['UNKNOWN_DEVICE', { deviceId: null, status: null }],
  ] as const)('turns away as %s', (reason, over) => {
    expect(decode([item('{"a":1}')], (tenant) => identity(tenant, over)).quarantine).toMatchObject([
      { reason },
    ]);
  });

  it('never puts two tenants into one event message, and gives the same ids each time', () => {
    const frame = decode([item('{"a":1}'), item('{"b":2}', { tenant: 'other' }), item('{"c":3}')]);
    const events = eventsOf(frame, [true, true, true]);
    expect(events.map((event) => JSON.parse(event.payload.toString()))).toMatchObject([
      { tenant: 'acme', events: [{ metrics: { a: 1 } }, { metrics: { c: 3 } }] },
      { tenant: 'other', events: [{ metrics: { b: 2 } }] },
    ]);
    expect(events.map((event) => event.id)).toEqual([
      `${frame.batchId}.1.telemetry`,
      `${frame.batchId}.2.telemetry`,
    ]);
    expect(events[0]?.subject).toBe('events.4.telemetry');
  });

  it('publishes a stored frame again as it was stored, whatever has become of its devices since', () => {
    const items = [item('[{"a":1},{"a":2}]', { device: 'later' }), item('{"b":3}')];
    const knownAtFirst = (tenant: string, device: string) =>
      identity(tenant, device === 'later' ? { device, deviceId: null, status: null } : { device });
    const first = decode(items, knownAtFirst);
    expect(first.rows.map((row) => row.slot)).toEqual([2]);

    const stored = [false, false, true];
    const created = decode(items, (tenant) => identity(tenant), stored);
    const disabled = decode(items, (tenant) => identity(tenant, { status: 'DISABLED' }), stored);
    const [before, ...others] = [first, created, disabled].map((frame) =>
      eventsOf(frame, stored).map(({ id, payload }) => ({
        id,
        metrics: JSON.parse(payload.toString()).events[0].metrics,
      })),
    );
    expect(before).toEqual([{ id: `${first.batchId}.1.telemetry`, metrics: { b: 3 } }]);
    for (const other of others) expect(other).toEqual(before);
  });

  it('announces only the rows that are new', () => {
    const frame = decode([item('{"a":1}'), item('{"c":3}')]);
    const [event] = eventsOf(frame, [false, true]);
    expect(JSON.parse(event?.payload.toString() ?? '').events).toMatchObject([{ metrics: { c: 3 } }]);
  });

  it('reads each message in its own dialect', () => {
    const over = { dialect: 'meter2' } as const;
    const frame = decode([
      item(
        '{"v":2,"device_id":"meter","seq":1,"measurements":[{"ts":1,"type":"a","val":1},{"type":"a","val":2}]}',
        over,
      ),
      item('{"ts":1767000000,"metrics":{"t":3}}', { dialect: 'argus1' }),
      item('{"v":2,"device_id":"other","seq":1,"measurements":[{"type":"a","val":1}]}', over),
      item('{"v":2,"device_id":"meter"}', { ...over, kind: 'heartbeat' }),
      item('{"v":2,"device_id":"other"}', { ...over, kind: 'heartbeat' }),
      item('{"v":2,"device_id":"meter","status":"offline"}', { ...over, kind: 'status' }),
    ]);
    expect(frame.rows.map((row) => row.metricsJson)).toEqual(['{"a":2}', '{"t":3}']);
    expect(frame.quarantine.map((row) => row.reason)).toEqual(['TOO_OLD', 'WRONG_DEVICE', 'WRONG_DEVICE']);
    expect(frame.signs.map((sign) => sign.what)).toMatchObject([
      { kind: 'heartbeat' },
      { kind: 'session', connection: 'OFFLINE' },
    ]);
  });
});
