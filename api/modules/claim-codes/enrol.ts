import type { WriteScope, Writes } from '#api/database/writes.ts';
import type { Device } from '#api/generated/prisma/client.ts';
import { type AuditOrigin, writeAudit } from '#api/graphql/audit.ts';
import type { JsonObject } from '#api/graphql/mutations.ts';
import type { Platform } from '#api/platform.ts';
import { isDeviceKey } from '#core/fleet/ids.ts';
import { FleetgraphError } from '#core/runtime/errors.ts';
import { addCertificate } from '../certificates/service.ts';
import { addToken, announceAccess, insertDevice } from '../devices/service.ts';
import type { FoundClaimCode } from './store.ts';

/** What a device brings along with its code. */
export interface ClaimRequest {
  /** PKCS #10 in PEM: the credential is to be a certificate for its key. Absent: a token. */
  readonly csr: string | undefined;
  /** What the device calls itself; needed where the code does not say. */
  readonly deviceKey: string | undefined;
}

/** What it gets for it. */
export interface Enrolment {
  readonly tenant: string;
  readonly deviceKey: string;
  readonly credential:
    | { readonly kind: 'TOKEN'; readonly username: string; readonly token: string }
    | {
        readonly kind: 'CERTIFICATE';
        readonly certificate: string;
        readonly ca: string;
        readonly expiresAt: Date;
      };
}

export type ClaimRefusal =
  | 'CODE_USED'
  | 'CODE_EXPIRED'
  | 'CODE_REVOKED'
  | 'TENANT_NOT_ACTIVE'
  | 'DEVICE_KEY_REQUIRED'
  | 'WRONG_DEVICE'
  | 'DEVICE_EXISTS';

/** The code is known, and yet it is not exchanged. Nothing was changed. */
export class ClaimError extends FleetgraphError {
  readonly refusal: ClaimRefusal;

  constructor(refusal: ClaimRefusal, message: string) {
    super(refusal, message);
    this.refusal = refusal;
  }
}

export interface EnrolDeps extends Pick<Platform, 'secretBox' | 'addresses' | 'deviceTokenKey'> {
  readonly writes: Writes;
  readonly timeoutMs: number;
}

/**
 * Exchanges a code for a credential, and makes the device where there is none yet: one transaction, so that of two who
 * claim at once one gets everything and the other nothing. What is refused leaves the code as it was.
 * @throws ClaimError, or a Fault of whoever makes the credential
 */
export async function claim(
  deps: EnrolDeps,
  code: FoundClaimCode,
  request: ClaimRequest,
  origin: Omit<AuditOrigin, 'viewer'>,
): Promise<Enrolment> {
  if (!code.tenantActive) throw new ClaimError('TENANT_NOT_ACTIVE', 'the tenant is not active');
  return deps.writes.transaction(code, Date.now() + deps.timeoutMs, async (scope) => {
    const locked = await lockCode(scope, code.id);
    const { device, created } = await findOrMakeDevice(scope, locked, request.deviceKey);
    const { credentialId, credential, about } = await addCredential(deps, scope, device, request.csr);
    if (!created) await announceAccess(scope, device, false);
    await scope.prisma.$executeRaw`
      update claim_codes set claimed_at = now(), device_id = ${device.id}, credential_id = ${credentialId}
      where id = ${code.id}`;
    const viewer = { kind: 'DEVICE', credentialId: `claim:${code.id}`, name: device.key } as const;
    await writeAudit(scope, { viewer, ...origin }, 'deviceClaim', {
      target: { type: 'Device', id: device.id, label: device.key },
      before: null,
      after: { claimCode: `…${locked.hint}`, created, ...about },
    });
    return { tenant: scope.tenantSlug, deviceKey: device.key, credential };
  });
}

interface LockedCode {
  readonly hint: string;
  readonly deviceId: number | null;
  readonly deviceKey: string | null;
  readonly state: 'OPEN' | 'CODE_USED' | 'CODE_REVOKED' | 'CODE_EXPIRED';
}

const SPENT = {
  CODE_USED: 'the code was used already',
  CODE_REVOKED: 'the code was revoked',
  CODE_EXPIRED: 'the code has expired',
} as const;

/** Whoever comes second waits here until the first has committed. */
async function lockCode(scope: WriteScope, id: number): Promise<LockedCode> {
  const [code] = await scope.prisma.$queryRaw<LockedCode[]>`
    select hint, device_id as "deviceId", device_key as "deviceKey",
      case when claimed_at is not null then 'CODE_USED' when revoked_at is not null then 'CODE_REVOKED'
        when expires_at <= now() then 'CODE_EXPIRED' else 'OPEN' end as state
    from claim_codes where id = ${id} for update`;
  if (!code) throw new ClaimError('CODE_EXPIRED', SPENT.CODE_EXPIRED);
  if (code.state !== 'OPEN') throw new ClaimError(code.state, SPENT[code.state]);
  return code;
}

async function findOrMakeDevice(
  scope: WriteScope,
  code: LockedCode,
  given: string | undefined,
): Promise<{ readonly device: Device; readonly created: boolean }> {
  const key = code.deviceKey ?? given;
  if (key === undefined || !isDeviceKey(key))
    throw new ClaimError('DEVICE_KEY_REQUIRED', 'say what the device is called');
  if (given !== undefined && given !== key)
    throw new ClaimError('WRONG_DEVICE', 'the code is for another device');
  const unique = { tenantId_key: { tenantId: scope.tenantId, key } };
  await scope.prisma
    .$executeRaw`select from devices where tenant_id = ${scope.tenantId} and key = ${key} for update`;
  const device = await scope.prisma.device.findUnique({ where: unique });
  if (!device) return { device: await insertDevice(scope, { key }), created: true };
  // A code that names no device must not open the door to one that somebody else has set up.
  if (code.deviceKey === null)
    throw new ClaimError(
      'DEVICE_EXISTS',
      'there is a device of that name already, and the code is for a new one',
    );
  return { device, created: false };
}

interface AddedCredential {
  readonly credentialId: number;
  readonly credential: Enrolment['credential'];
  /** For the audit log. */
  readonly about: JsonObject;
}

async function addCredential(
  deps: EnrolDeps,
  scope: WriteScope,
  device: Device,
  csr: string | undefined,
): Promise<AddedCredential> {
  if (csr === undefined) {
    const { credentialId, hint, username, secret } = await addToken(scope, deps.deviceTokenKey, device);
    const credential = { kind: 'TOKEN', username, token: secret } as const;
    return { credentialId, credential, about: { kind: 'TOKEN', hint } };
  }
  const { credentialId, certificate, ca, issued } = await addCertificate(scope, deps, device, csr);
  const { serial, notAfter: expiresAt } = issued;
  return {
    credentialId,
    credential: { kind: 'CERTIFICATE', certificate, ca, expiresAt },
    about: { kind: 'CERTIFICATE', serial, expiresAt: expiresAt.toISOString() },
  };
}
