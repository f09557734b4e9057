import type { Pool } from 'pg';
import { hashClaimCode } from '#core/auth/claim-codes.ts';
import { clientAddress } from '#core/runtime/client-address.ts';
import type { Metrics } from '#core/runtime/metrics.ts';
import type { ApiConfig } from './config.ts';
import { createEnrollDoor, type EnrollDoor } from './http/enroll.ts';
import { ProblemError } from './http/problem.ts';
import { ClaimError, type ClaimRefusal, claim, type Enrolment } from './modules/claim-codes/enrol.ts';
import { type FoundClaimCode, findClaimCode } from './modules/claim-codes/store.ts';
import type { Platform } from './platform.ts';

export interface EnrollDeps {
  readonly config: ApiConfig;
  readonly pool: Pool;
  readonly platform: Platform;
  readonly metrics: Metrics;
}

/** The door for devices that have a claim code and nothing else, with all it needs. */
export function createEnroll({ config, pool, platform, metrics }: EnrollDeps): EnrollDoor {
  const deps = { ...platform, timeoutMs: config.REQUEST_TIMEOUT_MS };
  return createEnrollDoor<FoundClaimCode>({
    metrics,
    failuresPerMinute: config.ENROLL_FAILURES_PER_MINUTE,
    tenantPerMinute: config.ENROLL_TENANT_PER_MINUTE,
    addressOf: (request) => clientAddress(request, config.TRUSTED_PROXIES),
    find: (code) => findClaimCode(pool, hashClaimCode(platform.claimCodeKey, code)),
    exchange: async (found, sent, origin) => {
      const enrolment = await claim(deps, found, sent, origin).catch((error: unknown) => {
        throw error instanceof ClaimError ? refusalOf(error) : error;
      });
      return answerOf(enrolment, platform.addresses);
    },
  });
}

const STATUS: Readonly<Record<ClaimRefusal, number>> = {
  CODE_USED: 410,
  CODE_EXPIRED: 410,
  CODE_REVOKED: 410,
  TENANT_NOT_ACTIVE: 403,
  DEVICE_KEY_REQUIRED: 400,
  WRONG_DEVICE: 409,
  DEVICE_EXISTS: 409,
};

function refusalOf({ refusal, message: detail }: ClaimError): ProblemError {
  const field = /DEVICE/.test(refusal) ? '$.device_key' : '$.code';
  return new ProblemError({ status: STATUS[refusal], code: refusal, detail, field });
}

/** As `docs/contracts.md` promises it. */
const answerOf = ({ tenant, deviceKey, credential }: Enrolment, addresses: Platform['addresses']) => ({
  tenant,
  device_key: deviceKey,
  kind: credential.kind,
  ...(credential.kind === 'TOKEN'
    ? { username: credential.username, token: credential.token }
    : {
        certificate: credential.certificate,
        ca: credential.ca,
        expires_at: credential.expiresAt.toISOString(),
      }),
  mqtt_url: addresses.mqttUrl,
  mqtts_url: addresses.mqttsUrl,
  http_url: addresses.httpUrl,
});
