import { randomUUID, type X509Certificate } from 'node:crypto';
import type { IConnectPacket } from 'mqtt-packet';
import type { CertificateIdentity, CertificateRefusal } from '#core/auth/certificate-check.ts';
import type { Credentials, Denial } from '#core/auth/credential-cache.ts';
import type { DeviceId, TenantId } from '#core/fleet/ids.ts';
import { withoutProvisionToken } from '#core/fleet/provision-token.ts';
import { readUsername } from '#core/mqtt/topics.ts';
import { errorMessage } from '#core/runtime/errors.ts';
import { type CertifiedGrant, type CheckCertificate, describeCertificate } from './certificates.ts';
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
  | 'overtaken'
  | `certificate_${Lowercase<CertificateRefusal>}`;

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
  readonly checkCertificate: CheckCertificate;
  readonly claims: Claims;
  readonly maxPayloadBytes: number;
}

/**
 * Decides about one CONNECT, given its body and the certificate its sender presented, which then counts instead of a
 * password. Never rejects.
 */
export type Handshake = (
  body: Buffer,
  certificate: X509Certificate | undefined,
) => Promise<Admission | Rejection>;

export function createHandshake(options: HandshakeOptions): Handshake {
  return async (body, certificate) => {
    const packet = readConnect(body);
    if (packet instanceof Rejection) return packet;
    const refused = refuseClientId(packet);
    if (refused) return refused;
    const grant = certificate
      ? await proveByCertificate(options, packet, certificate)
      : await proveByToken(options, packet);
    if (grant instanceof Rejection) return grant;
    const { tenant, device, tenantId, deviceId, credentialId, expiresAt: credentialExpiresAt } = grant;
    const will = readWill(packet, grant, options.maxPayloadBytes);
    if (will instanceof Rejection) return will;

    const connectedAt = new Date();
    const clientId = packet.clientId || `auto-${randomUUID()}`;
    const clean = packet.clean === true;
    const silenceMs = (packet.keepalive ?? 0) * 1_500;
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

async function proveByToken(
  { credentials }: HandshakeOptions,
  packet: IConnectPacket,
): Promise<CertifiedGrant | Rejection> {
  const name = readUsername(packet.username ?? '');
  if (!name || packet.password === undefined) {
    return rejected(
      'bad_credentials',
      CODE.CREDENTIALS,
      'the user name is not {tenant}/{device}, or there is no password',
    );
  }
  const grant = await credentials.check(name.tenant, name.device, packet.password.toString('utf8'));
  return typeof grant === 'string' ? denied(grant) : { ...grant, ...name };
}

/** The user name may be left out; given, it must be the name in the certificate. A password is not looked at. */
async function proveByCertificate(
  { checkCertificate }: HandshakeOptions,
  packet: IConnectPacket,
  certificate: X509Certificate,
): Promise<CertifiedGrant | Rejection> {
  const about = describeCertificate(certificate);
  let claimed: CertificateIdentity | undefined;
  if (packet.username) {
    claimed = readUsername(packet.username);
    if (!claimed)
      return rejected(
        'certificate_wrong_name',
        CODE.NOT_AUTHORIZED,
        `the user name names no device; ${about}`,
      );
  }
  const grant = await checkCertificate(certificate, claimed);
  if (typeof grant !== 'string') return grant;
  if (grant === 'BAD_CREDENTIALS' || grant === 'NOT_ACTIVE' || grant === 'UNAVAILABLE') return denied(grant);
  return rejected(CERTIFICATE_REASON[grant], CODE.NOT_AUTHORIZED, about);
}

const CERTIFICATE_REASON: Readonly<Record<CertificateRefusal, RejectionReason>> = {
  EXPIRED: 'certificate_expired',
  NOT_YET_VALID: 'certificate_not_yet_valid',
  REVOKED: 'certificate_revoked',
  UNKNOWN_CA: 'certificate_unknown_ca',
  WRONG_TENANT: 'certificate_wrong_tenant',
  WRONG_NAME: 'certificate_wrong_name',
  SELF_SIGNED: 'certificate_self_signed',
  UNKNOWN_CERTIFICATE: 'certificate_unknown_certificate',
};

function denied(denial: Denial): Rejection {
  switch (denial) {
    case 'BAD_CREDENTIALS':
      return rejected('bad_credentials', CODE.CREDENTIALS, 'unknown device or wrong password');
    case 'NOT_ACTIVE':
      return rejected('not_active', CODE.NOT_AUTHORIZED, 'the device or its tenant is not active');
    case 'UNAVAILABLE':
      return rejected('unavailable', CODE.UNAVAILABLE, 'credentials cannot be looked up');
  }
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

function refuseClientId({ clientId, clean }: IConnectPacket): Rejection | undefined {
  if (clientId === '' && clean !== true) {
    return rejected('client_id', CODE.CLIENT_ID, 'a session to be kept needs a client id');
  }
  if (clientId.length > MAX_CLIENT_ID || clientId.includes('\0')) {
    return rejected('client_id', CODE.CLIENT_ID, 'the client id is too long or holds NUL');
  }
  return undefined;
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
