import fc from 'fast-check';
import { generate, type Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { PacketReader } from './packet-reader.ts';

const MARKER = Buffer.from('"secret"');

const packet = fc.oneof(
  fc.record({ size: fc.nat(400), id: fc.integer({ min: 1, max: 65_535 }), marked: fc.boolean() }).map(
    ({ size, id, marked }): Packet => ({
      ...{ cmd: 'publish', topic: 'a/b', qos: 1, messageId: id, dup: false, retain: false },
      payload: Buffer.concat([Buffer.alloc(size, 0x61), marked ? MARKER : Buffer.alloc(0)]),
    }),
  ),
  fc.constant<Packet>({ cmd: 'pingreq' }),
);

/** Cuts bytes at random places. */
const cut = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
};

describe('the packet reader', () => {
  it('finds the same packets however the bytes are cut, though they come in a buffer that is used again', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 20 }), sizes, (packets, pieces) => {
        const encoded = packets.map((one) => generate(one));
        const reader = new PacketReader(1_000, MARKER);
        const found: Buffer[] = [];
        const shared = Buffer.alloc(300);
        for (const piece of cut(Buffer.concat(encoded), pieces)) {
          piece.copy(shared);
          reader.push(shared.subarray(0, piece.length));
          while (reader.next()) {
            const body = reader.buffer.subarray(reader.start, reader.end);
            expect(reader.marked || !body.includes(MARKER)).toBe(true);
            found.push(Buffer.concat([Buffer.from([reader.header]), body]));
          }
          reader.keep();
          shared.fill(0xff);
        }
        const bodies = encoded.map((bytes) => {
          const body = bytes.length > 2 && (bytes[1] ?? 0) > 127 ? 3 : 2;
          return Buffer.concat([bytes.subarray(0, 1), bytes.subarray(body)]);
        });
        expect(found).toEqual(bodies);
      }),
    );
  });

  it('refuses a packet that is announced too long before its body comes', () => {
    const reader = new PacketReader(1_000, MARKER);
    reader.push(Buffer.from([0x30, 0xe9, 0x07]));
    expect(() => reader.next()).toThrow(expect.objectContaining({ code: 'PACKET_TOO_LARGE' }));
  });

  it('refuses a length of five bytes', () => {
    const reader = new PacketReader(1_000, MARKER);
    reader.push(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]));
    expect(() => reader.next()).toThrow(expect.objectContaining({ code: 'PACKET_MALFORMED' }));
  });

  it('waits for the second byte of a header', () => {
    const reader = new PacketReader(1_000, MARKER);
    reader.push(Buffer.from([0xc0]));
    expect(reader.next()).toBe(false);
    reader.push(Buffer.from([0x00]));
    expect(reader.next()).toBe(true);
    expect([reader.header, reader.end - reader.start]).toEqual([0xc0, 0]);
  });
});
