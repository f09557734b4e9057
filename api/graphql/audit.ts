import type { Pool } from 'pg';
import { type Sql, sql, toStatement } from '#api/database/sql.ts';
import type { WriteScope } from '#api/database/writes.ts';
import { transaction } from '#core/db/pool.ts';
import type { Json, JsonObject } from './mutations.ts';

/** What was done, for the audit log. */
export interface AuditChange {
  readonly target: {
    /** Name of its GraphQL type. */
    readonly type: string;
    readonly id: number | string;
    /** By which a person knows it again, also after it is gone. */
    readonly label: string;
  };
  /** The fields that were changed, as they were; null for something new. */
  readonly before: JsonObject | null;
  /** The same fields as they are now; null for something that is gone. */
  readonly after: JsonObject | null;
}

/** Whoever did something, as the log names them. */
export interface AuditActor {
  readonly kind: 'USER' | 'API_KEY' | 'CLIENT' | 'DEVICE' | 'PROVISIONING_TOKEN' | 'OPERATOR';
  /** `user:` and the subject at the identity provider, `client:` and a client's id there, or `key:`, `claim:` or `provisioning:` and a number. */
  readonly id: string;
  readonly name: string;
}

/** Who does something, and whence. Every operation says so. */
export interface AuditOrigin {
  readonly viewer: {
    readonly kind: AuditActor['kind'];
    readonly credentialId: string;
    readonly name: string;
  };
  /** Where the request came from; null when its connection is gone. */
  readonly ip: string | null;
  readonly requestId: string;
}

/** One entry of a tenant's log. */
export interface AuditEntry extends AuditChange {
  readonly tenantId: number;
  readonly actor: AuditActor;
  /** The name of a mutation, or of what else happened, for example `session.start`. */
  readonly action: string;
  readonly ip: string | null;
  readonly requestId: string;
}

/** Adds an entry where no mutation does: a sign-in, a key used at an odd place. The pool is the API's own. */
export async function recordAudit(pool: Pool, entry: AuditEntry): Promise<void> {
  await transaction(pool, async (connection) => {
    await connection.query("select set_config('app.tenant_id', $1, true)", [String(entry.tenantId)]);
    await connection.query(toStatement(auditInsert(entry)));
  });
}

/** Writes the entry into the transaction of the change, so that there is never one without the other. */
export async function writeAudit(
  scope: WriteScope,
  { viewer, ip, requestId }: AuditOrigin,
  action: string,
  change: AuditChange,
): Promise<void> {
  const actor = { kind: viewer.kind, id: viewer.credentialId, name: viewer.name };
  await execute(scope, auditInsert({ ...change, tenantId: scope.tenantId, actor, action, ip, requestId }));
}

/** Runs a statement in the transaction of a scope. */
export async function execute(scope: WriteScope, statement: Sql): Promise<void> {
  const { text, values } = toStatement(statement);
  await scope.prisma.$executeRawUnsafe(text, ...values);
}

/** The same for many changes that one act made. */
export async function writeAudits(
  scope: WriteScope,
  { viewer, ip, requestId }: AuditOrigin,
  action: string,
  changes: readonly AuditChange[],
): Promise<void> {
  const rows = changes.map(({ target, before, after }) => ({
    ...{ type: target.type, id: String(target.id), label: target.label },
    ...{ before: before && redact(before), after: after && redact(after) },
  }));
  await scope.prisma.$executeRaw`
    insert into audit_entries (tenant_id, actor_kind, actor_id, actor_name, action, target_type, target_id, target_label,
      before, after, ip, request_id)
    select ${scope.tenantId}, ${viewer.kind}, ${viewer.credentialId}, ${viewer.name}, ${action}, w.type, w.id, w.label,
      nullif(w.before, 'null'), nullif(w.after, 'null'), ${ip}, ${requestId}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as w (type text, id text, label text, before jsonb, after jsonb)`;
}

/** The statement that adds an entry, secrets redacted. */
export function auditInsert(entry: AuditEntry): Sql {
  const { tenantId, actor, action, target, before, after, ip, requestId } = entry;
  return sql`
    insert into audit_entries (tenant_id, actor_kind, actor_id, actor_name, action, target_type, target_id, target_label,
      before, after, ip, request_id)
    values (${tenantId}, ${actor.kind}, ${actor.id}, ${actor.name}, ${action}, ${target.type},
      ${String(target.id)}, ${target.label}, ${toText(before)}::jsonb, ${toText(after)}::jsonb, ${ip}, ${requestId})`;
}

export const toText = (value: JsonObject | null): string | null => value && JSON.stringify(redact(value));

const SECRET = /secret|token|passw|passphrase|hash|private|credential_?key|api_?key|authorization/i;

/** The same value with `[redacted]` wherever a field's name says that it holds a secret, at any depth. */
export function redact(value: Json): Json {
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]): [string, Json] => [
      name,
      SECRET.test(name) && part !== null ? '[redacted]' : redact(part),
    ]),
  );
}

/** What differs between two states of something: the fields of `after` whose values changed, and what they were. */
export function changesBetween(
  before: JsonObject,
  after: JsonObject,
): { readonly before: JsonObject; readonly after: JsonObject } {
  const changed = Object.keys(after).filter(
    (name) => JSON.stringify(after[name]) !== JSON.stringify(before[name]),
  );
  const pick = (state: JsonObject): JsonObject =>
    Object.fromEntries(changed.map((name) => [name, state[name] ?? null]));
  return { before: pick(before), after: pick(after) };
}
