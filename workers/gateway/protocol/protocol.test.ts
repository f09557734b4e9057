import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { PacketBody } from './packet-body.ts';
import { PacketError } from './packet-error.ts';
import { ALLOWED, PROPERTY, propertyBytes, readProperties, varintBytes } from './properties.ts';
import { readConnect } from './read-connect.ts';
import { readAcknowledgement, readDisconnect, readSubscribe, readUnsubscribe } from './read-packets.ts';
import { REASON } from './reason.ts';

/** The body of a packet as mqtt-packet writes it: everything after the fixed header. */
function bodyOf(packet: Parameters<typeof generate>[0], protocolVersion = 5): Buffer {
  const bytes = generate(packet, { protocolVersion });
  let at = 1;
  while (((bytes[at] ?? 0) & 0x80) !== 0) at += 1;
  return bytes.subarray(at + 1);
}

const reasonOf = (run: () => unknown): number | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof PacketError) return error.reason;
    throw error;
  }
};

const properties = (...bytes: number[]) => new PacketBody(Buffer.from([bytes.length, ...bytes]));

describe('properties', () => {
  it('are read as they were written', () => {
    const bytes = propertyBytes(
      [
        [PROPERTY.SESSION_EXPIRY, 4_294_967_295],
        [PROPERTY.RECEIVE_MAXIMUM, 65_535],
        [PROPERTY.REQUEST_PROBLEM_INFORMATION, 0],
        [PROPERTY.AUTHENTICATION_METHOD, 'né'],
        [PROPERTY.TOPIC_ALIAS_MAXIMUM, undefined],
      ],
      [
        ['a', '1'],
        ['a', '2'],
      ],
    );
    const read = readProperties(new PacketBody(bytes), ALLOWED.CONNECT);
    expect(read.number(PROPERTY.SESSION_EXPIRY)).toBe(4_294_967_295);
    expect(read.number(PROPERTY.RECEIVE_MAXIMUM)).toBe(65_535);
    expect(read.number(PROPERTY.REQUEST_PROBLEM_INFORMATION)).toBe(0);
    expect(read.text(PROPERTY.AUTHENTICATION_METHOD)).toBe('né');
    expect(read.has(PROPERTY.TOPIC_ALIAS_MAXIMUM)).toBe(false);
    expect(read.user).toEqual([
      ['a', '1'],
      ['a', '2'],
    ]);
  });

  it.each([
    ['one that does not exist', properties(0x04, 0), REASON.MALFORMED_PACKET],
    ['one that is not for this packet', properties(0x23, 0, 1), REASON.MALFORMED_PACKET],
    ['one twice', properties(0x21, 0, 1, 0x21, 0, 2), REASON.PROTOCOL_ERROR],
    ['a receive maximum of 0', properties(0x21, 0, 0), REASON.PROTOCOL_ERROR],
    ['a packet size of 0', properties(0x27, 0, 0, 0, 0), REASON.PROTOCOL_ERROR],
    ['a flag of 2', properties(0x17, 2), REASON.PROTOCOL_ERROR],
    ['a value that is cut off', properties(0x11, 0, 0), REASON.MALFORMED_PACKET],
    ['a text that is not UTF-8', properties(0x15, 0, 2, 0xc3, 0x28), REASON.MALFORMED_PACKET],
    ['a text with half a surrogate pair', properties(0x15, 0, 3, 0xed, 0xa0, 0x80), REASON.MALFORMED_PACKET],
    ['a text with NUL', properties(0x26, 0, 1, 0, 0, 0), REASON.MALFORMED_PACKET],
    ['a length beyond the packet', new PacketBody(Buffer.from([9, 0x21])), REASON.MALFORMED_PACKET],
    ['a length of five bytes', new PacketBody(Buffer.alloc(6, 0xff)), REASON.MALFORMED_PACKET],
    ['a length in too many bytes', new PacketBody(Buffer.from([0x80, 0])), REASON.MALFORMED_PACKET],
    ['no length at all', new PacketBody(Buffer.alloc(0)), REASON.MALFORMED_PACKET],
  ])('are refused: %s', (_, body, reason) => {
    expect(reasonOf(() => readProperties(body, ALLOWED.CONNECT))).toBe(reason);
  });
});

describe('packets', () => {
  it('are read as another program writes them', () => {
    const connect = bodyOf({
      ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clean: false, keepalive: 30 },
      ...{ clientId: 'c', username: 'u', password: Buffer.from('p') },
      properties: { sessionExpiryInterval: 60, userProperties: { a: 'b' } },
      will: {
        ...{ topic: 't', payload: Buffer.from('w'), qos: 1, retain: true },
        properties: { willDelayInterval: 5 },
      },
    });
    const read = readConnect(connect, 5);
    expect(read).toMatchObject({ clean: false, keepAliveSeconds: 30, clientId: 'c', username: 'u' });
    expect([String(read.password), read.will?.topic, String(read.will?.payload)]).toEqual(['p', 't', 'w']);
    expect(read.will?.properties.number(PROPERTY.WILL_DELAY)).toBe(5);

    const subscribe = bodyOf({
      ...{ cmd: 'subscribe', messageId: 7, properties: { subscriptionIdentifier: 300 } },
      subscriptions: [
        { topic: 'a', qos: 2, nl: true, rap: true, rh: 2 },
        { topic: 'b', qos: 0 },
      ],
    });
    expect(readSubscribe(new PacketBody(subscribe), 5)).toEqual({
      ...{ packetId: 7, identifier: 300 },
      subscriptions: [
        { filter: 'a', qos: 2, retainHandling: 2, retainAsPublished: true },
        { filter: 'b', qos: 0, retainHandling: 0, retainAsPublished: false },
      ],
    });
    const pubrel = bodyOf({ cmd: 'pubrel', messageId: 9, reasonCode: 0x92 });
    expect(readAcknowledgement(new PacketBody(pubrel), 5)).toEqual({ packetId: 9, reason: 0x92 });
    const goodbye = bodyOf({ cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 1 } });
    expect(readDisconnect(new PacketBody(goodbye), 5)).toEqual({ reason: 4, sessionExpirySeconds: 1 });
  });

  it('of any bytes at all are read or refused, at once and with a reason', () => {
    const version = fc.constantFrom(4 as const, 5 as const);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), version, (bytes, spoken) => {
        const body = () => new PacketBody(Buffer.from(bytes));
        for (const run of [
          () => readConnect(Buffer.from(bytes), spoken),
          () => readSubscribe(body(), spoken),
          () => readUnsubscribe(body(), spoken),
          () => readAcknowledgement(body(), spoken),
          () => readDisconnect(body(), spoken),
          () => readProperties(body(), ALLOWED.PUBLISH),
        ]) {
          expect([undefined, 0x81, 0x82, 0x94]).toContain(reasonOf(run));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('have lengths that are read as they were written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 268_435_455 }), (value) => {
        expect(new PacketBody(varintBytes(value)).varint()).toBe(value);
      }),
    );
  });
});
