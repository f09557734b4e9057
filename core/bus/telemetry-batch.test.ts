import { describe, expect, it } from 'vitest';
import { JsonText } from '../fleet/json-text.ts';
import { readMessageId } from '../fleet/message-id.ts';
import { EventError, encodeEvents } from './events.ts';
import { openEvents } from './telemetry-batch.ts';
import { encodeTelemetry, type TelemetryToTell } from './telemetry-encoding.ts';

const told = (
  deviceId: number,
  over: Partial<TelemetryToTell> = {},
  siteId: number | null = null,
): TelemetryToTell => ({
  identity: { deviceId, device: `d-${deviceId}`, siteId },
  ts: 1_000 + deviceId,
  id: readMessageId(String(deviceId)),
  receivedAt: 2_000 + deviceId,
  metrics: JsonText.of(`{"n":${deviceId}}`),
  shape: 'n',
  ...over,
});

const open = (bytes: Uint8Array) => {
  const opened = openEvents(bytes);
  if (opened.kind !== 'telemetry') throw new Error('no telemetry');
  return opened;
};

const two = () =>
  encodeTelemetry([
    {
      tenant: 'acme',
      tenantId: 1,
      events: [
        told(10, { metrics: JsonText.of('{"text":"né\\n,{€"}'), shape: 'text' }),
        told(11, { lat: 1.5, lng: -2 }, 3),
      ],
    },
    { tenant: 'other', tenantId: 2, events: [told(20)] },
  ]);

describe('a telemetry batch', () => {
  it('gives back every reading, together and one by one in any order, whatever characters it holds', () => {
    const expected = [
      { ...place(10), siteId: null, metrics: { text: 'né\n,{€' } },
      { ...place(11), siteId: 3, metrics: { n: 11 }, lat: 1.5, lng: -2 },
      { ...place(20), siteId: null, metrics: { n: 20 } },
    ];
    expect(open(two()).events()).toEqual(expected);
    const batch = open(two());
    expect([2, 0, 1].map((index) => batch.event(index))).toEqual([expected[2], expected[0], expected[1]]);
    expect(batch.event(1)).toBe(batch.event(1));
  });

  it('says when a reading was taken and which metrics it has without decoding it', () => {
    const bytes = two();
    bytes.fill(0x20, bytes.indexOf('{"siteId"'));
    const batch = open(bytes);
    expect([...batch.takenAt]).toEqual([1_010, 1_011, 1_020]);
    expect([0, 1, 2].map((index) => batch.shapeOf(index))).toEqual(['text', 'n', 'n']);
  });

  it('says who was heard and when, by tenant, without decoding a reading', () => {
    const bytes = two();
    bytes.fill(0x20, bytes.indexOf('{"siteId"'));
    const batch = open(bytes);
    expect(batch.parts).toEqual([
      { tenant: 'acme', tenantId: 1, first: 0, count: 2 },
      { tenant: 'other', tenantId: 2, first: 2, count: 1 },
    ]);
    expect([...batch.deviceIds]).toEqual([10, 11, 20]);
    expect([...batch.receivedAt]).toEqual([2_010, 2_011, 2_020]);
    expect([0, 1, 2].map((index) => batch.deviceOf(index))).toEqual(['d-10', 'd-11', 'd-20']);
  });

  it('says what else was heard, whosever it is', () => {
    const events = [{ deviceId: 30, device: 'd-30', siteId: null, at: 5 }];
    const signs = [{ kind: 'heartbeat' as const, parts: [{ tenant: 'third', tenantId: 3, events }] }];
    const batch = open(encodeTelemetry([{ tenant: 'acme', tenantId: 1, events: [told(10)] }], signs));
    expect([batch.signs, batch.count, batch.parts.length]).toEqual([signs, 1, 1]);
    expect(open(two()).signs).toEqual([]);
  });

  it('reads what earlier versions published', () => {
    const event = { ...place(10), siteId: null, metrics: { n: 1, on: true } };
    const bytes = encodeEvents({ v: 1, tenant: 'acme', tenantId: 1, kind: 'telemetry', events: [event] });
    const batch = open(bytes);
    expect(batch.parts).toEqual([{ tenant: 'acme', tenantId: 1, first: 0, count: 1 }]);
    expect(batch.events()).toEqual([event]);
    const earlier = open(Buffer.from(VERSION_2));
    expect(earlier.parts).toEqual([
      { tenant: 'acme', tenantId: 1, first: 0, count: 2 },
      { tenant: 'other', tenantId: 2, first: 2, count: 1 },
    ]);
    expect(earlier.events()).toEqual([
      { ...place(10), siteId: null, metrics: { text: 'né\n,{€' } },
      { ...place(11), siteId: 3, metrics: { n: 11 }, flags: { n: 'OUT_OF_RANGE' }, lat: 1.5, lng: -2 },
      { ...place(20), siteId: null, metrics: { n: 20 } },
    ]);
  });

  it('is refused when it is cut short, contradicts itself or is of another version', () => {
    const bytes = two();
    const head = bytes.subarray(0, bytes.indexOf(10));
    const counted = (wrong: string) =>
      Buffer.from(bytes.toString('latin1').replace('"count":2', `"count":${wrong}`), 'latin1');
    const refused = [
      bytes.subarray(0, 5),
      bytes.subarray(0, 40),
      bytes.subarray(0, head.length + 20),
      bytes.subarray(0, bytes.length - 1),
      head,
      ...['1', '3', '-', '"2"', '2000000'].map(counted),
      Buffer.from(bytes.toString('latin1').replace('"text","n"', '"text"'), 'latin1'),
      Buffer.from('{"v":3,"kind":"telemetry"}\n'),
      ...['{}', '[null]', '[{"kind":"presence","parts":[]}]', '[{"kind":"session","parts":[{}]}]'].map(
        (signs) => Buffer.from(`{"v":3,"kind":"telemetry","parts":[],"shapes":[],"signs":${signs}}\n`),
      ),
      Buffer.from(VERSION_2.slice(0, -1)),
      Buffer.from(VERSION_2.replace('"deviceIds":[10,', '"deviceIds":[')),
      Buffer.from('{"v":4,"kind":"telemetry","parts":[]}\n'),
    ];
    for (const each of refused) expect(() => openEvents(each)).toThrow(EventError);
    expect(() => open(two()).event(3)).toThrow(EventError);
  });
});

const VERSION_2 = `{"v":2,"kind":"telemetry","parts":[{"tenant":"acme","tenantId":1,"deviceIds":[10,11],"devices":["d-10","d-11"],"receivedAt":[2010,2011],"lengths":[71,108],"lags":[1000,1000],"shapes":["text","n"],"shapeOf":[0,1]},{"tenant":"other","tenantId":2,"deviceIds":[20],"devices":["d-20"],"receivedAt":[2020],"lengths":[55]}]}
{"siteId":null,"ts":1010,"id":"10","metrics":{"text":"né\\n,{€"}},{"siteId":3,"ts":1011,"id":"11","metrics":{"n":11},"flags":{"n":"OUT_OF_RANGE"},"lat":1.5,"lng":-2},{"siteId":null,"ts":1020,"id":"20","metrics":{"n":20}}`;

const place = (n: number) => ({
  deviceId: n,
  device: `d-${n}`,
  ts: 1_000 + n,
  id: String(n),
  receivedAt: 2_000 + n,
});
