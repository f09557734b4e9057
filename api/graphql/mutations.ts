import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { WriteScope, Writes } from '#api/database/writes.ts';
import { PERMISSIONS, type Permission, permissionBeyond } from '#core/auth/permissions.ts';
import type { SecretBox } from '#core/auth/secrets.ts';
import { type AuditChange, writeAudit } from './audit.ts';
import { type Operation, requirePermission } from './context.ts';
import {
  Fault,
  ForbiddenFault,
  INVITATION_FAULTS,
  isRefusal,
  type Refusal,
  type SpecialError,
  type UserError,
  ValidationFault,
} from './errors.ts';

/** A value that survives JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** A success, and what the audit log says of it. */
export interface Done<Success extends JsonObject> {
  readonly success: Success;
  readonly audit: AuditChange;
}

export interface Mutation<Success extends JsonObject, Kind extends SpecialError['kind'] = never> {
  /** The field's name: the action in the audit log, and part of the fingerprint of a remembered result. */
  readonly name: string;
  /** Null: its own `run` decides who may. */
  readonly permission: Permission | null;
  readonly input: { readonly clientMutationId?: string | null | undefined };
  /** Which transactions it runs in and which log it goes to. By default the viewer's tenant's. */
  readonly through?: { readonly writes: Writes; readonly record: typeof writeAudit };
  /** Does the work in one write transaction. A thrown Fault rolls it back and becomes the answer. */
  readonly run: (scope: WriteScope) => Promise<Done<Success>>;
  /** Reads a remembered success. Fields named here are sealed while they are remembered. */
  readonly read: (remembered: unknown) => Success;
  readonly secrets?: readonly (keyof Success & string)[];
  /** Refusals that its result has besides those of every mutation. */
  readonly refusals?: readonly Kind[];
}

/**
 * Runs a mutation in one transaction with its audit entry and everything it publishes, and answers its success or the
 * fault that refused it.
 * With a `clientMutationId` the first answer is kept for 24 h per credential: a retry gets it again without doing
 * anything, and another input under the same id is a ValidationError. A missing permission is answered, never kept.
 * Tokens of one person or client may be limited differently: one that may do less than the first gets a ForbiddenError.
 */
export async function runMutation<Success extends JsonObject, Kind extends SpecialError['kind'] = never>(
  operation: Operation,
  mutation: Mutation<Success, Kind>,
): Promise<Success | Refusal<Kind>> {
  try {
    if (mutation.permission) requirePermission(operation, mutation.permission);
    const key = readKey(operation, mutation);
    return await attempt(operation, mutation, key);
  } catch (error) {
    const refusal = error instanceof Fault ? error.toUserError() : undefined;
    if (refusal && isRefusal(refusal, mutation.refusals ?? [])) return refusal;
    throw error;
  } finally {
    await operation.refresh();
  }
}

interface ResultKey {
  readonly credential: string;
  readonly id: string;
  readonly fingerprint: Buffer;
  /** What the caller may do. */
  readonly grant: ReadonlySet<Permission>;
}

async function attempt<Success extends JsonObject, Kind extends SpecialError['kind']>(
  operation: Operation,
  mutation: Mutation<Success, Kind>,
  key: ResultKey | undefined,
): Promise<Success | Refusal<Kind>> {
  const { viewer, platform } = operation;
  const deadline = operation.deadline();
  const { writes, record } = mutation.through ?? { writes: platform.writes, record: writeAudit };
  try {
    return await writes.transaction(viewer, deadline, async (scope) => {
      const remembered = key && (await recall(scope, key));
      if (remembered) return replay(remembered, mutation, scope.tenantId, platform.secretBox);
      const { success, audit } = await mutation.run(scope);
      await record(scope, operation, mutation.name, audit);
      if (key)
        await remember(scope, key, {
          success: seal(success, mutation.secrets ?? [], scope.tenantId, platform.secretBox),
        });
      return success;
    });
  } catch (error) {
    if (key && error instanceof Fault && !(error instanceof ReusedKeyFault)) {
      await writes.transaction(viewer, deadline, (scope) =>
        remember(scope, key, { fault: toJson(error.toUserError()) }),
      );
    }
    throw error;
  }
}

/** The same id came with another input: the first answer stays as it is. */
class ReusedKeyFault extends ValidationFault {}

function readKey(
  { viewer }: Operation,
  { name, input }: Pick<Mutation<JsonObject>, 'name' | 'input'>,
): ResultKey | undefined {
  const { clientMutationId: id, ...rest } = input;
  if (id == null) return undefined;
  if (!/^[\x21-\x7e]{1,128}$/.test(id)) {
    const message = 'must be 1 to 128 printable ASCII characters without spaces';
    throw new ValidationFault([{ path: ['input', 'clientMutationId'], message }]);
  }
  const fingerprint = createHash('sha256')
    .update(canonical([name, rest]))
    .digest();
  return { credential: viewer.credentialId, id, fingerprint, grant: viewer.permissions };
}

/** JSON with sorted keys, so that the order of an input's fields does not matter. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

interface Remembered {
  readonly fingerprint: Uint8Array;
  readonly result: unknown;
}

/** The first answer under this id, after waiting for a twin that is still at work. */
async function recall(scope: WriteScope, key: ResultKey): Promise<unknown> {
  const name = `${scope.tenantId}/${key.credential}/${key.id}`;
  await scope.prisma.$executeRaw`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`;
  const [row] = await scope.prisma.$queryRaw<Remembered[]>`
    select fingerprint, result from mutation_results
    where tenant_id = ${scope.tenantId} and credential = ${key.credential} and client_mutation_id = ${key.id}
      and created_at > now() - interval '24 hours'`;
  if (!row) return undefined;
  if (!key.fingerprint.equals(row.fingerprint)) {
    const message = 'was used with another input before';
    throw new ReusedKeyFault([{ path: ['input', 'clientMutationId'], message }]);
  }
  const { grant } = grantedSchema.parse(row.result);
  const beyond = permissionBeyond(new Set(grant), key.grant);
  if (beyond) throw new ForbiddenFault(beyond);
  return row.result;
}

/** What the first caller was allowed; whoever asks for that answer must be, too. */
const grantedSchema = z.object({ grant: z.array(z.enum([...PERMISSIONS, 'platform.operate'])).default([]) });

async function remember(scope: WriteScope, key: ResultKey, answer: JsonObject): Promise<void> {
  const result = { ...answer, grant: [...key.grant] };
  await scope.prisma.$executeRaw`delete from mutation_results
    where tenant_id = ${scope.tenantId} and credential = ${key.credential} and client_mutation_id = ${key.id}
      and created_at <= now() - interval '24 hours'`;
  await scope.prisma.$executeRaw`
    insert into mutation_results (tenant_id, credential, client_mutation_id, fingerprint, result)
    values (${scope.tenantId}, ${key.credential}, ${key.id}, ${key.fingerprint}, ${JSON.stringify(result)}::jsonb)
    on conflict do nothing`;
}

function replay<Success extends JsonObject, Kind extends SpecialError['kind']>(
  remembered: unknown,
  mutation: Mutation<Success, Kind>,
  tenantId: number,
  box: SecretBox,
): Success | Refusal<Kind> {
  const result = new Map(Object.entries(remembered ?? {}));
  if (result.has('fault')) {
    const refusal = userErrorSchema.parse(result.get('fault'));
    if (isRefusal(refusal, mutation.refusals ?? [])) return refusal;
    throw new Error(`${mutation.name} remembered ${refusal.kind}, which it does not answer`);
  }
  const sealed = new Map<string, unknown>(Object.entries(result.get('success') ?? {}));
  for (const name of mutation.secrets ?? []) sealed.set(name, open(sealed.get(name), tenantId, box));
  return mutation.read(Object.fromEntries(sealed));
}

const toJson = (error: UserError | SpecialError): JsonObject =>
  'issues' in error
    ? { ...error, issues: error.issues.map(({ path, message }) => ({ path, message })) }
    : error;

const about = { code: z.string(), message: z.string(), path: z.array(z.string()).nullable() };
const userErrorSchema: z.ZodType<UserError | SpecialError> = z.discriminatedUnion('kind', [
  z.object({ ...about, kind: z.literal('ForbiddenError'), permission: z.string() }),
  z.object({ ...about, kind: z.literal('NotFoundError') }),
  z.object({ ...about, kind: z.literal('LastAdminError') }),
  z.object({ ...about, kind: z.literal('QuotaError'), limit: z.number() }),
  z.object({ ...about, kind: z.literal('InvitationError'), reason: z.enum(INVITATION_FAULTS) }),
  z.object({ ...about, kind: z.literal('ConflictError'), currentVersion: z.number().nullable() }),
  z.object({
    ...about,
    kind: z.literal('ValidationError'),
    issues: z.array(z.object({ path: z.array(z.string()), message: z.string() })),
  }),
]);

/** A field that holds a secret, as it is remembered; rotation finds it by this name. */
interface SealedField extends JsonObject {
  readonly $sealed: string;
}
const sealedFieldSchema: z.ZodType<SealedField> = z.object({ $sealed: z.string() });

const contextOf = (tenantId: number): string => `mutation-result/${tenantId}`;

function seal<Success extends JsonObject>(
  success: Success,
  secrets: readonly string[],
  tenantId: number,
  box: SecretBox,
): JsonObject {
  const entries = Object.entries(success).map(([name, value]): [string, Json] => {
    if (!secrets.includes(name)) return [name, value];
    const field: SealedField = {
      $sealed: box.seal(contextOf(tenantId), Buffer.from(JSON.stringify(value))).toString('base64url'),
    };
    return [name, field];
  });
  return Object.fromEntries(entries);
}

function open(field: unknown, tenantId: number, box: SecretBox): unknown {
  const { $sealed } = sealedFieldSchema.parse(field);
  return JSON.parse(box.open(contextOf(tenantId), Buffer.from($sealed, 'base64url')).toString());
}
