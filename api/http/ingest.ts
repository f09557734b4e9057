import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Receipt } from '#core/bus/frame-publisher.ts';
import { LATENCY_SECONDS, type Metrics } from '#core/runtime/metrics.ts';
import { MAX_BATCH, readBatch } from './ingest-batch.ts';
import type { Admitted, IngestIntake, Outcome } from './ingest-intake.ts';
import {
  assertJson,
  type BodyBudget,
  type DeviceDoor,
  keyProblem,
  readBody,
  readCredential,
  readDoor,
} from './ingest-request.ts';
import { type HttpProblem, ProblemError, sendProblem } from './problem.ts';

export interface IngestDoorsOptions {
  readonly intake: IngestIntake;
  readonly metrics: Metrics;
  readonly maxMessageBytes: number;
  /** Bytes of bodies that may be in work at once, over all requests. */
  readonly maxBodyBytes: number;
}

/** Answers a request under `/ingest/`. Never rejects for the sender's fault. */
export type IngestDoors = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;

/** What a message of a batch may need beside its payload: names, token, key. */
const ENTRY_OVERHEAD_BYTES = 2_048;
const CHALLENGE = { 'www-authenticate': 'Bearer realm="devices", Basic realm="devices"' };

/** The doors through which devices send messages over HTTP. */
export function createIngestDoors(options: IngestDoorsOptions): IngestDoors {
  const { intake, maxMessageBytes } = options;
  const budget: BodyBudget = { held: 0, max: options.maxBodyBytes };
  const messages = options.metrics.counter(
    'ingest_messages_total',
    'Messages through the HTTP doors by outcome, 202 or the problem’s status. Rising 503: JetStream or the database is away.',
    ['door', 'status'],
  );
  const seconds = options.metrics.histogram(
    'ingest_seconds',
    'From a request to its answer, by door.',
    LATENCY_SECONDS,
    ['door'],
  );

  const single = async (request: IncomingMessage, response: ServerResponse, door: DeviceDoor) => {
    const message = await admitSingle(request, door, intake);
    if (door.kind === 'telemetry') assertJson(request.headers);
    const payload = await readBody(request, maxMessageBytes, budget);
    const [outcome] = await intake.take([{ ...message, payload }]);
    if (!outcome) return;
    if ('problem' in outcome) throw new ProblemError(outcome.problem);
    messages.inc({ door: 'single', status: '202' });
    sendJson(response, 202, receiptOf(outcome.receipt));
  };

  const batch = async (request: IncomingMessage, response: ServerResponse) => {
    const credential = readCredential(request.headers);
    assertJson(request.headers);
    const maxBytes = MAX_BATCH * (maxMessageBytes + ENTRY_OVERHEAD_BYTES);
    const entries = readBatch(await readBody(request, maxBytes, budget), credential);
    const admitted = await Promise.all(
      entries.map(async (entry): Promise<Admitted | { readonly problem: HttpProblem }> => {
        if ('problem' in entry) return entry;
        const grant = await intake.admit(entry.tenant, entry.device, entry.secret);
        if (!('status' in grant)) return { ...entry, grant };
        return {
          problem: {
            ...grant,
            ...(grant.status === 401 && { field: entry.path.replace(/payload$/, 'token') }),
          },
        };
      }),
    );
    const taken = (await intake.take(admitted.filter((each): each is Admitted => 'grant' in each))).values();
    const outcomes = admitted.map((each) => ('problem' in each ? each : taken.next().value));
    const results = outcomes.map((outcome) => resultOf(outcome));
    for (const { status } of results) messages.inc({ door: 'batch', status: String(status) });
    const [first] = results;
    const agreed = first && results.every(({ status }) => status === first.status) ? first.status : 207;
    const waits = outcomes.map((each) => (each && 'problem' in each && each.problem.retryAfterSeconds) || 0);
    const retryAfter = Math.max(...waits);
    sendJson(response, agreed, { results }, retryAfter > 0 ? { 'retry-after': String(retryAfter) } : {});
  };

  return async (request, response, path) => {
    const door = path === '/ingest/v1/batch' ? ('batch' as const) : readDoor(path);
    const label = door === 'batch' ? 'batch' : 'single';
    try {
      if (!door) throw new ProblemError({ status: 404, code: 'NO_SUCH_DOOR', detail: NO_SUCH_DOOR });
      if (request.method !== 'POST')
        throw new ProblemError({ status: 405, code: 'METHOD_NOT_ALLOWED', detail: 'use POST' });
      const stop = seconds.startTimer({ door: label });
      await (door === 'batch' ? batch(request, response) : single(request, response, door));
      stop();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      const { problem } = error;
      messages.inc({ door: label, status: String(problem.status) });
      sendProblem(response, problem, {
        ...(problem.status === 401 && CHALLENGE),
        ...(problem.status === 405 && { allow: 'POST' }),
        ...(problem.status === 413 && { connection: 'close' }),
      });
    }
  };
}

const NO_SUCH_DOOR =
  'POST to /ingest/v1/tenant/{tenant}/device/{device}/telemetry, …/heartbeat, or /ingest/v1/batch';

/** @throws ProblemError 400, 401, 403 or 503; nothing of the body is read before */
async function admitSingle(
  request: IncomingMessage,
  door: DeviceDoor,
  intake: IngestIntake,
): Promise<Omit<Admitted, 'payload'>> {
  const credential = readCredential(request.headers);
  if (!credential) {
    const detail = 'present the device’s token';
    throw new ProblemError({ status: 401, code: 'BAD_CREDENTIALS', detail, field: 'Authorization' });
  }
  const { name } = credential;
  if (name && (name.tenant !== door.tenant || name.device !== door.device)) {
    const detail = 'a device may send for itself only';
    throw new ProblemError({ status: 403, code: 'WRONG_DEVICE', detail, field: 'Authorization' });
  }
  const grant = await intake.admit(door.tenant, door.device, credential.secret);
  if ('status' in grant) throw new ProblemError(grant);
  const key = request.headers['idempotency-key'];
  const problem = key === undefined ? undefined : keyProblem(key, 'Idempotency-Key');
  if (problem) throw new ProblemError(problem);
  return { ...door, grant, idempotencyKey: typeof key === 'string' ? key : undefined, path: '$' };
}

const receiptOf = ({ batchId, index }: Receipt) => ({ receipt: `${batchId}.${index}`, batchId, index });

function resultOf(outcome: Outcome | undefined) {
  if (outcome && 'receipt' in outcome) return { status: 202, ...receiptOf(outcome.receipt) };
  const { status = 500, code = 'INTERNAL', detail = 'no outcome', field } = outcome?.problem ?? {};
  return { status, code, detail, field };
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(`${JSON.stringify(body)}\n`);
}
