import { FleetgraphError } from '../runtime/errors.ts';

/**
 * Nobody we know, or no longer. The message says what is wrong with the credential, never which part of it matched.
 * `FORBIDDEN`: the caller is known, but may not come in (no role here). `TENANT_SUSPENDED`: nobody of the tenant may.
 */
export class AuthenticationError extends FleetgraphError {
  constructor(
    message: string,
    code: 'UNAUTHENTICATED' | 'FORBIDDEN' | 'TENANT_SUSPENDED' = 'UNAUTHENTICATED',
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}
