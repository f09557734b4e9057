import type { GraphQLResolveInfo } from 'graphql';
import { z } from 'zod';
import type { OperatorDatabase } from '#api/database/operator.ts';
import { auditInsert } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import { requirePermission } from '#api/graphql/context.ts';
import { ForbiddenFault } from '#api/graphql/errors.ts';
import type { JsonObject } from '#api/graphql/mutations.ts';
import { parseReason } from './reason.ts';
import { platformInsert } from './record.ts';
import { readSelection } from './selection.ts';

/** One look of an operator across tenants, recorded before anything is read. */
export interface OperatorAccess {
  readonly operation: Operation;
  readonly database: OperatorDatabase;
  readonly reason: string;
  readonly fields: readonly string[];
  /** Tenants in whose own log it stands already, by their ids. */
  readonly told: Map<number, Promise<void>>;
}

export interface TenantName {
  readonly id: number;
  readonly slug: string;
}

/** @throws ForbiddenFault for everybody but operators of the platform */
export function requireOperator(operation: Operation): OperatorDatabase {
  requirePermission(operation, 'platform.operate');
  const { operator } = operation.platform;
  if (!operator) throw new ForbiddenFault('platform.operate');
  return operator;
}

/**
 * Lets an operator in for a reason and writes to the platform's log who, why and what for; resolves after that has been
 * committed.
 * @throws ForbiddenFault, or BAD_USER_INPUT for a reason that is none
 */
export async function openAccess(
  operation: Operation,
  given: string,
  info: GraphQLResolveInfo,
): Promise<OperatorAccess> {
  const database = requireOperator(operation);
  const reason = parseReason(given);
  const { fields, arguments: asked } = readSelection(info);
  const { viewer, ip, requestId } = operation;
  await database.commit(
    platformInsert({
      actor: { id: viewer.credentialId, name: viewer.name },
      action: 'operatorAccess',
      reason,
      tenants: namedTenants(asked),
      fields,
      arguments: toJson(asked),
      before: null,
      after: null,
      ip,
      requestId,
    }),
  );
  return { operation, database, reason, fields, told: new Map() };
}

/** Tells a tenant, in its own log, that an operator looks at it alone; resolves after that has been committed. Once an access. */
export function tellTenant(access: OperatorAccess, tenant: TenantName): Promise<void> {
  const { operation, database, reason, fields, told } = access;
  const { viewer, ip, requestId } = operation;
  const telling =
    told.get(tenant.id) ??
    database.commit(
      auditInsert({
        tenantId: tenant.id,
        actor: { kind: 'OPERATOR', id: viewer.credentialId, name: viewer.name },
        action: 'operatorAccess',
        target: { type: 'Tenant', id: tenant.id, label: tenant.slug },
        before: null,
        after: { reason, fields },
        ip,
        requestId,
      }),
    );
  told.set(tenant.id, telling);
  return telling;
}

/** The tenants that arguments name: `tenant(slug:)`, and `tenant:` of the others. */
function namedTenants(asked: Readonly<Record<string, Readonly<Record<string, unknown>>>>): string[] {
  const named = Object.values(asked).flatMap((given) => [given['slug'], given['tenant']]);
  return [...new Set(named.filter((name): name is string => typeof name === 'string'))].map((name) =>
    name.slice(0, 63),
  );
}

const MAX_ARGUMENT_BYTES = 8_192;
const jsonObject = z.record(z.string(), z.json());

/** What was asked, as JSON; null where there is nothing or far too much of it. */
function toJson(asked: Readonly<Record<string, unknown>>): JsonObject | null {
  // What PostgreSQL takes no JSON with: NUL and halves of characters. Behind an escaped backslash it is text like any other.
  const text = JSON.stringify(asked).replace(/(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f]..)/gi, '$1');
  if (text === '{}' || text.length > MAX_ARGUMENT_BYTES) return null;
  return jsonObject.parse(JSON.parse(text));
}
