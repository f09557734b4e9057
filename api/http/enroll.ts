import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Fault } from '#api/graphql/errors.ts';
import { readClaimCode } from '#core/auth/claim-codes.ts';
import { type DeviceKey, isDeviceKey } from '#core/fleet/ids.ts';
import { UnavailableError } from '#core/runtime/errors.ts';
import type { Metrics } from '#core/runtime/metrics.ts';
import { TimeoutError } from '../database/failures.ts';
import { type Attempts, attemptName, createAttempts } from './attempts.ts';
import { assertJson, type BodyBudget, readBody } from './ingest-request.ts';
import { type HttpProblem, ProblemError, sendProblem } from './problem.ts';

/** A claim as it was sent. */
export interface SentClaim {
  readonly csr: string | undefined;
  readonly deviceKey: DeviceKey | undefined;
}

export interface EnrollDoorOptions<Found extends { readonly tenantId: number }> {
  readonly metrics: Metrics;
  /** Codes that one address may get wrong in a minute. */
  readonly failuresPerMinute: number;
  /** Claims of one tenant in a minute, good or not. */
  readonly tenantPerMinute: number;
  addressOf(request: IncomingMessage): string | null;
  /** The code, given as `readClaimCode` returns it, whoever asks; undefined where there is none. */
  find(code: string): Promise<Found | undefined>;
  /** Exchanges it; the answer is what the device is told. @throws ProblemError, or a Fault */
  exchange(
    found: Found,
    claim: SentClaim,
    origin: { readonly ip: string | null; readonly requestId: string },
  ): Promise<unknown>;
}

const MAX_BODY_BYTES = 16_384;
/** Bodies in work at once. */
const MAX_HELD_BYTES = 16_777_216;
const MAX_NAMES = 50_000;
/** Claims of one address that may be in work at once, and wrong codes of all that may wait for their answer. */
const MAX_AT_ONCE = 100;
const MAX_WAITING = 1_000;
/** The first wrong code is answered this late, each further one twice as late. */
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 3_200;

const bodySchema = z.object({
  code: z.string('send the code as a string'),
  csr: z.string('must be a PKCS #10 request in PEM').max(8_192, 'at most 8 192 characters').nullish(),
  device_key: z
    .string('must be a string')
    .refine(isDeviceKey, 'must be 1 to 128 of A-Z a-z 0-9 . _ : - and begin with a letter or digit')
    .nullish(),
});

interface About {
  readonly ip: string | null;
  readonly requestId: string;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

/** Answers `POST /enroll/v1/claim`. Never rejects for the sender's fault. */
export type EnrollDoor = (
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
) => Promise<void>;

/** The door at which a device without a credential gets one for its claim code. */
export function createEnrollDoor<Found extends { readonly tenantId: number }>(
  options: EnrollDoorOptions<Found>,
): EnrollDoor {
  const failures = createAttempts(options.failuresPerMinute, MAX_NAMES);
  const tenants = createAttempts(options.tenantPerMinute, MAX_NAMES);
  const budget: BodyBudget = { held: 0, max: MAX_HELD_BYTES };
  const busy = new Map<string, number>();
  let waiting = 0;
  const claims = options.metrics.counter(
    'enroll_claims_total',
    'Claims by outcome: accepted, or the code of the problem. Rising UNKNOWN_CODE or RATE_LIMITED: somebody is guessing.',
    ['outcome'],
  );

  /** Counts a wrong code, and takes longer the more an address got wrong. Holds no more than so many at once. */
  const slowDown = async (name: string, signal: AbortSignal) => {
    const wrong = options.failuresPerMinute - failures.count(name) - 1;
    if (waiting >= MAX_WAITING) return;
    waiting += 1;
    const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(wrong, 10));
    await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    waiting -= 1;
  };

  const exchange = async (request: IncomingMessage, name: string, about: About): Promise<unknown> => {
    const sent = readClaim(await readBody(request, MAX_BODY_BYTES, budget));
    const code = readClaimCode(sent.code);
    if (code === undefined) {
      await slowDown(name, about.signal);
      const detail = 'this is no claim code; look for a mistyped character';
      throw new ProblemError({ status: 400, code: 'BAD_CODE', detail, field: '$.code' });
    }
    const found = await options.find(code);
    if (!found) {
      await slowDown(name, about.signal);
      const detail = 'there is no such code';
      throw new ProblemError({ status: 404, code: 'UNKNOWN_CODE', detail, field: '$.code' });
    }
    const tenant = String(found.tenantId);
    refuseBeyond(tenants, tenant);
    tenants.count(tenant);
    return options.exchange(found, sent, about);
  };

  const serve = async (request: IncomingMessage, about: About): Promise<unknown> => {
    if (request.method !== 'POST')
      throw new ProblemError({ status: 405, code: 'METHOD_NOT_ALLOWED', detail: 'use POST' });
    assertJson(request.headers);
    const name = attemptName(about.ip);
    refuseBeyond(failures, name);
    const atOnce = busy.get(name) ?? 0;
    if (atOnce >= MAX_AT_ONCE) throw rateLimited(1);
    busy.set(name, atOnce + 1);
    try {
      return await exchange(request, name, about);
    } finally {
      const left = (busy.get(name) ?? 1) - 1;
      if (left > 0) busy.set(name, left);
      else busy.delete(name);
    }
  };

  return async (request, response, requestId) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      const ip = options.addressOf(request);
      const answer = await serve(request, { ip, requestId, signal: gone.signal });
      claims.inc({ outcome: 'accepted' });
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(`${JSON.stringify(answer)}\n`);
    } catch (error) {
      const problem = problemOf(error);
      if (!problem) throw error;
      claims.inc({ outcome: problem.code });
      sendProblem(response, problem, {
        ...(problem.status === 405 && { allow: 'POST' }),
        ...(problem.status === 413 && { connection: 'close' }),
      });
    }
  };
}

/** @throws ProblemError 429 */
function refuseBeyond(attempts: Attempts, name: string): void {
  const retryAfterSeconds = attempts.refusal(name);
  if (retryAfterSeconds !== undefined) throw rateLimited(retryAfterSeconds);
}

function rateLimited(retryAfterSeconds: number): ProblemError {
  const detail = `too many attempts; try again in ${retryAfterSeconds} s`;
  return new ProblemError({ status: 429, code: 'RATE_LIMITED', detail, retryAfterSeconds });
}

/** @throws ProblemError 400, naming the field */
function readClaim(body: Buffer): SentClaim & { readonly code: string } {
  const parsed = bodySchema.safeParse(parseJson(body));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = ['$', ...(issue?.path ?? []).map(String)].join('.');
    const code = field === '$.csr' ? 'BAD_CSR' : field === '$.device_key' ? 'BAD_DEVICE_KEY' : 'BAD_SHAPE';
    throw new ProblemError({ status: 400, code, detail: issue?.message ?? 'not a claim', field });
  }
  const { code, csr, device_key: deviceKey } = parsed.data;
  return { code, csr: csr ?? undefined, deviceKey: deviceKey ?? undefined };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new ProblemError({ status: 400, code: 'BAD_JSON', detail: 'the body is not JSON', field: '$' });
  }
}

/** What whoever makes the credential refuses, in the terms of this door. */
function problemOf(error: unknown): HttpProblem | undefined {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof UnavailableError || error instanceof TimeoutError)
    return { status: 503, code: error.code, detail: error.message, retryAfterSeconds: 2 };
  if (!(error instanceof Fault)) return undefined;
  if (error.path?.includes('csr'))
    return { status: 400, code: 'BAD_CSR', detail: error.message, field: '$.csr' };
  return { status: 409, code: 'CONFLICT', detail: error.message };
}
