import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { ApiKey } from '#api/generated/prisma/client.ts';
import type { AuditChange } from '#api/graphql/audit.ts';
import { type Operation, requireGrantable } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { futureInstant, parseInput, text } from '#api/graphql/input.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { createApiKey } from '#core/auth/api-keys.ts';
import { permissionsOf, ROLES } from '#core/auth/permissions.ts';

/** Enough for every program, few enough to look through. */
const MAX_LIVE_KEYS = 500;
const DAY_SECONDS = 86_400;
const MAX_OVERLAP_SECONDS = 30 * DAY_SECONDS;

const createSchema = z
  .object({
    name: text(100),
    role: z.enum(ROLES),
    scopes: z
      .array(z.string())
      .max(100, 'must be at most 100')
      .nullish()
      .transform((scopes) => [...new Set(scopes ?? [])].sort()),
    expiresAt: futureInstant,
  })
  .superRefine(({ role, scopes }, context) => {
    const allowed: ReadonlySet<string> = permissionsOf(role);
    for (const scope of scopes) {
      if (allowed.has(scope)) continue;
      const message = `${JSON.stringify(scope.slice(0, 100))} is not a permission of the role ${role}`;
      context.addIssue({ code: 'custom', path: ['scopes'], message });
    }
  });
const rotateSchema = z.object({
  overlapSeconds: z
    .number()
    .int()
    .min(0, 'must be at least 0')
    .max(MAX_OVERLAP_SECONDS, 'must be at most 2 592 000 (30 days)')
    .nullish()
    .transform((seconds) => seconds ?? DAY_SECONDS),
});

const madeSchema = z.object({ apiKeyId: z.number(), token: z.string() });
const revokedSchema = z.object({ apiKeyId: z.number() });
export type ApiKeyMade = z.output<typeof madeSchema>;
export type ApiKeyRevoked = z.output<typeof revokedSchema>;

type WithMutationId = { readonly clientMutationId?: string | null | undefined };
type WithId = WithMutationId & { readonly id: string };

/** Makes a key. Its token is in the answer and nowhere else. */
export function createKey(operation: Operation, input: WithMutationId): Promise<ApiKeyMade | UserError> {
  return runMutation(operation, {
    name: 'apiKeyCreate',
    permission: 'apiKeys.manage',
    input,
    secrets: ['token'],
    read: (remembered) => madeSchema.parse(remembered),
    async run(scope) {
      const fields = parseInput(createSchema, input);
      requireGrantable(operation, permissionsOf(fields.role, fields.scopes));
      const live = await scope.prisma.apiKey.count({ where: { revokedAt: null } });
      if (live >= MAX_LIVE_KEYS) {
        const message = `a tenant holds at most ${MAX_LIVE_KEYS} keys that are not revoked; revoke one first`;
        throw new ConflictFault(message, ['input'], null);
      }
      const { token, prefix, hash } = createApiKey(operation.platform.apiKeyKey);
      const key = await scope.prisma.apiKey.create({
        data: { ...fields, tenantId: scope.tenantId, prefix, secretHash: new Uint8Array(hash) },
      });
      const { name, role, scopes, expiresAt } = fields;
      const after = { name, role, scopes, prefix, expiresAt: expiresAt?.toISOString() ?? null };
      return { success: { apiKeyId: key.id, token }, audit: { target: targetOf(key), before: null, after } };
    },
  });
}

/** Gives a key a new secret; the one before stays good for the overlap, any older one ends now. */
export function rotateKey(
  operation: Operation,
  input: WithId & { readonly overlapSeconds?: number | null | undefined },
): Promise<ApiKeyMade | UserError> {
  return runMutation(operation, {
    name: 'apiKeyRotate',
    permission: 'apiKeys.manage',
    input,
    secrets: ['token'],
    read: (remembered) => madeSchema.parse(remembered),
    async run(scope) {
      const { overlapSeconds } = parseInput(rotateSchema, input);
      const key = await lockKey(scope, input.id);
      // Whoever gets the new secret may do what the key may.
      requireGrantable(operation, permissionsOf(key.role, key.scopes));
      if (key.expiresAt && key.expiresAt.getTime() <= Date.now()) {
        throw new ConflictFault('the API key has expired; make a new one', ['input', 'id'], null);
      }
      const { token, hash } = createApiKey(operation.platform.apiKeyKey, key.prefix);
      const previousExpiresAt = new Date(Date.now() + overlapSeconds * 1000);
      await scope.prisma.apiKey.update({
        where: { id: key.id },
        data: {
          secretHash: new Uint8Array(hash),
          previousSecretHash: key.secretHash,
          previousExpiresAt,
        },
      });
      await announceKey(scope, key);
      return {
        success: { apiKeyId: key.id, token },
        audit: {
          target: targetOf(key),
          before: { previousExpiresAt: key.previousExpiresAt?.toISOString() ?? null },
          after: { previousExpiresAt: previousExpiresAt.toISOString() },
        },
      };
    },
  });
}

/** Ends a key at once, with every subscription it holds. */
export function revokeKey(operation: Operation, input: WithId): Promise<ApiKeyRevoked | UserError> {
  return runMutation(operation, {
    name: 'apiKeyRevoke',
    permission: 'apiKeys.manage',
    input,
    read: (remembered) => revokedSchema.parse(remembered),
    async run(scope) {
      const key = await lockKey(scope, input.id);
      const revokedAt = new Date();
      await scope.prisma.apiKey.update({ where: { id: key.id }, data: { revokedAt } });
      await announceKey(scope, key);
      return {
        success: { apiKeyId: key.id },
        audit: {
          target: targetOf(key),
          before: { revokedAt: null },
          after: { revokedAt: revokedAt.toISOString() },
        },
      };
    },
  });
}

/** The key with this id, which nobody else changes until the transaction ends. It is not revoked. */
async function lockKey(scope: WriteScope, globalId: string): Promise<ApiKey> {
  const id = readRowId(globalId, 'ApiKey');
  if (id !== undefined) await scope.prisma.$executeRaw`select from api_keys where id = ${id} for update`;
  const key = id === undefined ? null : await scope.prisma.apiKey.findUnique({ where: { id } });
  if (!key) throw new NotFoundFault('there is no such API key', ['input', 'id']);
  if (key.revokedAt) throw new ConflictFault('the API key is revoked already', ['input', 'id'], null);
  return key;
}

/** Tells every API process to ask again who holds this key. */
const announceKey = (scope: WriteScope, { id }: ApiKey): Promise<void> =>
  scope.publishControl('key', String(id), 0);

const targetOf = ({ id, name }: ApiKey): AuditChange['target'] => ({ type: 'ApiKey', id, label: name });
