import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameError, type FrameItem, FrameWriter, parseFrame } from './messages.ts';
import { packUserProperties, readUserProperties } from './user-properties.ts';

const item = fc.record<FrameItem>({
  tenant: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/),
  device: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/),
  kind: fc.constantFrom('telemetry', 'heartbeat', 'status', 'connected', 'ota_status'),
  dialect: fc.constantFrom('canonical', 'meter2', 'argus1'),
  source: fc.constantFrom('mqtt', 'http', 'bridge'),
  dup: fc.boolean(),
  receivedAt: fc.integer({ min: 0, max: 8.64e15 }),
  payload: fc.uint8Array({ maxLength: 600 }),
  keyHash: fc.option(fc.uint8Array({ minLength: 8, maxLength: 8 }), { nil: undefined }),
  replay: fc.option(
    fc.record({
      quarantineId: fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String),
      part: fc.option(fc.nat({ max: 199 }), { nil: undefined }),
    }),
    { nil: undefined },
  ),
  userProperties: fc.option(fc.uint8Array({ maxLength: 100 }), { nil: undefined }),
});

const write = (items: readonly FrameItem[]) => {
  const writer = new FrameWriter(1_750_000_000_123, 64);
  for (const each of items) writer.add(each);
  return { batchId: writer.batchId, bytes: writer.finish() };
};

const plain = (each: FrameItem) => ({
  ...each,
  payload: [...each.payload],
  keyHash: each.keyHash && [...each.keyHash],
  userProperties: each.userProperties && [...each.userProperties],
});

describe('frame', () => {
  it('gives back every item as it was put in', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), (items) => {
        const { batchId, bytes } = write(items);
        const frame = parseFrame(bytes);
        expect(frame.batchId).toBe(batchId);
        expect(frame.items.map(plain)).toEqual(items.map(plain));
      }),
    );
  });

  it('refuses every truncation and never reads past the end', () => {
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 5 }), fc.nat(), (items, cut) => {
        const { bytes } = write(items);
        expect(() => parseFrame(bytes.subarray(0, cut % bytes.length))).toThrow(FrameError);
      }),
    );
  });

  it('survives any bytes with a frame or a FrameError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        bytes[0] = 1 + ((bytes[0] ?? 0) % 4);
        try {
          parseFrame(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
    );
  });

  it('refuses a version it does not know', () => {
    const { bytes } = write([]);
    bytes[0] = 5;
    expect(() => parseFrame(bytes)).toThrow('unknown frame version 5');
  });

  it('stays in version 1 as long as no item carries a key or user properties, or is a replay', () => {
    const plainItem: FrameItem = {
      ...{ tenant: 'acme', device: 'd1', kind: 'telemetry', dialect: 'canonical', source: 'mqtt', dup: true },
      ...{ receivedAt: 1, payload: Buffer.from('{}') },
    };
    expect(write([plainItem]).bytes[0]).toBe(1);
    expect(write([plainItem, { ...plainItem, keyHash: Buffer.alloc(8, 7) }]).bytes[0]).toBe(2);
    const replay = { ...plainItem, replay: { quarantineId: '7', part: undefined } };
    expect(write([replay, { ...plainItem, keyHash: Buffer.alloc(8, 7) }]).bytes[0]).toBe(3);
    const propertied = { ...plainItem, userProperties: packUserProperties([['a', 'b']]) };
    expect(write([propertied, replay]).bytes[0]).toBe(4);
  });

  it('gives back user properties, and nothing for what is no list of them', () => {
    const pair = fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(fc.array(pair), (pairs) => {
        expect(readUserProperties(packUserProperties(pairs))).toEqual(pairs);
      }),
    );
    for (const broken of [[0], [0, 1], [0, 1, 0x61], [0, 1, 0x61, 0, 2, 0x62]])
      expect(readUserProperties(Uint8Array.from(broken))).toBeUndefined();
  });
});
