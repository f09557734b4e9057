import { PacketBody } from './packet-body.ts';
import { malformed, unexpected } from './packet-error.ts';
import { ALLOWED, NO_PROPERTIES, PROPERTY, type Properties, readProperties } from './properties.ts';

/** The versions that are spoken: 4 is MQTT 3.1.1. */
export type ProtocolVersion = 4 | 5;

/** What a CONNECT says. */
export interface ConnectPacket {
  readonly version: ProtocolVersion;
  /** Begin anew instead of where an earlier connection left off. */
  readonly clean: boolean;
  readonly keepAliveSeconds: number;
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
  readonly will: WillPacket | undefined;
  readonly properties: Properties;
}

export interface WillPacket {
  readonly topic: string;
  readonly payload: Buffer;
  readonly properties: Properties;
}

/** What a CONNECT says about itself before its version is known to be spoken. */
export interface Greeting {
  readonly name: string;
  readonly level: number | undefined;
}

/** The protocol's name and level, from whatever bytes there are. */
export function readGreeting(body: Buffer): Greeting {
  const length = body.length >= 2 ? body.readUInt16BE(0) : 0;
  return { name: body.toString('latin1', 2, 2 + length), level: body[2 + length] };
}

const FLAG = { RESERVED: 1, CLEAN: 2, WILL: 4, WILL_RETAIN: 32, PASSWORD: 64, USERNAME: 128 } as const;

/**
 * Reads the body of a CONNECT of version 4 or 5.
 * @throws PacketError
 */
export function readConnect(bytes: Buffer, version: ProtocolVersion): ConnectPacket {
  const body = new PacketBody(bytes);
  body.binary();
  body.byte();
  const flags = body.byte();
  const has = (flag: number) => (flags & flag) !== 0;
  const willQos = (flags >> 3) & 3;
  if (has(FLAG.RESERVED)) throw malformed('the reserved flag of CONNECT is set');
  if (willQos === 3) throw malformed('a will with both QoS bits');
  if (!has(FLAG.WILL) && (willQos > 0 || has(FLAG.WILL_RETAIN)))
    throw malformed('flags of a will without a will');
  if (version === 4 && has(FLAG.PASSWORD) && !has(FLAG.USERNAME))
    throw malformed('a password without a user name');
  const keepAliveSeconds = body.word();
  const properties = version === 5 ? readProperties(body, ALLOWED.CONNECT) : NO_PROPERTIES;
  if (properties.has(PROPERTY.AUTHENTICATION_DATA) && !properties.has(PROPERTY.AUTHENTICATION_METHOD))
    throw unexpected('authentication data without a method');
  const packet = {
    version,
    clean: has(FLAG.CLEAN),
    keepAliveSeconds,
    properties,
    clientId: body.anyText(),
    will: has(FLAG.WILL) ? readWill(body, version) : undefined,
    username: has(FLAG.USERNAME) ? body.anyText() : undefined,
    password: has(FLAG.PASSWORD) ? body.binary() : undefined,
  };
  body.finish();
  return packet;
}

function readWill(body: PacketBody, version: ProtocolVersion): WillPacket {
  const properties = version === 5 ? readProperties(body, ALLOWED.WILL) : NO_PROPERTIES;
  return { properties, topic: body.text(), payload: body.binary() };
}
