import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { parseInput, text } from '#api/graphql/input.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { createProvisioningToken } from '#core/auth/provisioning-tokens.ts';
import { findSiteId } from '../devices/service.ts';

/** Good ones that a tenant holds at once. */
const MAX_LIVE_TOKENS = 20;
const DAY_SECONDS = 86_400;

const createSchema = z.object({
  name: text(200),
  keyPrefix: z
    .string()
    .regex(/^([A-Za-z0-9][A-Za-z0-9._:-]{0,126})?$/, 'must be what a device’s key can begin with')
    .nullish()
    .transform((prefix) => prefix ?? ''),
  siteKey: text(128).nullish(),
  maxDevicesPerHour: z
    .number()
    .int()
    .min(1, 'must be at least 1')
    .max(10_000, 'must be at most 10 000')
    .nullish()
    .transform((count) => count ?? 100),
  expiresInSeconds: z
    .number()
    .int()
    .min(60, 'must be at least 60 (a minute)')
    .max(365 * DAY_SECONDS, 'must be at most 31 536 000 (a year)')
    .nullish()
    .transform((seconds) => seconds ?? 30 * DAY_SECONDS),
});

const madeSchema = z.object({ tokenId: z.number(), token: z.string() });
const revokedSchema = z.object({ tokenId: z.number() });
export type ProvisioningTokenMade = z.output<typeof madeSchema>;
export type ProvisioningTokenRevoked = z.output<typeof revokedSchema>;

type WithMutationId = { readonly clientMutationId?: string | null | undefined };

/** Makes a provisioning token. It is in the answer and nowhere else. */
export function createToken(
  operation: Operation,
  input: WithMutationId,
): Promise<ProvisioningTokenMade | UserError> {
  return runMutation(operation, {
    name: 'provisioningTokenCreate',
    permission: 'devices.write',
    input,
    secrets: ['token'],
    read: (remembered) => madeSchema.parse(remembered),
    async run(scope) {
      const { name, keyPrefix, siteKey, maxDevicesPerHour, expiresInSeconds } = parseInput(
        createSchema,
        input,
      );
      const siteId = siteKey == null ? null : await findSiteId(scope, siteKey);
      await assertRoom(scope);
      const made = createProvisioningToken(operation.platform.provisioningTokenKey);
      const expiresAt = new Date(Date.now() + expiresInSeconds * 1_000);
      const [row] = await scope.prisma.$queryRaw<{ id: number }[]>`
        insert into provisioning_tokens (tenant_id, name, token_hash, hint, key_prefix, site_id, max_devices_per_hour, expires_at)
        values (${scope.tenantId}, ${name}, ${made.hash}, ${made.hint}, ${keyPrefix}, ${siteId}, ${maxDevicesPerHour}, ${expiresAt})
        returning id`;
      const id = row?.id ?? 0;
      return {
        success: { tokenId: id, token: made.token },
        audit: {
          target: { type: 'ProvisioningToken', id, label: name },
          before: null,
          after: { keyPrefix, siteId, maxDevicesPerHour, expiresAt: expiresAt.toISOString() },
        },
      };
    },
  });
}

/** Makes a token good for nothing; the devices that it made stay, and need credentials of their own from then on. */
export function revokeToken(
  operation: Operation,
  input: WithMutationId & { readonly id: string },
): Promise<ProvisioningTokenRevoked | UserError> {
  return runMutation(operation, {
    name: 'provisioningTokenRevoke',
    permission: 'devices.write',
    input,
    read: (remembered) => revokedSchema.parse(remembered),
    async run(scope) {
      const id = readRowId(input.id, 'ProvisioningToken');
      const [token] =
        id === undefined
          ? []
          : await scope.prisma.$queryRaw<{ id: number; name: string; revokedAt: Date | null }[]>`
              select id, name, revoked_at as "revokedAt" from provisioning_tokens where id = ${id} for update`;
      if (!token) throw new NotFoundFault('there is no such provisioning token', ['input', 'id']);
      if (token.revokedAt) throw new ConflictFault('the token is revoked already', ['input', 'id'], null);
      const revokedAt = new Date();
      await scope.prisma
        .$executeRaw`update provisioning_tokens set revoked_at = ${revokedAt} where id = ${token.id}`;
      return {
        success: { tokenId: token.id },
        audit: {
          target: { type: 'ProvisioningToken', id: token.id, label: token.name },
          before: { revokedAt: null },
          after: { revokedAt: revokedAt.toISOString() },
        },
      };
    },
  });
}

/** Of several who make tokens at once, each waits for the one before. */
async function assertRoom(scope: WriteScope): Promise<void> {
  await scope.prisma
    .$executeRaw`select pg_advisory_xact_lock(hashtext('provisioning_tokens'), ${scope.tenantId}::int)`;
  const [live] = await scope.prisma.$queryRaw<{ count: number }[]>`
    select count(*)::int as count from provisioning_tokens where revoked_at is null and expires_at > now()`;
  if ((live?.count ?? 0) < MAX_LIVE_TOKENS) return;
  const message = `a tenant holds at most ${MAX_LIVE_TOKENS} live provisioning tokens; revoke some first`;
  throw new ConflictFault(message, ['input'], null);
}
