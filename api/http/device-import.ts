import type { IncomingMessage, ServerResponse } from 'node:http';
import { AuthenticationError } from '#core/auth/authentication-error.ts';
import type { Viewer } from '#core/auth/viewer.ts';
import { UnavailableError } from '#core/runtime/errors.ts';
import { TimeoutError } from '../database/failures.ts';
import { CsvFileError, type CsvLimits, readCsv } from '../modules/devices/import/csv.ts';
import type { Imported, ImportOrder } from '../modules/devices/import/run.ts';
import { type HttpProblem, ProblemError, sendProblem } from './problem.ts';

export interface ImportDoorOptions {
  /** Who asks. @throws AuthenticationError, UnavailableError */
  admit(request: IncomingMessage, requestId: string): Promise<Viewer>;
  readonly limits: CsvLimits;
  addressOf(request: IncomingMessage): string | null;
  run(
    origin: { readonly viewer: Viewer; readonly ip: string | null; readonly requestId: string },
    order: ImportOrder,
    file: readonly (readonly string[])[],
  ): Promise<Imported>;
}

/** Answers `POST /import/v1/devices`. Never rejects for the sender's fault. */
export type ImportDoor = (
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
) => Promise<void>;

/** Files that may be in work at once in a process: with `limits` the ceiling of their memory. */
const MAX_AT_ONCE = 2;
const MAX_ISSUES = 1_000;

/** The door for files of devices, which are too large for a mutation. */
export function createImportDoor(options: ImportDoorOptions): ImportDoor {
  let busy = 0;

  const serve = async (request: IncomingMessage, requestId: string) => {
    if (request.method !== 'POST')
      throw new ProblemError({ status: 405, code: 'METHOD_NOT_ALLOWED', detail: 'use POST' });
    const viewer = await options.admit(request, requestId);
    if (!viewer.permissions.has('devices.write')) {
      const detail = 'this needs the permission devices.write';
      throw new ProblemError({ status: 403, code: 'FORBIDDEN', detail });
    }
    assertCsv(request.headers);
    const order = readOrder(new URL(request.url ?? '/', 'http://localhost').searchParams);
    if (busy >= MAX_AT_ONCE) {
      const detail = 'other files are being imported; try again';
      throw new ProblemError({ status: 503, code: 'OVERLOADED', detail, retryAfterSeconds: 5 });
    }
    busy += 1;
    try {
      const ip = options.addressOf(request);
      const file = await readCsv(request, options.limits);
      return answerOf(order, await options.run({ viewer, ip, requestId }, order, file));
    } finally {
      busy -= 1;
    }
  };

  return async (request, response, requestId) => {
    try {
      const answer = await serve(request, requestId);
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(`${JSON.stringify(answer)}\n`);
    } catch (error) {
      const problem = problemOf(error);
      if (!problem) throw error;
      sendProblem(response, problem, {
        ...(problem.status === 401 && { 'www-authenticate': 'Bearer' }),
        ...(problem.status === 405 && { allow: 'POST' }),
        ...(!request.readableEnded && { connection: 'close' }),
      });
    }
  };
}

/** As `docs/contracts.md` promises it. */
const answerOf = ({ dryRun }: ImportOrder, { issues, ...counts }: Imported) => ({
  dry_run: dryRun,
  ...counts,
  errors: issues.slice(0, MAX_ISSUES),
  errors_left_out: Math.max(0, issues.length - MAX_ISSUES),
});

/** @throws ProblemError 415 */
function assertCsv(headers: IncomingMessage['headers']): void {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';');
  const charset = parameters.find((each) => each.trim().startsWith('charset='))?.split('=')[1];
  if (type.trim() === 'text/csv' && (charset === undefined || /^"?utf-?8"?$/.test(charset.trim()))) return;
  const detail = 'send a comma-separated file in UTF-8, with Content-Type: text/csv';
  throw new ProblemError({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', detail, field: 'Content-Type' });
}

/** @throws ProblemError 400 for a parameter that is none of ours */
function readOrder(query: URLSearchParams): ImportOrder {
  const choose = <Value extends string>(name: string, values: readonly [Value, ...Value[]]): Value => {
    const given = query.get(name)?.toUpperCase() ?? values[0];
    const value = values.find((each) => each === given);
    if (value !== undefined) return value;
    const detail = `must be one of ${values.join(', ').toLowerCase()}`;
    throw new ProblemError({ status: 400, code: 'BAD_PARAMETER', detail, field: name });
  };
  for (const name of query.keys()) {
    if (name === 'dry_run' || name === 'existing' || name === 'tokens') continue;
    const detail = 'there are dry_run, existing and tokens';
    throw new ProblemError({ status: 400, code: 'BAD_PARAMETER', detail, field: name });
  }
  return {
    dryRun: choose('dry_run', ['FALSE', 'TRUE']) === 'TRUE',
    existing: choose('existing', ['SKIP', 'FAIL', 'UPDATE']),
    tokens: choose('tokens', ['NONE', 'CREATED', 'ALL']),
  };
}

function problemOf(error: unknown): HttpProblem | undefined {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof AuthenticationError) {
    const status = error.code === 'FORBIDDEN' ? 403 : 401;
    return { status, code: error.code, detail: error.message, field: 'Authorization' };
  }
  if (error instanceof UnavailableError || error instanceof TimeoutError)
    return { status: 503, code: error.code, detail: error.message, retryAfterSeconds: 5 };
  if (!(error instanceof CsvFileError)) return undefined;
  const status = error.code.startsWith('TOO_') ? 413 : 400;
  const detail = error.row === undefined ? error.message : `row ${error.row}: ${error.message}`;
  return { status, code: error.code, detail, field: error.row === undefined ? '$' : `$[${error.row}]` };
}
