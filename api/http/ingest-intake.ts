import { createHash } from 'node:crypto';
import type { Credentials, Grant } from '#core/auth/credential-cache.ts';
import { isProvisioningToken } from '#core/auth/provisioning-tokens.ts';
import type { FramePublisher, Receipt } from '#core/bus/frame-publisher.ts';
import { KEY_HASH_BYTES } from '#core/bus/messages.ts';
import type { FirstUse, KeyUse } from '#core/db/ingest-keys.ts';
import { withoutProvisionToken } from '#core/fleet/provision-token.ts';
import { MESSAGE_BYTES } from '#core/fleet/share.ts';
import { readTelemetry, type TelemetryLimits } from '#core/fleet/telemetry.ts';
import { UnavailableError } from '#core/runtime/errors.ts';
import type { IngestLimits } from './ingest-limits.ts';
import type { HttpProblem } from './problem.ts';

/** One message as it came through a door. */
export interface Submission {
  readonly tenant: string;
  readonly device: string;
  readonly kind: 'telemetry' | 'heartbeat';
  readonly payload: Buffer;
  readonly idempotencyKey: string | undefined;
  /** Where the payload is in the request's body, as a JSON path. */
  readonly path: string;
}

/** Whom a message is from. */
export type Admission = Pick<Grant, 'tenantId' | 'deviceId'>;

/** A message whose sender has been let in. */
export interface Admitted extends Submission {
  readonly grant: Admission;
}

/** What became of a message: stored, with its receipt, or a problem. */
export type Outcome = { readonly receipt: Receipt } | { readonly problem: HttpProblem };

export interface IngestIntakeOptions {
  readonly credentials: Credentials;
  readonly frames: FramePublisher;
  /** Above this many bytes without an answer nothing more is taken. */
  readonly maxPendingBytes: number;
  /** How long JetStream may take to answer. */
  readonly storeTimeoutMs: number;
  readonly limits: TelemetryLimits;
  readonly rates: IngestLimits;
  /** Lets a device in by a provisioning token, and makes it where there is none. Never rejects. */
  provision(tenant: string, device: string, token: string): Promise<Admission | HttpProblem>;
  /** What each key was first used for, in the order asked. */
  claimKeys(uses: readonly KeyUse[], arrivedAt: number): Promise<readonly FirstUse[]>;
}

export interface IngestIntake {
  /** Who a secret belongs to, or why it does not let anybody in. Never rejects. */
  admit(tenant: string, device: string, secret: string): Promise<Admission | HttpProblem>;
  /** Checks messages against limits and rules and publishes what is sound; one outcome each, in order, after JetStream has answered or time is up. */
  take(messages: readonly Admitted[]): Promise<Outcome[]>;
}

const RETRY_AFTER_SECONDS = 2;

/** A message that was checked and may be published. */
interface Sound {
  readonly message: Admitted;
  readonly payload: Buffer;
  readonly keyHash: Buffer | undefined;
  receivedAt: number;
}

/** The way from the HTTP doors to the bus. */
export function createIngestIntake(options: IngestIntakeOptions): IngestIntake {
  const publish = (sound: Sound): Promise<Outcome> =>
    new Promise((resolve) => {
      const { tenant, device, kind, grant } = sound.message;
      const { receivedAt, payload } = sound;
      const share = options.rates.inflightOf({ tenant, tenantId: grant.tenantId });
      if (share.full || options.frames.pendingBytes >= options.maxPendingBytes) return resolve(notStored());
      const heldBytes = payload.length + MESSAGE_BYTES;
      share.take(heldBytes);
      const timer = setTimeout(() => resolve(notStored()), options.storeTimeoutMs);
      const keyHash = sound.keyHash?.subarray(0, KEY_HASH_BYTES);
      options.frames.add(
        {
          tenant,
          device,
          kind,
          dialect: 'canonical',
          source: 'http',
          dup: false,
          receivedAt,
          payload,
          keyHash,
        },
        (_error, receipt) => {
          clearTimeout(timer);
          share.give(heldBytes);
          resolve(receipt ? { receipt } : notStored());
        },
      );
    });

  return {
    async admit(tenant, device, secret) {
      if (isProvisioningToken(secret)) return options.provision(tenant, device, secret);
      const answer = await options.credentials.check(tenant, device, secret);
      return typeof answer === 'string' ? DENIALS[answer] : answer;
    },
    async take(messages) {
      const arrivedAt = Date.now();
      const checked = messages.map((message) => {
        const sender = { ...message.grant, tenant: message.tenant };
        const problem = options.rates.admit(sender, message.payload.length, arrivedAt);
        return problem ? { problem } : check(message, arrivedAt, options.limits);
      });
      const outcomes = await claim(checked, arrivedAt, options);
      return Promise.all(outcomes.map((each) => ('problem' in each ? each : publish(each))));
    },
  };
}

const DENIALS: Readonly<Record<'BAD_CREDENTIALS' | 'NOT_ACTIVE' | 'UNAVAILABLE', HttpProblem>> = {
  BAD_CREDENTIALS: { status: 401, code: 'BAD_CREDENTIALS', detail: 'unknown device or wrong token' },
  NOT_ACTIVE: { status: 403, code: 'NOT_ACTIVE', detail: 'the device or its tenant is not active' },
  UNAVAILABLE: {
    ...{ status: 503, code: 'UNAVAILABLE', detail: 'credentials cannot be looked up now; try again' },
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  },
};

const notStored = (): Outcome => ({
  problem: {
    ...{ status: 503, code: 'NOT_STORED', retryAfterSeconds: RETRY_AFTER_SECONDS },
    detail:
      'the message was not stored in time; send it again, with its own ts or seq or the same idempotency key',
  },
});

function check(
  message: Admitted,
  arrivedAt: number,
  limits: TelemetryLimits,
): Sound | { problem: HttpProblem } {
  const { kind, device, path } = message;
  if (message.payload.length > limits.maxMessageBytes) {
    const detail = `${message.payload.length} bytes, at most ${limits.maxMessageBytes}`;
    return { problem: { status: 413, code: 'TOO_LARGE', detail, field: path } };
  }
  const payload = withoutProvisionToken(message.payload);
  const context = { device, receivedAt: arrivedAt, dup: false, oldestTs: Number.NEGATIVE_INFINITY, limits };
  for (const part of kind === 'telemetry' ? readTelemetry(payload, context) : []) {
    if (!('problem' in part)) continue;
    const { reason: code, detail, field } = part.problem;
    return { problem: { status: 400, code, detail, field: jsonPath(path, field) } };
  }
  const key = message.idempotencyKey;
  const keyHash = key === undefined ? undefined : createHash('sha256').update(key).digest();
  return { message, payload, keyHash, receivedAt: arrivedAt };
}

function jsonPath(root: string, field: string | undefined): string {
  if (field === undefined) return root;
  return field.startsWith('[') ? root + field : `${root}.${field}`;
}

/**
 * A key makes a message arrive when it first did, so that without a time of its own it still is the same reading. A key that
 * was used for another body is refused.
 */
async function claim(
  checked: readonly (Sound | { readonly problem: HttpProblem })[],
  arrivedAt: number,
  options: IngestIntakeOptions,
): Promise<(Sound | { readonly problem: HttpProblem })[]> {
  const keyed = checked.flatMap((each) => {
    if ('problem' in each || !each.keyHash) return [];
    const bodyHash = createHash('sha256')
      .update(each.message.kind)
      .update('\n')
      .update(each.payload)
      .digest();
    return [{ sound: each, use: { deviceId: each.message.grant.deviceId, keyHash: each.keyHash, bodyHash } }];
  });
  if (keyed.length === 0) return [...checked];
  let firstUses: readonly FirstUse[];
  try {
    firstUses = await within(
      options.storeTimeoutMs,
      options.claimKeys(
        keyed.map(({ use }) => use),
        arrivedAt,
      ),
    );
  } catch {
    firstUses = [];
  }
  const problems = new Map<Sound, HttpProblem>();
  for (const [index, { sound, use }] of keyed.entries()) {
    const first = firstUses[index];
    if (!first) problems.set(sound, KEY_UNKNOWN);
    else if (!use.bodyHash.equals(first.bodyHash)) problems.set(sound, KEY_REUSED);
    else sound.receivedAt = first.receivedAt;
  }
  return checked.map((each) => {
    const problem = 'problem' in each ? undefined : problems.get(each);
    return problem ? { problem } : each;
  });
}

async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new UnavailableError('the database')), ms);
  try {
    return await Promise.race([work, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}

const KEY_UNKNOWN: HttpProblem = {
  ...{ status: 503, code: 'UNAVAILABLE', retryAfterSeconds: RETRY_AFTER_SECONDS },
  detail: 'idempotency keys cannot be looked up now; try again',
};
const KEY_REUSED: HttpProblem = {
  ...{ status: 422, code: 'IDEMPOTENCY_KEY_REUSED' },
  detail: 'this device used the idempotency key for another message within the last day',
};
