import type { IncomingMessage } from 'node:http';
import { isDeviceKey, isTenantSlug } from '#core/fleet/ids.ts';
import { readUsername } from '#core/mqtt/topics.ts';
import { type HttpProblem, ProblemError } from './problem.ts';

/** What a request brings along to prove who it is: a secret, and with Basic also a name. */
export interface PresentedCredential {
  readonly secret: string;
  readonly name: { readonly tenant: string; readonly device: string } | undefined;
}

/** Where a message for one device goes. */
export interface DeviceDoor {
  readonly tenant: string;
  readonly device: string;
  readonly kind: 'telemetry' | 'heartbeat';
}

/** The longest secret that is looked at. */
const MAX_SECRET = 512;
const DOOR = /^\/ingest\/v1\/tenant\/([^/]+)\/device\/([^/]+)\/(telemetry|heartbeat)$/;
const KEY = /^[\x21-\x7e]{1,255}$/;

/** The device and kind that a path names; undefined when it is no door. */
export function readDoor(path: string): DeviceDoor | undefined {
  const [, tenant = '', given = '', kind] = DOOR.exec(path) ?? [];
  const device = decoded(given);
  if (!isTenantSlug(tenant) || !isDeviceKey(device)) return undefined;
  return { tenant, device, kind: kind === 'heartbeat' ? 'heartbeat' : 'telemetry' };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return '';
  }
}

/**
 * The device's secret from `Authorization` (Bearer, or Basic with `{tenant}/{device}` as the user) or `X-Provision-Token`;
 * undefined when none is presented.
 * @throws ProblemError 401 when one is presented that cannot be read
 */
export function readCredential(headers: IncomingMessage['headers']): PresentedCredential | undefined {
  const { authorization } = headers;
  if (authorization === undefined) {
    const secret = headers['x-provision-token'];
    if (secret === undefined) return undefined;
    if (typeof secret !== 'string' || !isSecret(secret)) throw unreadable('X-Provision-Token');
    return { secret, name: undefined };
  }
  const [, scheme = '', value = ''] = /^(bearer|basic) +(\S+)$/i.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer' && isSecret(value)) return { secret: value, name: undefined };
  const text = scheme.toLowerCase() === 'basic' ? Buffer.from(value, 'base64').toString('utf8') : '';
  const [, user = '', secret = ''] = /^([^/]+\/.+):(.*)$/s.exec(text) ?? [];
  const name = readUsername(user);
  if (!name || !isSecret(secret)) throw unreadable('Authorization');
  return { secret, name };
}

export const isSecret = (text: string): boolean => text.length > 0 && text.length <= MAX_SECRET;

const unreadable = (field: string): ProblemError =>
  new ProblemError({
    status: 401,
    code: 'BAD_CREDENTIALS',
    detail: 'present the device’s token: Bearer <token>, or Basic with {tenant}/{device} as the user name',
    field,
  });

/** What is wrong with an idempotency key, if anything. */
export function keyProblem(key: unknown, field: string): HttpProblem | undefined {
  if (typeof key === 'string' && KEY.test(key)) return undefined;
  const detail = 'an idempotency key is 1 to 255 printable ASCII characters without spaces';
  return { status: 400, code: 'BAD_IDEMPOTENCY_KEY', detail, field };
}

/** @throws ProblemError 415 unless the body is JSON in the clear */
export function assertJson(headers: IncomingMessage['headers']): void {
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== 'application/json' && !/^application\/[\w.-]+\+json$/.test(type)) {
    const detail = 'send JSON, with Content-Type: application/json';
    throw new ProblemError({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', detail, field: 'Content-Type' });
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    const detail = 'send the body without a content encoding';
    throw new ProblemError({ status: 415, code: 'UNSUPPORTED_ENCODING', detail, field: 'Content-Encoding' });
  }
}

/** Bytes of bodies that are being read or worked on, over all requests. */
export interface BodyBudget {
  held: number;
  readonly max: number;
}

/** This much beyond what is allowed is still read, so that a sender who is only a little over hears why. */
const MAX_DISCARDED_BYTES = 1_048_576;

/**
 * The whole body. What it takes of the budget is given back when the request is closed.
 * @throws ProblemError 413 above `maxBytes`, 503 when the budget is used up, 400 when the sender breaks off
 */
export function readBody(request: IncomingMessage, maxBytes: number, budget: BodyBudget): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  let chunks: Buffer[] = [];
  let bytes = 0;
  let held = 0;
  let problem: ProblemError | undefined;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes + MAX_DISCARDED_BYTES) return reject(tooLarge(maxBytes));
    if (bytes > maxBytes) problem ??= tooLarge(maxBytes);
    else if (budget.held + chunk.length > budget.max) problem ??= overloaded();
    if (problem) {
      chunks = [];
      return;
    }
    held += chunk.length;
    budget.held += chunk.length;
    chunks.push(chunk);
  });
  request.once('end', () => (problem ? reject(problem) : resolve(Buffer.concat(chunks))));
  request.once('close', () => {
    budget.held -= held;
    reject(new ProblemError({ status: 400, code: 'INCOMPLETE', detail: 'the body broke off', field: '$' }));
  });
  request.once('error', () => undefined);
  return promise;
}

const tooLarge = (maxBytes: number): ProblemError =>
  new ProblemError({ status: 413, code: 'TOO_LARGE', detail: `at most ${maxBytes} bytes`, field: '$' });

const overloaded = (): ProblemError => {
  const detail = 'too many requests are being read; try again';
  return new ProblemError({ status: 503, code: 'OVERLOADED', detail, retryAfterSeconds: 1 });
};
