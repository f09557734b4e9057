import { type Sql, sql } from '#api/database/sql.ts';
import type { WriteScope } from '#api/database/writes.ts';
import {
  type AuditActor,
  type AuditChange,
  type AuditOrigin,
  auditInsert,
  execute,
  toText,
} from '#api/graphql/audit.ts';
import type { JsonObject } from '#api/graphql/mutations.ts';

/** One entry of the platform's own log. */
export interface PlatformEntry extends Pick<AuditChange, 'before' | 'after'> {
  readonly actor: Omit<AuditActor, 'kind'>;
  /** The name of a mutation, or `operatorAccess`. */
  readonly action: string;
  readonly reason: string;
  /** Slugs of the tenants it was about by name; empty when it was about all of them. */
  readonly tenants: readonly string[];
  /** What was read. */
  readonly fields: readonly string[];
  readonly arguments: JsonObject | null;
  readonly ip: string | null;
  readonly requestId: string;
}

/** The statement that adds an entry, secrets redacted. */
export function platformInsert(entry: PlatformEntry): Sql {
  const { actor, action, reason, tenants, fields, ip, requestId } = entry;
  return sql`
    insert into platform_audit_entries (actor_id, actor_name, action, reason, tenants, fields, arguments, before, after, ip, request_id)
    values (${actor.id}, ${actor.name}, ${action}, ${reason}, ${tenants}::text[], ${fields}::text[],
      ${toText(entry.arguments)}::jsonb, ${toText(entry.before)}::jsonb, ${toText(entry.after)}::jsonb, ${ip}, ${requestId})`;
}

/** Writes what an operator did to a tenant into both logs, in the transaction of the change. */
export async function recordInBoth(
  scope: WriteScope,
  { viewer, ip, requestId }: AuditOrigin,
  action: string,
  { target, before, after }: AuditChange,
  reason: string,
): Promise<void> {
  const actor = { id: viewer.credentialId, name: viewer.name };
  const tenants = [target.label];
  const about = { action, before, ip, requestId };
  await execute(
    scope,
    platformInsert({ ...about, actor, reason, tenants, fields: [], arguments: null, after }),
  );
  await execute(
    scope,
    auditInsert({
      ...about,
      tenantId: Number(target.id),
      actor: { ...actor, kind: 'OPERATOR' },
      target,
      after: { ...after, reason },
    }),
  );
}
