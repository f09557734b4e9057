import { type ServerResponse, STATUS_CODES } from 'node:http';

/** Why a request, or one message of it, was refused. */
export interface HttpProblem {
  readonly status: number;
  /** Stable, in SCREAMING_SNAKE. */
  readonly code: string;
  readonly detail: string;
  /** A JSON path into the body (`$.metrics.a`), or the name of a header. */
  readonly field?: string;
  /** When to try again. */
  readonly retryAfterSeconds?: number;
}

/** Carries a problem up to the door. */
export class ProblemError extends Error {
  readonly problem: HttpProblem;

  constructor(problem: HttpProblem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** Answers with `application/problem+json` (RFC 9457). */
export function sendProblem(
  response: ServerResponse,
  problem: HttpProblem,
  headers: Readonly<Record<string, string>> = {},
): void {
  const { status, code, detail, field, retryAfterSeconds } = problem;
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    ...headers,
  });
  const body = { type: 'about:blank', title: STATUS_CODES[status], status, code, detail, field };
  response.end(`${JSON.stringify(body)}\n`);
}
