/**
 * The base of every error this platform raises on purpose. `code` is stable and machine-readable
 * (SCREAMING_SNAKE); `message` is for people and never holds a secret.
 */
export class FleetgraphError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The environment does not describe a runnable process. Lists every problem found, not just the first. */
export class ConfigError extends FleetgraphError {
  readonly issues: readonly string[];

  constructor(issues: readonly string[]) {
    super(
      'CONFIG_INVALID',
      `The configuration is not usable:\n${issues.map((line) => `  - ${line}`).join('\n')}`,
    );
    this.issues = issues;
  }
}

/** A neighbour (database, bus, broker) did not answer; the work is sound and may be tried again. */
export class UnavailableError extends FleetgraphError {
  constructor(neighbour: string, options?: ErrorOptions) {
    super('UNAVAILABLE', `${neighbour} does not answer`, options);
  }
}

/** A bounded buffer is full. The caller must stop producing until it has drained. */
export class OverloadedError extends FleetgraphError {
  constructor(what: string) {
    super('OVERLOADED', `${what} is full`);
  }
}

/** The message of anything thrown, for a log line or a reason column. */
export function errorMessage(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
