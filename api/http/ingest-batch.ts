import { isDeviceKey, isTenantSlug } from '#core/fleet/ids.ts';
import { isObject } from '#core/fleet/telemetry.ts';
import type { Submission } from './ingest-intake.ts';
import { isSecret, keyProblem, type PresentedCredential } from './ingest-request.ts';
import { type HttpProblem, ProblemError } from './problem.ts';

/** The most messages in one batch. */
export const MAX_BATCH = 100;

const FIELDS: ReadonlySet<string> = new Set([
  'tenant',
  'device',
  'token',
  'kind',
  'payload',
  'idempotency_key',
]);

/** A message of a batch with the secret that is to let it in. */
export interface BatchEntry extends Submission {
  readonly secret: string;
}

/**
 * Reads `{"messages":[{tenant?, device, token?, kind?, payload?, idempotency_key?}]}`: one entry or problem a message, in order.
 * What an entry does not say itself comes from the request's own credential.
 * @throws ProblemError when there are no messages to give an outcome to
 */
export function readBatch(
  body: Buffer,
  credential: PresentedCredential | undefined,
): (BatchEntry | { readonly problem: HttpProblem })[] {
  const parsed = parseJson(body);
  const messages = isObject(parsed) ? parsed['messages'] : undefined;
  if (!Array.isArray(messages)) throw refused(400, 'BAD_SHAPE', 'messages is an array', '$.messages');
  if (messages.length === 0) throw refused(400, 'BAD_SHAPE', 'an empty array', '$.messages');
  if (messages.length > MAX_BATCH) {
    throw refused(
      413,
      'TOO_MANY_MESSAGES',
      `${messages.length} messages, at most ${MAX_BATCH}`,
      '$.messages',
    );
  }
  return messages.map((message, index) => readEntry(message, `$.messages[${index}]`, credential));
}

function readEntry(
  message: unknown,
  path: string,
  credential: PresentedCredential | undefined,
): BatchEntry | { readonly problem: HttpProblem } {
  const wrong = (field: string, detail: string, status = 400, code = 'BAD_SHAPE') => ({
    problem: { status, code, detail, field: field === '' ? path : `${path}.${field}` },
  });
  if (!isObject(message)) return wrong('', 'a message is a JSON object');
  const stranger = Object.keys(message).find((key) => !FIELDS.has(key));
  if (stranger !== undefined) return wrong(stranger.slice(0, 64), `not one of ${[...FIELDS].join(', ')}`);
  const { tenant = credential?.name?.tenant, device, kind = 'telemetry', payload } = message;
  const { token: secret = credential?.secret, idempotency_key: idempotencyKey } = message;
  if (typeof tenant !== 'string' || !isTenantSlug(tenant)) return wrong('tenant', 'the tenant’s slug');
  if (typeof device !== 'string' || !isDeviceKey(device)) return wrong('device', 'the device’s key');
  if (kind !== 'telemetry' && kind !== 'heartbeat') return wrong('kind', 'telemetry or heartbeat');
  if (secret === undefined) return wrong('token', 'the device’s token', 401, 'BAD_CREDENTIALS');
  if (typeof secret !== 'string' || !isSecret(secret))
    return wrong('token', 'a text', 401, 'BAD_CREDENTIALS');
  if (payload === undefined && kind === 'telemetry') return wrong('payload', 'telemetry has a payload');
  const text = spell(payload);
  if (text === undefined) return wrong('payload', 'nested too deeply');
  if (idempotencyKey !== undefined) {
    const problem = keyProblem(idempotencyKey, `${path}.idempotency_key`);
    if (problem) return { problem };
  }
  return {
    ...{ tenant, device, kind, secret },
    idempotencyKey: typeof idempotencyKey === 'string' ? idempotencyKey : undefined,
    payload: Buffer.from(text),
    path: `${path}.payload`,
  };
}

/** The payload as its device would have sent it alone; undefined when it is nested beyond what can be written. */
function spell(payload: unknown): string | undefined {
  try {
    return payload === undefined ? '' : JSON.stringify(payload);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw refused(400, 'BAD_JSON', error instanceof SyntaxError ? error.message : 'not UTF-8', '$');
  }
}

const refused = (status: number, code: string, detail: string, field: string): ProblemError =>
  new ProblemError({ status, code, detail, field });
