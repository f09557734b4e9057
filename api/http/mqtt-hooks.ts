import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Credentials, Grant } from '#core/auth/credential-cache.ts';
import { mayPublish, maySubscribe } from '#core/mqtt/access.ts';
import { readUsername } from '#core/mqtt/topics.ts';
import type { Metrics } from '#core/runtime/metrics.ts';
import { assertJson, type BodyBudget, readBody } from './ingest-request.ts';
import { ProblemError, sendProblem } from './problem.ts';

export interface MqttHooksOptions {
  readonly credentials: Credentials;
  /** What the broker presents as `X-Internal-Auth`. */
  readonly secret: string;
  readonly metrics: Metrics;
  /** Whose the topics are at that broker that name no tenant. */
  readonly meterTenant: string | undefined;
}

/** Answers a request under `/internal/mqtt/`: may this client come in, may it use this topic. Never rejects for the asker's fault. */
export type MqttHooks = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;

interface Verdict {
  /** `ignore`: nobody of ours, the broker may ask somebody else. */
  readonly result: 'allow' | 'deny' | 'ignore';
  /** For the metric. */
  readonly reason: string;
  readonly attributes?: { readonly tenant: string; readonly device: string };
}

const MAX_BODY_BYTES = 16_384;
const MAX_BODIES_BYTES = 16 * 1024 * 1024;

/** Brokers spell what a client did not give as null, as an empty text, or as `undefined`. */
const given = z
  .string()
  .nullish()
  .transform((value) => (value == null || value === '' || value === 'undefined' ? undefined : value));
const authSchema = z.object({
  username: given,
  password: given,
  client_id: given,
  peer_cert_cn: given,
  peer_cert_fingerprint: given,
});
const aclSchema = z.object({
  username: given,
  client_id: given,
  topic: z.string(),
  action: z.enum(['publish', 'subscribe']),
});

/** The questions of an outside broker, as EMQX's HTTP authenticator and authorizer put them. */
export function createMqttHooks(options: MqttHooksOptions): MqttHooks {
  const { credentials } = options;
  const isSecret = createSecretCheck(options.secret);
  const budget: BodyBudget = { held: 0, max: MAX_BODIES_BYTES };
  const verdicts = options.metrics.counter(
    'mqtt_hooks_total',
    'Questions of an outside broker, by answer and reason. Rising denials: wrong or revoked credentials.',
    ['hook', 'result', 'reason'],
  );
  const hooks: Readonly<Record<string, (body: unknown) => Promise<Verdict>>> = {
    '/internal/mqtt/auth': (body) => judgeClient(credentials, parse(authSchema, body)),
    '/internal/mqtt/acl': (body) => judgeAction(options, parse(aclSchema, body)),
  };

  return async (request, response, path) => {
    try {
      const hook = Object.hasOwn(hooks, path) ? hooks[path] : undefined;
      if (!isSecret(request.headers['x-internal-auth'])) throw UNAUTHORIZED;
      if (!hook) throw new ProblemError({ status: 404, code: 'NO_SUCH_HOOK', detail: 'auth or acl' });
      if (request.method !== 'POST')
        throw new ProblemError({ status: 405, code: 'METHOD_NOT_ALLOWED', detail: 'use POST' });
      assertJson(request.headers);
      const verdict = await hook(parseJson(await readBody(request, MAX_BODY_BYTES, budget)));
      const { result, reason, attributes } = verdict;
      verdicts.inc({ hook: path.slice(path.lastIndexOf('/') + 1), result, reason });
      const more = path.endsWith('/auth') && {
        is_superuser: false,
        ...(attributes && { client_attrs: attributes }),
      };
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(`${JSON.stringify({ result, ...more })}\n`);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      const { status } = error.problem;
      verdicts.inc({ hook: 'none', result: 'refused', reason: String(status) });
      sendProblem(response, error.problem, status === 405 ? { allow: 'POST' } : {});
    }
  };
}

const UNAUTHORIZED = new ProblemError({
  ...{ status: 401, code: 'UNAUTHENTICATED', detail: 'the shared secret is wrong or missing' },
  field: 'X-Internal-Auth',
});

/** Takes the same time whatever is presented. */
function createSecretCheck(secret: string): (presented: string | string[] | undefined) => boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  const expected = hash(secret);
  return (presented) => timingSafeEqual(expected, hash(typeof presented === 'string' ? presented : ''));
}

async function judgeClient(credentials: Credentials, client: z.output<typeof authSchema>): Promise<Verdict> {
  const { username, password, peer_cert_cn: commonName, peer_cert_fingerprint: fingerprint } = client;
  const certified = commonName === undefined ? undefined : readUsername(commonName);
  const name = username === undefined ? certified : readUsername(username);
  if (!name) {
    // Whoever shows a certificate says to be a device; another user name may be a service of the broker's own.
    return commonName === undefined && fingerprint === undefined
      ? { result: 'ignore', reason: 'no_device' }
      : { result: 'deny', reason: 'no_device' };
  }
  if (certified && (certified.tenant !== name.tenant || certified.device !== name.device))
    return { result: 'deny', reason: 'wrong_name' };
  if (fingerprint === undefined && password === undefined)
    return { result: 'deny', reason: commonName === undefined ? 'no_password' : 'no_fingerprint' };
  const answer = await (fingerprint === undefined
    ? credentials.check(name.tenant, name.device, password ?? '')
    : checkFingerprint(credentials, name, fingerprint));
  if (typeof answer === 'string') return { result: 'deny', reason: answer.toLowerCase() };
  return { result: 'allow', reason: 'good', attributes: name };
}

/** The presented certificate itself counts, by its SHA-256 in hexadecimal, with colons or without. */
function checkFingerprint(
  credentials: Credentials,
  { tenant, device }: { readonly tenant: string; readonly device: string },
  fingerprint: string,
): Promise<Grant | string> {
  const hex = fingerprint.replaceAll(':', '');
  if (!/^[0-9a-f]{64}$/i.test(hex)) return Promise.resolve('NO_SHA256');
  return credentials.checkCertificate(tenant, device, Buffer.from(hex, 'hex'));
}

async function judgeAction(
  { credentials, meterTenant }: MqttHooksOptions,
  asked: z.output<typeof aclSchema>,
): Promise<Verdict> {
  const name = asked.username === undefined ? undefined : readUsername(asked.username);
  if (!name) return { result: 'deny', reason: 'no_device' };
  const { tenant, device } = name;
  const allowed =
    asked.action === 'publish'
      ? mayPublish(asked.topic, tenant, device)
      : maySubscribe(asked.topic, tenant, device, meterTenant);
  if (!allowed) return { result: 'deny', reason: 'topic' };
  const standing = await credentials.standing(tenant, device);
  if (standing !== 'GOOD') return { result: 'deny', reason: standing.toLowerCase() };
  return { result: 'allow', reason: 'good' };
}

function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ProblemError({
    ...{ status: 400, code: 'BAD_SHAPE', detail: issue?.message ?? 'not the expected shape' },
    field: ['$', ...(issue?.path ?? [])].join('.'),
  });
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new ProblemError({ status: 400, code: 'BAD_JSON', detail: 'the body is not JSON', field: '$' });
  }
}
