import { randomUUID } from 'node:crypto';
import type { IConnectPacket } from 'mqtt-packet';
import type { Credentials } from '#core/auth/credential-cache.ts';
import type { DeviceId, TenantId } from '#core/fleet/ids.ts';
import { withoutProvisionToken } from '#core/fleet/provision-token.ts';
import { readUsername } from '#core/mqtt/topics.ts';
import { errorMessage } from '#core/runtime/errors.ts';
import type { Claims } from './claims.ts';
import { PACKET, parsePacket } from './packet-parser.ts';
import { PacketError } from './packet-reader.ts';
import { type UplinkMeaning, UplinkTopics } from './uplink.ts';

/** What is said for a device that leaves without saying goodbye. */
export interface Will extends UplinkMeaning {
  readonly payload: Buffer;
}

/** A device that was let in. */
export interface Admission {
  readonly tenant: string;
  readonly device: string;
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly credentialId: number;
  readonly credentialExpiresAt: Date | undefined;
  /** Higher than that of every earlier session of the device. */
  readonly epoch: bigint;
  readonly clientId: string;
  readonly clean: boolean;
  readonly connectedAt: Date;
  /** Silence beyond this ends the connection; 0 for never. One and a half times what the device promised. */
  readonly silenceMs: number;
  readonly will: Will | undefined;
}

export type RejectionReason =
  | 'protocol_version'
  | 'malformed'
  | 'client_id'
  | 'bad_credentials'
  | 'not_active'
  | 'will'
  | 'unavailable'
  | 'overtaken';

/** A CONNECT that was not let in, and what its sender is told (nothing when it speaks no MQTT). */
export class Rejection {
  readonly reason: RejectionReason;
  readonly why: string;
  readonly connack: Buffer | undefined;

  constructor(reason: RejectionReason, why: string, connack?: Buffer) {
    this.reason = reason;
    this.why = why;
    this.connack = connack;
  }
}

/** CONNACK return codes (MQTT 3.1.1, table 3.1). */
const CODE = { PROTOCOL: 1, CLIENT_ID: 2, UNAVAILABLE: 3, CREDENTIALS: 4, NOT_AUTHORIZED: 5 } as const;
/** MQTT 5: unsupported protocol version, no properties. */
const CONNACK_5_UNSUPPORTED = Buffer.from([0x20, 3, 0, 0x84, 0]);
const MAX_CLIENT_ID = 256;

export const connack = (code: number, sessionPresent = false): Buffer =>
  Buffer.from([0x20, 2, sessionPresent ? 1 : 0, code]);

export interface HandshakeOptions {
  readonly credentials: Credentials;
  readonly claims: Claims;
  readonly maxPayloadBytes: number;
}

/** Decides about one CONNECT, given its body. Never rejects. */
export type Handshake = (body: Buffer) => Promise<Admission | Rejection>;

export function createHandshake(options: HandshakeOptions): Handshake {
  return async (body) => {
    const packet = readConnect(body);
    if (packet instanceof Rejection) return packet;
    const terms = readTerms(packet, options.maxPayloadBytes);
    if (terms instanceof Rejection) return terms;
    const { tenant, device, clientId, clean, silenceMs, will } = terms;
    const grant = await options.credentials.check(tenant, device, terms.secret);
    if (grant === 'BAD_CREDENTIALS')
      return rejected('bad_credentials', CODE.CREDENTIALS, 'unknown device or wrong password');
    if (grant === 'NOT_ACTIVE')
      return rejected('not_active', CODE.NOT_AUTHORIZED, 'the device or its tenant is not active');
    if (grant === 'UNAVAILABLE')
      return rejected('unavailable', CODE.UNAVAILABLE, 'credentials cannot be looked up');

    const { tenantId, deviceId, credentialId, expiresAt: credentialExpiresAt } = grant;
    const connectedAt = new Date();
    try {
      const epoch = await options.claims.take({ tenantId, deviceId, clientId, connectedAt });
      if (epoch === undefined)
        return new Rejection('overtaken', 'a newer session of this device began meanwhile');
      const who = { tenant, device, tenantId, deviceId, credentialId, credentialExpiresAt };
      return { ...who, epoch, clientId, clean, connectedAt, silenceMs, will };
    } catch (error) {
      return rejected('unavailable', CODE.UNAVAILABLE, errorMessage(error));
    }
  };
}

const rejected = (reason: RejectionReason, code: number, why: string): Rejection =>
  new Rejection(reason, why, connack(code));

/** Looks at the protocol and its level first: a client of another version is told so in its own terms. */
function readConnect(body: Buffer): IConnectPacket | Rejection {
  const nameLength = body.length >= 2 ? body.readUInt16BE(0) : 0;
  const name = body.toString('latin1', 2, 2 + nameLength);
  const level = body[2 + nameLength];
  if (name !== 'MQTT' && name !== 'MQIsdp') return new Rejection('malformed', 'not an MQTT CONNECT');
  if (name === 'MQTT' && level === 5) {
    return new Rejection('protocol_version', 'MQTT 5 is not spoken here yet', CONNACK_5_UNSUPPORTED);
  }
  if (name !== 'MQTT' || level !== 4) {
    return rejected('protocol_version', CODE.PROTOCOL, `protocol ${name} level ${level ?? 'missing'}`);
  }
  try {
    const packet = parsePacket(PACKET.CONNECT << 4, body);
    return packet.cmd === 'connect' ? packet : new Rejection('malformed', 'not a CONNECT');
  } catch (error) {
    if (error instanceof PacketError) return new Rejection('malformed', error.message);
    throw error;
  }
}

interface Terms extends Pick<Admission, 'tenant' | 'device' | 'clientId' | 'clean' | 'silenceMs' | 'will'> {
  readonly secret: string;
}

function readTerms(packet: IConnectPacket, maxPayloadBytes: number): Terms | Rejection {
  const clean = packet.clean === true;
  if (packet.clientId === '' && !clean) {
    return rejected('client_id', CODE.CLIENT_ID, 'a session to be kept needs a client id');
  }
  if (packet.clientId.length > MAX_CLIENT_ID || packet.clientId.includes('\0')) {
    return rejected('client_id', CODE.CLIENT_ID, 'the client id is too long or holds NUL');
  }
  const name = readUsername(packet.username ?? '');
  if (!name || packet.password === undefined) {
    return rejected(
      'bad_credentials',
      CODE.CREDENTIALS,
      'the user name is not {tenant}/{device}, or there is no password',
    );
  }
  const will = readWill(packet, name, maxPayloadBytes);
  if (will instanceof Rejection) return will;
  return {
    ...name,
    secret: packet.password.toString('utf8'),
    clientId: packet.clientId || `auto-${randomUUID()}`,
    clean,
    silenceMs: (packet.keepalive ?? 0) * 1_500,
    will,
  };
}

function readWill(
  packet: IConnectPacket,
  name: { tenant: string; device: string },
  maxPayloadBytes: number,
): Will | Rejection | undefined {
  if (!packet.will) return undefined;
  const topic = Buffer.from(packet.will.topic);
  const meaning = new UplinkTopics(name.tenant, name.device).meaningOf(topic, 0, topic.length);
  if (!meaning) {
    return rejected('will', CODE.NOT_AUTHORIZED, 'the will is not for one of the device’s own topics');
  }
  const payload = Buffer.from(packet.will.payload);
  if (payload.length > maxPayloadBytes) return rejected('will', CODE.NOT_AUTHORIZED, 'the will is too large');
  return { ...meaning, payload: withoutProvisionToken(payload) };
}
