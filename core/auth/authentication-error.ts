import { FleetgraphError } from '../runtime/errors.ts';

/** Why a credential was refused: few-valued, for metrics and logs. */
export type RefusalReason =
  | 'missing'
  | 'malformed'
  | 'invalid'
  | 'expired'
  | 'revoked'
  | 'no_tenant'
  | 'no_role'
  | 'not_a_member'
  | 'removed'
  | 'suspended';

const CODES: Readonly<Partial<Record<RefusalReason, 'FORBIDDEN' | 'TENANT_SUSPENDED'>>> = {
  no_tenant: 'FORBIDDEN',
  no_role: 'FORBIDDEN',
  not_a_member: 'FORBIDDEN',
  removed: 'FORBIDDEN',
  suspended: 'TENANT_SUSPENDED',
};

/**
 * Nobody we know, or no longer. The message says what is wrong with the credential, never which part of it matched.
 * `FORBIDDEN`: the caller is known, but may not come in (no role here). `TENANT_SUSPENDED`: nobody of the tenant may.
 */
export class AuthenticationError extends FleetgraphError {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, options?: ErrorOptions) {
    super(CODES[reason] ?? 'UNAUTHENTICATED', message, options);
    this.reason = reason;
  }
}
