import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { Device } from '#api/generated/prisma/client.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { futureInstant, parseInput, text } from '#api/graphql/input.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { createDeviceSecret, hashDeviceSecret, hintOf } from '#core/auth/device-credentials.ts';
import { announceAccess } from './announce.ts';
import { lockDevice } from './lock.ts';

/** Tokens a device may hold at once: enough to rotate, few enough to check each of them at every connect. */
export const MAX_LIVE_TOKENS = 10;
const MAX_REASON = 500;

const issueSchema = z.object({ expiresAt: futureInstant });
const revokeSchema = z.object({ reason: text(MAX_REASON).nullish() });

const issuedSchema = z.object({
  deviceId: z.number(),
  credentialId: z.number(),
  username: z.string(),
  secret: z.string(),
});
const revokedSchema = z.object({ deviceId: z.number(), credentialId: z.number() });
export type TokenIssued = z.output<typeof issuedSchema>;
export type TokenRevoked = z.output<typeof revokedSchema>;

/** Gives a device one more token; those it has stay good. Its secret is in the answer and nowhere else. */
export function issueToken(
  operation: Operation,
  input: {
    readonly deviceId: string;
    readonly expiresAt?: Date | null | undefined;
    readonly clientMutationId?: string | null | undefined;
  },
): Promise<TokenIssued | UserError> {
  return runMutation(operation, {
    name: 'deviceTokenIssue',
    permission: 'devices.write',
    input,
    secrets: ['secret'],
    read: (remembered) => issuedSchema.parse(remembered),
    async run(scope) {
      const { expiresAt } = parseInput(issueSchema, input);
      const device = await lockDevice(scope, input.deviceId, 'deviceId');
      const { hint, ...token } = await addToken(scope, operation.platform.deviceTokenKey, device, expiresAt);
      await announceAccess(scope, device, false);
      return {
        success: { deviceId: device.id, ...token },
        audit: {
          target: { type: 'Device', id: device.id, label: device.key },
          before: null,
          after: { hint, expiresAt: expiresAt?.toISOString() ?? null },
        },
      };
    },
  });
}

/** A token just made; the only time its secret is there. */
export interface AddedToken {
  readonly credentialId: number;
  readonly hint: string;
  readonly username: string;
  readonly secret: string;
}

/**
 * Gives a device, locked by the transaction, one more token. Whoever calls tells the gateways.
 * @throws ConflictFault when it is decommissioned or holds as many as it may
 */
export async function addToken(
  scope: WriteScope,
  tokenKey: Buffer,
  device: Device,
  expiresAt: Date | null = null,
): Promise<AddedToken> {
  if (device.status === 'DECOMMISSIONED') {
    throw new ConflictFault('the device is decommissioned', ['input', 'deviceId'], device.version);
  }
  await assertRoom(scope, device.id);
  const secret = createDeviceSecret();
  const { id: credentialId, hint } = await scope.prisma.deviceCredential.create({
    data: {
      tenantId: scope.tenantId,
      deviceId: device.id,
      kind: 'TOKEN',
      secretHash: new Uint8Array(hashDeviceSecret(tokenKey, secret)),
      hint: hintOf(secret),
      expiresAt,
    },
  });
  return { credentialId, hint, username: `${scope.tenantSlug}/${device.key}`, secret };
}

async function assertRoom(scope: WriteScope, deviceId: number): Promise<void> {
  const live = await scope.prisma.deviceCredential.count({
    where: {
      deviceId,
      kind: 'TOKEN',
      revokedAt: null,
      OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }],
    },
  });
  if (live < MAX_LIVE_TOKENS) return;
  const message = `a device holds at most ${MAX_LIVE_TOKENS} live tokens; revoke one first`;
  throw new ConflictFault(message, ['input', 'deviceId'], null);
}

/** Ends a token, and with it the session that began with it. */
export function revokeToken(
  operation: Operation,
  input: {
    readonly id: string;
    readonly reason?: string | null | undefined;
    readonly clientMutationId?: string | null | undefined;
  },
): Promise<TokenRevoked | UserError> {
  return runMutation(operation, {
    name: 'deviceTokenRevoke',
    permission: 'devices.write',
    input,
    read: (remembered) => revokedSchema.parse(remembered),
    async run(scope) {
      const { reason } = parseInput(revokeSchema, input);
      const id = readRowId(input.id, 'DeviceCredential');
      const credential =
        id === undefined
          ? null
          : await scope.prisma.deviceCredential.findUnique({ where: { id }, include: { device: true } });
      if (credential?.kind !== 'TOKEN') throw new NotFoundFault('there is no such token', ['input', 'id']);
      const revokedAt = new Date();
      const { count } = await scope.prisma.deviceCredential.updateMany({
        where: { id: credential.id, revokedAt: null },
        data: { revokedAt },
      });
      if (count === 0) throw new ConflictFault('the token is revoked already', ['input', 'id'], null);
      const { device, hint } = credential;
      await announceAccess(scope, device, false);
      return {
        success: { deviceId: device.id, credentialId: credential.id },
        audit: {
          target: { type: 'Device', id: device.id, label: device.key },
          before: { hint, revokedAt: null },
          after: { hint, revokedAt: revokedAt.toISOString(), reason: reason ?? null },
        },
      };
    },
  });
}
