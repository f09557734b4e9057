import { describe, expect, it } from 'vitest';
import { type FrameItem, FrameWriter, parseFrame } from '#core/bus/messages.ts';
import { openEvents } from '#core/bus/telemetry-batch.ts';
import type { DeviceIdentity } from '#core/db/devices.ts';
import { MANIFEST_ENTRY_BYTES, readManifestFlags } from '#core/db/manifest.ts';
import type { DeviceId, SiteId, TenantId } from '#core/fleet/ids.ts';
import { type JsonText, JsonTexts } from '#core/fleet/json-text.ts';
import { DEFAULT_TELEMETRY_LIMITS } from '#core/fleet/telemetry.ts';
import { decodeFrame } from './decode.ts';
import { eventsOf } from './events.ts';
import { MessageReader } from './message-reader.ts';

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

const frameOf = (items: readonly FrameItem[]) => {
  const writer = new FrameWriter(0, 1_024);
  for (const each of items) writer.add(each);
  return { ...parseFrame(writer.finish()), batchId: '019b0000-0000-7000-8000-000000000000' };
};

const valuesOf = (rows: readonly { readonly metrics: JsonText }[]) =>
  rows.map((row) => row.metrics.toString());

const decode = (
  items: readonly FrameItem[],
  known: (tenant: string, device: string) => DeviceIdentity | undefined = (tenant) => identity(tenant),
  stored?: readonly boolean[],
) =>
  decodeFrame(
    frameOf(items),
    { stream: 'TELEMETRY', shard: 4, streamSequence: 9, streamedAt: 0, origin: undefined },
    items.map(({ tenant, device }) => known(tenant, device)),
    { reader: new MessageReader(DEFAULT_TELEMETRY_LIMITS), texts: new JsonTexts() },
    stored,
  );

const readings = (payload: Uint8Array) => {
  const opened = openEvents(payload);
  return opened.kind === 'telemetry' ? opened.events() : [];
};

describe('decodeFrame', () => {
  it('turns every item into exactly one kind of outcome', () => {
    const frame = decode([
      item('{"a":1}'),
      item('nonsense'),
      item('{}', { kind: 'heartbeat' }),
      item('{}', { kind: 'ota_status' }),
    ]);
    expect(frame.rows).toHaveLength(1);
    expect(frame.quarantine.map((row) => row.reason)).toEqual(['BAD_JSON', 'NOT_SUPPORTED']);
    expect(frame.signs).toHaveLength(1);
    expect(frame.counts.get(1)).toMatchObject({ accepted: 3, quarantined: 2 });
  });

  it('takes acknowledgements of commands for signs of life, unless they are none', () => {
    const commandId = '0B6E1F0A-0000-4000-8000-000000000001';
    const ack = (over: object) =>
      item(JSON.stringify({ command_id: commandId, status: 'ok', ...over }), { kind: 'command_ack' });
    const frame = decode([
      ack({ details: { a: [1] } }),
      ack({ status: 'done' }),
      ack({ command_id: 7 }),
      ack({ details: { a: '\u0000' } }),
      item('[]', { kind: 'command_ack' }),
    ]);
    expect(frame.acks).toMatchObject([
      { entry: 0, ack: { commandId: commandId.toLowerCase(), status: 'ok', details: { a: [1] } } },
    ]);
    expect(frame.signs).toMatchObject([{ what: { kind: 'heartbeat' } }]);
    expect(frame.quarantine.map(({ reason, field }) => [reason, field])).toEqual([
      ['BAD_SHAPE', 'status'],
      ['BAD_SHAPE', 'command_id'],
      ['BAD_VALUE', 'details.a'],
      ['BAD_SHAPE', undefined],
    ]);
    expect(frame.counts.get(1)).toMatchObject({ accepted: 4, quarantined: 4 });
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

  it('says of every part of every message what became of it, in order', () => {
    const frame = decode(
      [
        item('[{"a":1},{"a":null},{"seq":7,"a":3}]'),
        item('{}', { kind: 'heartbeat', source: 'http' }),
        item('{"a":1}', { tenant: 'nobody' }),
        item('nonsense', { source: 'bridge' }),
      ],
      (tenant) => (tenant === 'nobody' ? undefined : identity(tenant)),
    );
    const { bytes } = frame.manifest;
    const entries = Array.from({ length: bytes.length / MANIFEST_ENTRY_BYTES }, (_, entry) =>
      readManifestFlags(bytes.readUInt16LE(entry * MANIFEST_ENTRY_BYTES)),
    );
    expect(entries).toEqual([
      { fate: 'STORED', continues: false, source: 'mqtt', kind: 'telemetry' },
      { fate: 'QUARANTINED', continues: true, source: 'mqtt', kind: 'telemetry' },
      { fate: 'STORED', continues: true, source: 'mqtt', kind: 'telemetry' },
      { fate: 'SIGN_OF_LIFE', continues: false, source: 'http', kind: 'heartbeat' },
      { fate: 'DEAD_LETTERED', continues: false, source: 'mqtt', kind: 'telemetry' },
      { fate: 'QUARANTINED', continues: false, source: 'bridge', kind: 'telemetry' },
    ]);
    expect(frame.rows.map((row) => row.entry)).toEqual([0, 2]);
    expect(frame.quarantine.map((row) => row.whole)).toEqual([false, true]);
  });

  it('replays one reading of a message without touching the others, and tells its row the outcome', () => {
    const replay = { quarantineId: '5', part: 1 };
    const fixed = decode([item('[{"a":1},{"a":2}]', { replay })]);
    expect(fixed.rows).toMatchObject([{ replayOf: '5' }]);
    expect(valuesOf(fixed.rows)).toEqual(['{"a":2}']);
    expect(valuesOf(decode([item('{"a":3}', { replay })]).rows)).toEqual(['{"a":3}']);
    const gone = decode([item('[{"a":1},{"a":2}]', { replay: { quarantineId: '5', part: 2 } })]);
    expect(gone.quarantine).toMatchObject([{ reason: 'BAD_SHAPE', part: 2, whole: false, replayOf: '5' }]);
    expect(gone.replays).toMatchObject([{ quarantineId: '5', outcome: 'QUARANTINED', reason: 'BAD_SHAPE' }]);
    const alive = decode([item('{}', { kind: 'heartbeat', replay: { quarantineId: '6', part: undefined } })]);
    expect(alive.replays).toMatchObject([{ quarantineId: '6', outcome: 'ACCEPTED' }]);
  });

  it('announces the readings of a frame in one message, each under its own tenant, with the same id each time', () => {
    const frame = decode([item('{"a":1}'), item('{"b":2}', { tenant: 'other' }), item('{"c":3}')]);
    const events = eventsOf(frame, [true, true, true]);
    expect(events.map(({ subject, id }) => ({ subject, id }))).toEqual([
      { subject: 'events.4.telemetry', id: `${frame.batchId}.telemetry` },
    ]);
    const opened = openEvents(events[0]?.payload ?? new Uint8Array());
    if (opened.kind !== 'telemetry') throw new Error('no telemetry');
    expect(opened.parts.map(({ tenant, tenantId, first }) => ({ tenant, tenantId, first }))).toEqual([
      { tenant: 'acme', tenantId: 1, first: 0 },
      { tenant: 'other', tenantId: 2, first: 2 },
    ]);
    expect(opened.events().map(({ metrics }) => metrics)).toEqual([{ a: 1 }, { c: 3 }, { b: 2 }]);
  });

  it('announces what else was heard with the readings, each device under its own tenant', () => {
    const connected = JSON.stringify({ epoch: '7', at: 1_767_000_000_000, reason: 'test' });
    const heard = [
      item(connected, { kind: 'connected' }),
      item('{}', { kind: 'heartbeat' }),
      item(connected, { kind: 'connected', tenant: 'other' }),
      item('{"status":"offline"}', { kind: 'status' }),
    ];
    const signs = [
      { kind: 'heartbeat', parts: [{ tenant: 'acme', tenantId: 1, events: [{ deviceId: 10 }] }] },
      {
        kind: 'session',
        parts: [
          { tenant: 'acme', events: [{ epoch: '7', connection: 'ONLINE' }, { connection: 'OFFLINE' }] },
          { tenant: 'other', tenantId: 2, events: [{ epoch: '7', connection: 'ONLINE' }] },
        ],
      },
    ];
    const [together, ...more] = eventsOf(decode([...heard, item('{"a":1}')]), [true]);
    expect(more).toEqual([]);
    expect(openEvents(together?.payload ?? new Uint8Array())).toMatchObject({ kind: 'telemetry', signs });

    const frame = decode(heard);
    const alone = eventsOf(frame, []);
    expect(alone.map(({ subject, id }) => ({ subject, id }))).toEqual([
      { subject: 'events.4.heartbeat', id: `${frame.batchId}.heartbeat` },
      { subject: 'events.4.session', id: `${frame.batchId}.session` },
    ]);
    expect(alone.map(({ payload }) => openEvents(payload))).toMatchObject(signs);
  });

  it('splits the readings of a frame that are too many for one message, always at the same places', () => {
    const hundred = `[${Array.from({ length: 100 }, (_, n) => `{"n":${n}}`).join(',')}]`;
    const frame = decode(Array.from({ length: 45 }, () => item(hundred)));
    const events = eventsOf(frame, new Array(4_500).fill(true));
    const ids = ['', '.1', '.2'].map((part) => `${frame.batchId}.telemetry${part}`);
    expect(events.map(({ id }) => id)).toEqual(ids);
    expect(events.map(({ payload }) => readings(payload).length)).toEqual([2_000, 2_000, 500]);
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
        metrics: readings(payload)[0]?.metrics,
      })),
    );
    expect(before).toEqual([{ id: `${first.batchId}.telemetry`, metrics: { b: 3 } }]);
    for (const other of others) expect(other).toEqual(before);
  });

  it('announces only the rows that are new', () => {
    const frame = decode([item('{"a":1}'), item('{"c":3}')]);
    const [event] = eventsOf(frame, [false, true]);
    expect(readings(event?.payload ?? new Uint8Array())).toMatchObject([{ metrics: { c: 3 } }]);
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
    expect(valuesOf(frame.rows)).toEqual(['{"a":2}', '{"t":3}']);
    expect(frame.quarantine.map((row) => row.reason)).toEqual(['TOO_OLD', 'WRONG_DEVICE', 'WRONG_DEVICE']);
    expect(frame.signs.map((sign) => sign.what)).toMatchObject([
      { kind: 'heartbeat' },
      { kind: 'session', connection: 'OFFLINE' },
    ]);
  });
});
