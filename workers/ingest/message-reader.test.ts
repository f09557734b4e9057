import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FramedItem } from '#core/bus/framed-item.ts';
import { type FrameItem, FrameWriter, parseFrame } from '#core/bus/messages.ts';
import type { DeviceId, TenantId } from '#core/fleet/ids.ts';
import { JsonTexts } from '#core/fleet/json-text.ts';
import { compileProfile, type Profile } from '#core/fleet/measuring.ts';
import { DEFAULT_TELEMETRY_LIMITS } from '#core/fleet/telemetry.ts';
import type { KnownDevice } from './decoded.ts';
import { type Measured, measure } from './measure.ts';
import { MessageReader } from './message-reader.ts';

const NOW = 1_767_000_000_000;
const OLDEST = NOW - 30 * 86_400_000;
const LEARNED = 200;

const device = (profile?: Profile): KnownDevice => ({
  ...{ tenantId: 1 as TenantId, tenant: 'acme', tenantStatus: 'ACTIVE', retentionDays: 30 },
  ...{ deviceId: 10 as DeviceId, device: 'meter', siteId: null, status: 'ACTIVE' },
  profile,
});

const itemOf = (payload: string | Uint8Array, over: Partial<FrameItem> = {}): FramedItem => {
  const writer = new FrameWriter(NOW, 1_024);
  const said = {
    tenant: 'acme',
    device: 'meter',
    kind: 'telemetry',
    dialect: 'canonical',
    source: 'mqtt',
  } as const;
  // One after the other: what is behind a payload is not its own.
  for (const bytes of [Buffer.from(payload), Buffer.from(',"a":1}}')])
    writer.add({ ...said, dup: false, receivedAt: NOW, payload: bytes, ...over });
  const [item] = parseFrame(writer.finish()).items;
  if (!item) throw new Error('no item');
  return item;
};

/** What the parser makes of a message that holds one good reading; undefined for any other. */
function parsed(item: FramedItem, profile: Profile | undefined) {
  const [part, ...others] = new MessageReader(DEFAULT_TELEMETRY_LIMITS).readParts(item, OLDEST);
  if (!part || others.length > 0 || 'problem' in part) return undefined;
  const measured = measure(part.reading, item, profile, new JsonTexts());
  if ('problem' in measured) return undefined;
  const { metrics: _, metricsPath: __, ...reading } = part.reading;
  return { reading, values: valuesOf(measured) };
}

function scanned(reader: MessageReader, item: FramedItem, profile: Profile | undefined) {
  const found = reader.scan(item, device(profile), OLDEST, new JsonTexts());
  return found && { reading: found.reading, values: valuesOf(found.measured) };
}

const valuesOf = ({ metrics, ...rest }: Measured) => ({ ...rest, metrics: String(metrics) });

/** A reader that has seen these messages so often that it knows them. */
function taught(...payloads: readonly (string | Uint8Array)[]): MessageReader {
  const reader = new MessageReader(DEFAULT_TELEMETRY_LIMITS);
  for (const payload of payloads)
    for (let time = 0; time < 8; time++) reader.readParts(itemOf(payload), OLDEST);
  return reader;
}

const profiles: readonly (Profile | undefined)[] = [
  undefined,
  compileProfile({
    ...{ template: undefined, modules: [], sensors: [] },
    maps: [
      [
        { raw: 'a', metric: 'volts', scale: 0.1, offset: 0 },
        { raw: 'bb', metric: 'a', scale: 1, offset: 0 },
      ],
    ],
  }),
  compileProfile({
    ...{ maps: [], modules: [] },
    template: {
      ...{ commands: [], slots: [], transports: [], expectedIntervalSeconds: null, metrics: [] },
      ...{ unknownMetrics: 'ACCEPT', invalidValues: 'FLAG', discoverSensors: false },
    },
    sensors: [
      { metric: 'a', type: 'FLOAT', min: 0, max: 1_000, values: [] },
      { metric: 'bb', type: 'ENUM', min: null, max: null, values: ['on', 'off'] },
    ],
  }),
];

const value = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.integer({ min: -999_999, max: 999_999 }).map((n) => n / 1_000),
  fc.boolean(),
  fc.constantFrom('on', 'off', '', 'eco mode', 'né', 'a"b', '\u0000', 'x'.repeat(513)),
);
const names = fc.constantFrom(
  ...[['a'], ['a', 'bb'], ['bb', 'a'], ['temperature', 'a', 'c.d-e', 'bb'], ['A', 'a'], ['version', 'ts']],
);
const metrics = names.chain((keys) =>
  fc.tuple(...keys.map((key) => value.map((each) => [key, each] as const))).map(Object.fromEntries),
);
/** Mostly as it should be. */
const mostly = <Value>(good: fc.Arbitrary<Value>, ...others: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 30, arbitrary: good }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const at = fc.integer({ min: OLDEST, max: NOW });
const ts = mostly(
  fc.oneof(
    at,
    at.map((ms) => new Date(ms).toISOString()),
    at.map((ms) => ms / 1_000),
  ),
  ...['now', '', null, -1, 1e300, OLDEST - 1, NOW + 90_000_000],
);
const good = {
  version: mostly(fc.constantFrom('1', 1), '2', null, 10, '1.0'),
  ts,
  seq: mostly(fc.oneof(fc.nat(), fc.maxSafeNat()), -1, 1.5, null, '1'),
  boot: mostly(fc.nat({ max: 70_000 }), null, -1, true),
  lat: mostly(fc.double({ min: -90, max: 90, noNaN: true }), -0, 91, null, 'north'),
  lng: mostly(fc.double({ min: -180, max: 180, noNaN: true }), 180.5, {}),
  metrics: mostly(metrics, {}, [], null, { a: null }, { a: [1] }, { z: 1 }),
};
const envelope = fc
  .oneof(
    { weight: 8, arbitrary: fc.record(good, { requiredKeys: ['metrics'] }) },
    { weight: 1, arbitrary: fc.record({ ...good, site_id: fc.string(), provision_token: fc.string() }) },
  )
  .chain((message) =>
    fc.shuffledSubarray(Object.entries(message), { minLength: Object.keys(message).length }),
  )
  .map((members) => Object.fromEntries(members));
const spaced = fc
  .tuple(envelope, fc.constantFrom(undefined, 1, '\t'))
  .map(([each, space]) => JSON.stringify(each, null, space));

const mutated = fc
  .tuple(
    spaced,
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.nat({ max: 3 })), { minLength: 1, maxLength: 4 }),
  )
  .map(([text, changes]) => {
    const bytes = [...Buffer.from(text)];
    for (const [place, byte, kind] of changes) {
      const at = place % bytes.length;
      const put = byte < 128 ? (Buffer.from('{}[]",:0123456789.eE+-tfn\\ ')[byte % 29] ?? byte) : byte;
      if (kind === 0) bytes[at] = put;
      else if (kind === 1) bytes.splice(at, 1);
      else if (kind === 2) bytes.splice(at, 0, put);
      else bytes.splice(at, 0, ...bytes.slice(at, at + 8));
    }
    return Uint8Array.from(bytes);
  });

/** Numbers as nobody but JSON's grammar would write them, and what is none. */
const oddNumber = fc.constantFrom(
  ...['-0', '0.0', '1.0', '1.50', '1e3', '1E-7', '0.0000001', '0.001', '-0.5', '1e400', '123456789012345'],
  ...['1234567890123456', '12345678901234567890', '0.1234567890123456', '01', '.5', '1.', '+1', '--1', '1e'],
);
const renumbered = fc
  .tuple(spaced, fc.array(fc.option(oddNumber), { minLength: 8, maxLength: 8 }))
  .map(([text, numbers]) => {
    let place = 0;
    return text.replaceAll(/-?\d+(\.\d+)?(e[+-]?\d+)?/g, (number) => numbers[place++ % 8] ?? number);
  });

/** Knows every shape above under every order of names. */
const known = () =>
  taught(
    ...[
      ['a'],
      ['a', 'bb'],
      ['bb', 'a'],
      ['temperature', 'a', 'c.d-e', 'bb'],
      ['A', 'a'],
      ['version', 'ts'],
    ].map((keys) => JSON.stringify({ metrics: Object.fromEntries(keys.map((key) => [key, 1])) })),
  );

describe('a message read from its bytes', () => {
  const reader = known();
  const dialect = fc.constantFrom('canonical', 'argus1');

  it('is what the parser makes of it, whatever it holds', () => {
    let taken = 0;
    fc.assert(
      fc.property(
        fc.oneof(spaced, mutated, renumbered),
        fc.constantFrom(...profiles),
        dialect,
        fc.boolean(),
        (payload, profile, own, dup) => {
          const item = itemOf(payload, { dialect: own, dup });
          const found = scanned(reader, item, profile);
          if (!found) return;
          taken++;
          expect(found).toEqual(parsed(item, profile));
        },
      ),
      { numRuns: 6_000 },
    );
    expect(taken).toBeGreaterThan(LEARNED);
  });

  it('is every ordinary one, once its metrics are known', () => {
    const ordinary = fc.record(
      {
        version: fc.constant('1'),
        ts: fc.integer({ min: OLDEST, max: NOW }),
        seq: fc.nat(),
        boot: fc.nat({ max: 65_535 }),
        metrics: fc.record({ bb: fc.double({ noNaN: true, noDefaultInfinity: true }), a: fc.boolean() }),
      },
      { requiredKeys: ['metrics'] },
    );
    fc.assert(
      fc.property(ordinary, (message) => {
        expect(scanned(reader, itemOf(JSON.stringify(message)), undefined)).toBeDefined();
      }),
    );
    expect(
      scanned(new MessageReader(DEFAULT_TELEMETRY_LIMITS), itemOf('{"metrics":{"a":1}}'), undefined),
    ).toBeUndefined();
  });

  it.each(['argus1', 'meter2'] as const)('is what the golden messages of %s say', (own) => {
    const file = new URL(`../../core/fleet/dialects/golden/${own}.json`, import.meta.url);
    const golden: readonly { payload?: unknown; text?: string }[] = JSON.parse(readFileSync(file, 'utf8'));
    for (const { payload, text } of golden) {
      const bytes = text ?? JSON.stringify(payload);
      const item = itemOf(bytes, { dialect: own });
      const found = scanned(taught(bytes), item, undefined);
      if (found) expect(found).toEqual(parsed(item, undefined));
    }
  });

  it('is stored in the order of the database, by the names and numbers of its profile', () => {
    const found = scanned(
      known(),
      itemOf('{"metrics":{"temperature":21.50,"a":3,"c.d-e":true,"bb":"on"}}'),
      profiles[1],
    );
    expect(found?.values).toEqual({
      shape: 'temperature,volts,c.d-e,a',
      metrics: '{"a":"on","c.d-e":true,"volts":0.3,"temperature":21.5}',
    });
  });

  it('is left to the parser when it has more metrics than allowed, or is too long', () => {
    const limits = { ...DEFAULT_TELEMETRY_LIMITS, maxMetrics: 1, maxMessageBytes: 30 };
    const strict = new MessageReader(limits);
    for (const payload of [
      '{"metrics":{"a":1}}',
      '{"metrics":{"a":1,"bb":1}}',
      `{"metrics":{"a":1${' '.repeat(20)}}}`,
    ]) {
      for (let time = 0; time < 16; time++) strict.readParts(itemOf(payload), OLDEST);
      expect(strict.scan(itemOf(payload), device(), OLDEST, new JsonTexts()) !== undefined).toBe(
        payload.length < 20,
      );
    }
  });
});
