import { isUtf8 } from 'node:buffer';
import type { PacketBody } from './packet-body.ts';
import { malformed, PacketError, unexpected } from './packet-error.ts';

/** Properties by their identifier (MQTT 5, table 2-4). */
export const PROPERTY = {
  PAYLOAD_FORMAT: 0x01,
  MESSAGE_EXPIRY: 0x02,
  CONTENT_TYPE: 0x03,
  RESPONSE_TOPIC: 0x08,
  CORRELATION_DATA: 0x09,
  SUBSCRIPTION_ID: 0x0b,
  SESSION_EXPIRY: 0x11,
  ASSIGNED_CLIENT_ID: 0x12,
  SERVER_KEEP_ALIVE: 0x13,
  AUTHENTICATION_METHOD: 0x15,
  AUTHENTICATION_DATA: 0x16,
  REQUEST_PROBLEM_INFORMATION: 0x17,
  WILL_DELAY: 0x18,
  REQUEST_RESPONSE_INFORMATION: 0x19,
  REASON_STRING: 0x1f,
  RECEIVE_MAXIMUM: 0x21,
  TOPIC_ALIAS_MAXIMUM: 0x22,
  TOPIC_ALIAS: 0x23,
  RETAIN_AVAILABLE: 0x25,
  USER_PROPERTY: 0x26,
  MAXIMUM_PACKET_SIZE: 0x27,
  WILDCARD_SUBSCRIPTION_AVAILABLE: 0x28,
  SUBSCRIPTION_ID_AVAILABLE: 0x29,
  SHARED_SUBSCRIPTION_AVAILABLE: 0x2a,
} as const;

export type PropertyId = (typeof PROPERTY)[keyof typeof PROPERTY];

type Shape = 'flag' | 'byte' | 'word' | 'long' | 'varint' | 'text' | 'binary' | 'pair';

const P = PROPERTY;
const SHAPES: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [P.PAYLOAD_FORMAT, 'flag'],
  [P.MESSAGE_EXPIRY, 'long'],
  [P.CONTENT_TYPE, 'text'],
  [P.RESPONSE_TOPIC, 'text'],
  [P.CORRELATION_DATA, 'binary'],
  [P.SUBSCRIPTION_ID, 'varint'],
  [P.SESSION_EXPIRY, 'long'],
  [P.ASSIGNED_CLIENT_ID, 'text'],
  [P.SERVER_KEEP_ALIVE, 'word'],
  [P.AUTHENTICATION_METHOD, 'text'],
  [P.AUTHENTICATION_DATA, 'binary'],
  [P.REQUEST_PROBLEM_INFORMATION, 'flag'],
  [P.WILL_DELAY, 'long'],
  [P.REQUEST_RESPONSE_INFORMATION, 'flag'],
  [P.REASON_STRING, 'text'],
  [P.RECEIVE_MAXIMUM, 'word'],
  [P.TOPIC_ALIAS_MAXIMUM, 'word'],
  [P.TOPIC_ALIAS, 'word'],
  [P.RETAIN_AVAILABLE, 'flag'],
  [P.USER_PROPERTY, 'pair'],
  [P.MAXIMUM_PACKET_SIZE, 'long'],
  [P.WILDCARD_SUBSCRIPTION_AVAILABLE, 'flag'],
  [P.SUBSCRIPTION_ID_AVAILABLE, 'flag'],
  [P.SHARED_SUBSCRIPTION_AVAILABLE, 'flag'],
]);

/** What a client may say with each kind of packet. */
export const ALLOWED = {
  CONNECT: new Set<number>([
    ...[P.SESSION_EXPIRY, P.RECEIVE_MAXIMUM, P.MAXIMUM_PACKET_SIZE, P.TOPIC_ALIAS_MAXIMUM],
    ...[P.REQUEST_RESPONSE_INFORMATION, P.REQUEST_PROBLEM_INFORMATION, P.USER_PROPERTY],
    ...[P.AUTHENTICATION_METHOD, P.AUTHENTICATION_DATA],
  ]),
  WILL: new Set<number>([
    ...[P.WILL_DELAY, P.PAYLOAD_FORMAT, P.MESSAGE_EXPIRY, P.CONTENT_TYPE, P.RESPONSE_TOPIC],
    ...[P.CORRELATION_DATA, P.USER_PROPERTY],
  ]),
  PUBLISH: new Set<number>([
    ...[P.PAYLOAD_FORMAT, P.MESSAGE_EXPIRY, P.TOPIC_ALIAS, P.RESPONSE_TOPIC, P.CORRELATION_DATA],
    ...[P.USER_PROPERTY, P.CONTENT_TYPE],
  ]),
  ACKNOWLEDGEMENT: new Set<number>([P.REASON_STRING, P.USER_PROPERTY]),
  SUBSCRIBE: new Set<number>([P.SUBSCRIPTION_ID, P.USER_PROPERTY]),
  UNSUBSCRIBE: new Set<number>([P.USER_PROPERTY]),
  DISCONNECT: new Set<number>([P.SESSION_EXPIRY, P.REASON_STRING, P.USER_PROPERTY]),
} as const;

/** Zero is a protocol error there. */
const NEVER_ZERO = new Set<number>([P.RECEIVE_MAXIMUM, P.MAXIMUM_PACKET_SIZE, P.SUBSCRIPTION_ID]);

export type UserProperty = readonly [name: string, value: string];

/** The properties of one packet, each at most once but for the user's own. */
export class Properties {
  readonly user: UserProperty[] = [];
  readonly #values = new Map<number, number | string | Buffer>();

  number(id: PropertyId): number | undefined {
    const value = this.#values.get(id);
    return typeof value === 'number' ? value : undefined;
  }

  text(id: PropertyId): string | undefined {
    const value = this.#values.get(id);
    return typeof value === 'string' ? value : undefined;
  }

  has(id: PropertyId): boolean {
    return this.#values.has(id);
  }

  /** @throws PacketError when it is there already or may not have this value */
  add(id: number, value: number | string | Buffer): void {
    const name = `property 0x${id.toString(16).padStart(2, '0')}`;
    if (this.#values.has(id)) throw unexpected(`${name} occurs twice`);
    if (value === 0 && NEVER_ZERO.has(id)) throw unexpected(`${name} is 0`);
    if (value === 0 && id === P.TOPIC_ALIAS)
      throw new PacketError('TOPIC_ALIAS_INVALID', 'a topic alias of 0');
    if (typeof value === 'number' && value > 1 && SHAPES.get(id) === 'flag')
      throw unexpected(`${name} is ${value}; 0 and 1 are known`);
    this.#values.set(id, value);
  }
}

/** No properties; not to be added to. */
export const NO_PROPERTIES = new Properties();

/**
 * Reads the properties that come next in a packet.
 * @throws PacketError when one is unknown, not allowed there, or repeated
 */
export function readProperties(body: PacketBody, allowed: ReadonlySet<number>): Properties {
  const part = body.part(body.varint());
  if (part.left === 0) return NO_PROPERTIES;
  const properties = new Properties();
  while (part.left > 0) {
    const id = part.varint();
    const shape = SHAPES.get(id);
    if (!shape || !allowed.has(id))
      throw malformed(`property 0x${id.toString(16).padStart(2, '0')} is not known here`);
    if (shape === 'pair') properties.user.push([part.text(), part.text()]);
    else properties.add(id, readValue(part, shape));
  }
  return properties;
}

function readValue(body: PacketBody, shape: Exclude<Shape, 'pair'>): number | string | Buffer {
  switch (shape) {
    case 'flag':
    case 'byte':
      return body.byte();
    case 'word':
      return body.word();
    case 'long':
      return body.long();
    case 'varint':
      return body.varint();
    case 'text':
      return body.text();
    case 'binary':
      return body.binary();
  }
}

/** A property as it is written; undefined values are left out. */
export type PropertyToWrite = readonly [PropertyId, number | string | undefined];

/** The bytes of properties with their length before them. */
export function propertyBytes(
  entries: readonly PropertyToWrite[],
  user: readonly UserProperty[] = [],
): Buffer {
  const parts: Buffer[] = [];
  for (const [id, value] of entries) {
    if (value !== undefined) parts.push(Buffer.from([id]), valueBytes(id, value));
  }
  for (const [name, value] of user)
    parts.push(Buffer.from([P.USER_PROPERTY]), textBytes(name), textBytes(value));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([varintBytes(length), ...parts]);
}

function valueBytes(id: PropertyId, value: number | string): Buffer {
  if (typeof value === 'string') return textBytes(value);
  const shape = SHAPES.get(id);
  if (shape === 'varint') return varintBytes(value);
  const bytes = Buffer.alloc(shape === 'long' ? 4 : shape === 'word' ? 2 : 1);
  bytes.writeUIntBE(value, 0, bytes.length);
  return bytes;
}

/** A text behind its length in two bytes; what is longer than these can say is cut. */
export function textBytes(text: string): Buffer {
  const whole = Buffer.from(text);
  const bytes = whole.length > 65_535 ? cut(whole, 65_535) : whole;
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** The longest beginning that is still UTF-8. */
function cut(bytes: Buffer, length: number): Buffer {
  for (let end = length; end > length - 4; end--) {
    if (isUtf8(bytes.subarray(0, end))) return bytes.subarray(0, end);
  }
  return bytes.subarray(0, 0);
}

/** A number below 2^28 as MQTT writes lengths. */
export function varintBytes(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) {
      bytes.push(rest);
      return Buffer.from(bytes);
    }
    bytes.push((rest & 0x7f) | 0x80);
  }
}
