import { randomUUID, type X509Certificate } from 'node:crypto';
import type { CertificateIdentity, CertificateRefusal } from '#core/auth/certificate-check.ts';
import type { Credentials, Denial } from '#core/auth/credential-cache.ts';
import { withoutProvisionToken } from '#core/fleet/provision-token.ts';
import { readUsername } from '#core/mqtt/topics.ts';
import { errorMessage } from '#core/runtime/errors.ts';
import type { Admission, Will } from './admission.ts';
import { type CertifiedGrant, type CheckCertificate, describeCertificate } from './certificates.ts';
import type { Claims } from './claims.ts';
import type { ConnectGuard } from './connect-guard.ts';
import { PacketError } from './protocol/packet-error.ts';
import { PROPERTY } from './protocol/properties.ts';
import {
  type ConnectPacket,
  type ProtocolVersion,
  readConnect,
  readGreeting,
} from './protocol/read-connect.ts';
import { REASON } from './protocol/reason.ts';
import { PublishProperties } from './publish-properties.ts';
import { Rejection, type RejectionAnswer, type RejectionReason, reject } from './rejection.ts';
import type { SessionKeeper } from './session-keeper.ts';
import { UplinkTopics } from './uplink.ts';
import { agree, type ServerLimits } from './welcome.ts';

const MAX_CLIENT_ID = 256;

export interface HandshakeOptions {
  readonly credentials: Credentials;
  readonly checkCertificate: CheckCertificate;
  readonly claims: Claims;
  readonly guard: ConnectGuard;
  readonly keeper: Pick<SessionKeeper, 'open'>;
  readonly maxPayloadBytes: number;
  readonly limits: ServerLimits;
}

/**
 * Decides about one CONNECT, given its body, the certificate its sender presented, which then counts instead of a
 * password, and the address it came from. Never rejects.
 */
export type Handshake = (
  body: Buffer,
  certificate: X509Certificate | undefined,
  remote: string,
) => Promise<Admission | Rejection>;

export function createHandshake(options: HandshakeOptions): Handshake {
  return async (body, certificate, remote) => {
    const packet = readPacket(body);
    if (packet instanceof Rejection) return packet;
    const refused = refuseIdentification(packet);
    if (refused) return refused;
    const grant = certificate
      ? await proveByCertificate(options, packet, certificate)
      : await proveByToken(options, packet, remote);
    if (grant instanceof Rejection) {
      if (grant.reason !== 'unavailable') await options.guard.holdBack(packet.username ?? '', remote);
      return grant;
    }
    const { tenant, device, tenantId, deviceId, credentialId, expiresAt: credentialExpiresAt } = grant;
    const will = readWill(packet, grant, options.maxPayloadBytes);
    if (will instanceof Rejection) return will;

    if (!(await options.guard.turn(grant, remote)))
      return reject(
        packet.version,
        'connect_rate',
        'RATE',
        'connects too often; see the limits of its tenant',
      );

    const connectedAt = new Date();
    const assigned = packet.clientId === '' ? `auto-${randomUUID()}` : undefined;
    const clientId = assigned ?? packet.clientId;
    const terms = agree(packet, options.limits, assigned);
    try {
      const taken = await options.claims.take({ tenantId, deviceId, clientId, connectedAt });
      if (taken === undefined)
        return new Rejection('overtaken', 'a newer session of this device began meanwhile');
      const { epoch, reserved } = taken;
      const who = { tenant, device, tenantId, deviceId, credentialId, credentialExpiresAt };
      const { version, clean } = packet;
      const kept = reserved
        ? ('unknown' as const)
        : await options.keeper.open({ deviceId, clientId, epoch, clean }).catch(() => 'unknown' as const);
      return { ...who, ...terms, version, epoch, clientId, clean, kept, connectedAt, will };
    } catch (error) {
      const told = 'sessions cannot be written down at present';
      return reject(packet.version, 'unavailable', 'UNAVAILABLE', errorMessage(error), told);
    }
  };
}

async function proveByToken(
  { credentials, guard }: HandshakeOptions,
  packet: ConnectPacket,
  remote: string,
): Promise<CertifiedGrant | Rejection> {
  const name = readUsername(packet.username ?? '');
  if (!name || packet.password === undefined) {
    const why = 'the user name is not {tenant}/{device}, or there is no password';
    return reject(packet.version, 'bad_credentials', 'CREDENTIALS', why);
  }
  const secret = packet.password.toString('utf8');
  const grant = await credentials.check(name.tenant, name.device, secret, guard.hasteOf(remote));
  return typeof grant === 'string' ? denied(packet.version, grant) : { ...grant, ...name };
}

/** The user name may be left out; given, it must be the name in the certificate. A password is not looked at. */
async function proveByCertificate(
  { checkCertificate }: HandshakeOptions,
  packet: ConnectPacket,
  certificate: X509Certificate,
): Promise<CertifiedGrant | Rejection> {
  const { version } = packet;
  const about = describeCertificate(certificate);
  let claimed: CertificateIdentity | undefined;
  if (packet.username) {
    claimed = readUsername(packet.username);
    if (!claimed) {
      const why = `the user name names no device; ${about}`;
      return reject(version, 'certificate_wrong_name', 'NOT_AUTHORIZED', why);
    }
  }
  const grant = await checkCertificate(certificate, claimed);
  if (typeof grant !== 'string') return grant;
  if (grant === 'BAD_CREDENTIALS' || grant === 'NOT_ACTIVE' || grant === 'UNAVAILABLE')
    return denied(version, grant);
  const reason = CERTIFICATE_REASON[grant];
  return reject(version, reason, 'NOT_AUTHORIZED', about, reason.replaceAll('_', ' '));
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

function denied(version: ProtocolVersion, denial: Denial): Rejection {
  switch (denial) {
    case 'BAD_CREDENTIALS':
      return reject(version, 'bad_credentials', 'CREDENTIALS', 'unknown device or wrong password');
    case 'NOT_ACTIVE':
      return reject(version, 'not_active', 'NOT_AUTHORIZED', 'the device or its tenant is not active');
    case 'UNAVAILABLE':
      return reject(version, 'unavailable', 'UNAVAILABLE', 'credentials cannot be looked up');
  }
}

/** Looks at the protocol and its level first: a client of another version is told so in terms that it may know. */
function readPacket(body: Buffer): ConnectPacket | Rejection {
  const { name, level } = readGreeting(body);
  if (name !== 'MQTT' && name !== 'MQIsdp') return new Rejection('malformed', 'not an MQTT CONNECT');
  if (name !== 'MQTT' || (level !== 4 && level !== 5)) {
    return reject(4, 'protocol_version', 'VERSION', `protocol ${name} level ${level ?? 'missing'}`);
  }
  try {
    return readConnect(body, level);
  } catch (error) {
    if (!(error instanceof PacketError)) throw error;
    const answer = error.reason === REASON.PROTOCOL_ERROR ? 'PROTOCOL' : 'MALFORMED';
    return reject(level, 'malformed', answer, error.message);
  }
}

function refuseIdentification(packet: ConnectPacket): Rejection | undefined {
  const { version, clientId, clean, properties } = packet;
  if (properties.has(PROPERTY.AUTHENTICATION_METHOD)) {
    const why = 'a device proves who it is by its password or its certificate';
    return reject(version, 'authentication_method', 'METHOD', why);
  }
  if (version === 4 && clientId === '' && !clean) {
    return reject(version, 'client_id', 'CLIENT_ID', 'a session to be kept needs a client id');
  }
  if (clientId.length > MAX_CLIENT_ID || clientId.includes('\0')) {
    return reject(version, 'client_id', 'CLIENT_ID', 'the client id is too long or holds NUL');
  }
  return undefined;
}

function readWill(
  { version, will }: ConnectPacket,
  name: { tenant: string; device: string },
  maxPayloadBytes: number,
): Will | Rejection | undefined {
  if (!will) return undefined;
  const refuse = (answer: RejectionAnswer, why: string) => reject(version, 'will', answer, why);
  const topic = Buffer.from(will.topic);
  const topics = new UplinkTopics(name.tenant, name.device);
  const meaning = topics.meaningOf(topic, 0, topic.length);
  if (!meaning) return refuse('NOT_AUTHORIZED', 'the will is not for one of the device’s own topics');
  const payload = Buffer.from(will.payload);
  if (payload.length > maxPayloadBytes) return refuse('TOO_LARGE', 'the will is too large');
  const said = new PublishProperties(topics);
  said.keep(will.properties);
  const refusal = said.refusal(payload, meaning.kind);
  if (refusal === 'user_properties') return refuse('QUOTA', 'the will has too many user properties');
  if (refusal) return refuse('PAYLOAD_FORMAT', 'the will is not what it says it is');
  return {
    ...meaning,
    payload: withoutProvisionToken(payload),
    userProperties: said.userProperties,
    delaySeconds: will.properties.number(PROPERTY.WILL_DELAY) ?? 0,
  };
}
