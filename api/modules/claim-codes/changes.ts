import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { AuditChange } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { parseInput } from '#api/graphql/input.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { createClaimCode } from '#core/auth/claim-codes.ts';
import { deviceKeyRules, lockDevice } from '../devices/service.ts';

/** Enough for a shift of installers or a run of a factory; what is not used ends by itself. */
const MAX_OPEN_CODES = 10_000;
const DAY_SECONDS = 86_400;
const MIN_SECONDS = 60;
const MAX_SECONDS = 30 * DAY_SECONDS;

const createSchema = z
  .object({
    deviceId: z.string().nullish(),
    deviceKey: deviceKeyRules.nullish(),
    expiresInSeconds: z
      .number()
      .int()
      .min(MIN_SECONDS, 'must be at least 60 (a minute)')
      .max(MAX_SECONDS, 'must be at most 2 592 000 (30 days)')
      .nullish()
      .transform((seconds) => seconds ?? DAY_SECONDS),
  })
  .refine(({ deviceId, deviceKey }) => deviceId == null || deviceKey == null, {
    path: ['deviceKey'],
    error: 'name the device by its id or by its key, not by both',
  });

const madeSchema = z.object({ claimCodeId: z.number(), code: z.string() });
const revokedSchema = z.object({ claimCodeId: z.number() });
export type ClaimCodeMade = z.output<typeof madeSchema>;
export type ClaimCodeRevoked = z.output<typeof revokedSchema>;

type WithMutationId = { readonly clientMutationId?: string | null | undefined };

/** Makes a claim code. It is in the answer and nowhere else. */
export function createCode(operation: Operation, input: WithMutationId): Promise<ClaimCodeMade | UserError> {
  return runMutation(operation, {
    name: 'claimCodeCreate',
    permission: 'devices.write',
    input,
    secrets: ['code'],
    read: (remembered) => madeSchema.parse(remembered),
    async run(scope) {
      const { expiresInSeconds, ...named } = parseInput(createSchema, input);
      const device = await findTarget(scope, named);
      await assertRoom(scope);
      const made = createClaimCode(operation.platform.claimCodeKey);
      const expiresAt = new Date(Date.now() + expiresInSeconds * 1_000);
      const deviceKey = device?.key ?? named.deviceKey ?? null;
      const [row] = await scope.prisma.$queryRaw<{ id: number }[]>`
        insert into claim_codes (tenant_id, code_hash, hint, device_id, device_key, expires_at)
        values (${scope.tenantId}, ${made.hash}, ${made.hint}, ${device?.id ?? null}, ${deviceKey}, ${expiresAt}) returning id`;
      const id = row?.id ?? 0;
      return {
        success: { claimCodeId: id, code: made.code },
        audit: {
          target: targetOf({ id, hint: made.hint }),
          before: null,
          after: { device: deviceKey, expiresAt: expiresAt.toISOString() },
        },
      };
    },
  });
}

/** Makes a code good for nothing. */
export function revokeCode(
  operation: Operation,
  input: WithMutationId & { readonly id: string },
): Promise<ClaimCodeRevoked | UserError> {
  return runMutation(operation, {
    name: 'claimCodeRevoke',
    permission: 'devices.write',
    input,
    read: (remembered) => revokedSchema.parse(remembered),
    async run(scope) {
      const id = readRowId(input.id, 'ClaimCode');
      const [code] =
        id === undefined
          ? []
          : await scope.prisma.$queryRaw<
              { id: number; hint: string; claimedAt: Date | null; revokedAt: Date | null }[]
            >`select id, hint, claimed_at as "claimedAt", revoked_at as "revokedAt" from claim_codes
              where id = ${id} for update`;
      if (!code) throw new NotFoundFault('there is no such claim code', ['input', 'id']);
      if (code.claimedAt) throw new ConflictFault('the code was claimed already', ['input', 'id'], null);
      if (code.revokedAt) throw new ConflictFault('the code is revoked already', ['input', 'id'], null);
      const revokedAt = new Date();
      await scope.prisma.$executeRaw`update claim_codes set revoked_at = ${revokedAt} where id = ${code.id}`;
      return {
        success: { claimCodeId: code.id },
        audit: {
          target: targetOf(code),
          before: { revokedAt: null },
          after: { revokedAt: revokedAt.toISOString() },
        },
      };
    },
  });
}

/** The device that exists already; undefined where the claim is to make it. */
async function findTarget(
  scope: WriteScope,
  {
    deviceId,
    deviceKey,
  }: { readonly deviceId?: string | null | undefined; readonly deviceKey?: string | null | undefined },
): Promise<{ readonly id: number; readonly key: string } | undefined> {
  const known =
    deviceId != null
      ? await lockDevice(scope, deviceId, 'deviceId')
      : deviceKey == null
        ? null
        : await scope.prisma.device.findUnique({
            where: { tenantId_key: { tenantId: scope.tenantId, key: deviceKey } },
          });
  if (known?.status === 'DECOMMISSIONED') {
    const field = deviceId == null ? 'deviceKey' : 'deviceId';
    throw new ConflictFault('the device is decommissioned', ['input', field], known.version);
  }
  return known ?? undefined;
}

async function assertRoom(scope: WriteScope): Promise<void> {
  const [open] = await scope.prisma.$queryRaw<{ count: number }[]>`
    select count(*)::int as count from claim_codes
    where claimed_at is null and revoked_at is null and expires_at > now()`;
  if ((open?.count ?? 0) < MAX_OPEN_CODES) return;
  const message = `a tenant holds at most ${MAX_OPEN_CODES} open claim codes; revoke some, or wait until they end`;
  throw new ConflictFault(message, ['input'], null);
}

const targetOf = ({ id, hint }: { readonly id: number; readonly hint: string }): AuditChange['target'] => ({
  type: 'ClaimCode',
  id,
  label: `…${hint}`,
});
