import { randomUUID } from 'node:crypto';
import type { Provision, ProvisioningRefusal } from '../modules/provisioning-tokens/provision.ts';
import type { IngestIntakeOptions } from './ingest-intake.ts';
import type { HttpProblem } from './problem.ts';

/** Says in the terms of the HTTP doors why a provisioning token does not let a message in. */
export function createProvisioningDoor(provision: Provision): IngestIntakeOptions['provision'] {
  return async (tenant, device, token) => {
    try {
      const answer = await provision(tenant, device, token, randomUUID());
      if (typeof answer !== 'string' && 'deviceId' in answer) return answer;
      return problemOf(answer);
    } catch {
      const detail = 'devices cannot be looked up or made now; try again';
      return { status: 503, code: 'UNAVAILABLE', detail, retryAfterSeconds: 2 };
    }
  };
}

const DETAILS = {
  BAD_CREDENTIALS: 'no such provisioning token in this tenant, or it has ended',
  NOT_ACTIVE: 'the device or its tenant is not active',
  DEVICE_EXISTS: 'somebody else made the device; use its own token',
  KEY_NOT_ALLOWED: 'the provisioning token makes devices with other keys',
} as const;

function problemOf(refusal: ProvisioningRefusal): HttpProblem {
  if (typeof refusal === 'string') {
    const status = refusal === 'BAD_CREDENTIALS' ? 401 : 403;
    return { status, code: refusal, detail: DETAILS[refusal], field: 'X-Provision-Token' };
  }
  const { retryAfterSeconds } = refusal;
  const detail = `the provisioning token made as many devices as it may in an hour; try again in ${retryAfterSeconds} s`;
  return { status: 429, code: 'TOO_MANY_NEW_DEVICES', detail, retryAfterSeconds };
}
