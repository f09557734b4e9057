import type { GraphQLError, GraphQLErrorExtensions } from 'graphql';
import { createGraphQLError } from 'graphql-yoga';
import type { Permission } from '#core/auth/permissions.ts';
import { FleetgraphError } from '#core/runtime/errors.ts';

/** One thing wrong with an input. The path begins at the argument, for example `["input", "tags", "0"]`. */
export interface Issue {
  readonly path: readonly string[];
  readonly message: string;
}

/** Why an invitation lets nobody in. */
export const INVITATION_FAULTS = ['ACCEPTED', 'EXPIRED', 'OTHER_ADDRESS', 'REVOKED'] as const;
export type InvitationFault = (typeof INVITATION_FAULTS)[number];

type AboutError = {
  readonly code: string;
  readonly message: string;
  readonly path: readonly string[] | null;
};

/**
 * A refusal that every mutation may answer, as a result union carries it: plain data, since an Error that a resolver
 * returns counts as thrown.
 */
export type UserError = AboutError &
  (
    | { readonly kind: 'ForbiddenError'; readonly permission: string }
    | { readonly kind: 'NotFoundError' }
    | { readonly kind: 'ConflictError'; readonly currentVersion: number | null }
    | { readonly kind: 'ValidationError'; readonly issues: readonly Issue[] }
  );

/** A refusal that only the mutations answer which name it (`Mutation.refusals`). */
export type SpecialError = AboutError &
  (
    | { readonly kind: 'LastAdminError' }
    | { readonly kind: 'InvitationError'; readonly reason: InvitationFault }
    | { readonly kind: 'QuotaError'; readonly limit: number }
  );

/** What a mutation may answer besides its success. */
export type Refusal<Kind extends SpecialError['kind'] = never> =
  | UserError
  | Extract<SpecialError, { readonly kind: Kind }>;

/** Whether a refusal is one of every mutation, or of the kinds given. */
export function isRefusal<Kind extends SpecialError['kind']>(
  error: UserError | SpecialError,
  kinds: readonly Kind[],
): error is Refusal<Kind> {
  const special: readonly string[] = ['LastAdminError', 'InvitationError', 'QuotaError'];
  return !special.includes(error.kind) || kinds.some((kind) => kind === error.kind);
}

/**
 * A refusal that the caller can act on. A mutation answers it as data; anywhere else it becomes a top-level error
 * with the same code.
 */
export abstract class Fault extends FleetgraphError {
  readonly path: readonly string[] | null;

  constructor(code: string, message: string, path: readonly string[] | null) {
    super(code, message);
    this.path = path;
  }

  abstract toUserError(): UserError | SpecialError;

  protected about(): AboutError {
    return { code: this.code, message: this.message, path: this.path };
  }
}

export class ForbiddenFault extends Fault {
  readonly permission: string;

  constructor(permission: Permission) {
    super('FORBIDDEN', `this needs the permission ${permission}`, null);
    this.permission = permission;
  }

  override toUserError(): UserError {
    return { kind: 'ForbiddenError', ...this.about(), permission: this.permission };
  }
}

export class NotFoundFault extends Fault {
  constructor(message: string, path: readonly string[] | null = null) {
    super('NOT_FOUND', message, path);
  }

  override toUserError(): UserError {
    return { kind: 'NotFoundError', ...this.about() };
  }
}

/** The change would leave the tenant without an admin. */
export class LastAdminFault extends Fault {
  constructor(path: readonly string[]) {
    super('LAST_ADMIN', 'a tenant keeps at least one admin; make somebody else one first', path);
  }

  override toUserError(): SpecialError {
    return { kind: 'LastAdminError', ...this.about() };
  }
}

/** There is as much of something as there may be. */
export class QuotaFault extends Fault {
  readonly limit: number;

  constructor(message: string, path: readonly string[] | null, limit: number) {
    super('QUOTA', message, path);
    this.limit = limit;
  }

  override toUserError(): SpecialError {
    return { kind: 'QuotaError', ...this.about(), limit: this.limit };
  }
}

export class InvitationRefusal extends Fault {
  readonly reason: InvitationFault;

  constructor(reason: InvitationFault, message: string, path: readonly string[]) {
    super('INVITATION', message, path);
    this.reason = reason;
  }

  override toUserError(): SpecialError {
    return { kind: 'InvitationError', ...this.about(), reason: this.reason };
  }
}

export class ConflictFault extends Fault {
  readonly currentVersion: number | null;

  constructor(message: string, path: readonly string[] | null, currentVersion: number | null) {
    super('CONFLICT', message, path);
    this.currentVersion = currentVersion;
  }

  override toUserError(): UserError {
    return { kind: 'ConflictError', ...this.about(), currentVersion: this.currentVersion };
  }
}

export class ValidationFault extends Fault {
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    super('VALIDATION', issues[0]?.message ?? 'the input is not valid', issues[0]?.path ?? null);
    this.issues = issues;
  }

  override toUserError(): UserError {
    return { kind: 'ValidationError', ...this.about(), issues: this.issues };
  }
}

/** Codes of top-level errors whose message is meant for callers, and their HTTP status when nothing was executed. */
const STATUS: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  TENANT_SUSPENDED: 403,
  NOT_FOUND: 404,
  VALIDATION: 400,
  CONFLICT: 409,
  QUOTA: 409,
  BAD_USER_INPUT: 400,
  TOO_COMPLEX: 400,
  CSRF: 403,
  TIMEOUT: 504,
  UNAVAILABLE: 503,
  OVERLOADED: 503,
};

/** A top-level error beside what else could be answered. */
export function requestError(
  code: string,
  message: string,
  extensions: GraphQLErrorExtensions = {},
): GraphQLError {
  return createGraphQLError(message, { extensions: { ...extensions, code } });
}

/** The only answer to a request of which nothing was executed; over HTTP its code sets the status. */
export function refusal(code: string, message: string): GraphQLError {
  return requestError(code, message, { http: { status: STATUS[code] ?? 500 } });
}

/** An argument that breaks its rules, where no result union can say so. */
export const badInput = (message: string): GraphQLError => requestError('BAD_USER_INPUT', message);

/** The error that callers may see for something thrown on purpose; undefined for a fault of ours. */
export function presentError(error: unknown): GraphQLError | undefined {
  if (!(error instanceof FleetgraphError) || !(error.code in STATUS)) return undefined;
  return requestError(error.code, error.message);
}

/** By name: a library may bring a copy of graphql of its own. */
export const isGraphqlError = (error: unknown): error is GraphQLError =>
  error instanceof Error && error.name === 'GraphQLError';
