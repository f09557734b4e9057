import { FleetgraphError, UnavailableError } from '#core/runtime/errors.ts';

/** The operation's time was up; its SQL was cancelled. */
export class TimeoutError extends FleetgraphError {
  constructor(options?: ErrorOptions) {
    super('TIMEOUT', 'the operation took too long and was cancelled', options);
  }
}

/** PostgreSQL's class 08 (connection), 57P (shutdown, crash), 53 (resources), and the driver's own. */
const UNAVAILABLE = /^(08|53|57P)|^E(CONN|PIPE|AI_AGAIN|NOTFOUND|TIMEDOUT)/;
const CANCELLED = '57014';

/** Says in our words what a failed query means; anything else is returned as it is. */
export function translateFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code === CANCELLED) return new TimeoutError({ cause: error });
  if (
    code
      ? UNAVAILABLE.test(code)
      : /timeout exceeded when trying to connect|Connection terminated/.test(error.message)
  ) {
    return new UnavailableError('the database', { cause: error });
  }
  return error;
}
