import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, type UserError } from '#api/graphql/errors.ts';
import { parseInput } from '#api/graphql/input.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { rotateAuthority } from './authorities.ts';
import { overlapRules } from './overlap.ts';

const rotateSchema = z.object({ overlapSeconds: overlapRules.nullish() });
const rotatedSchema = z.object({ generation: z.number() });
export type AuthorityRotated = z.output<typeof rotatedSchema>;

/**
 * Gives the tenant a new authority, which signs from now on. Certificates of the older ones stay good until they expire,
 * or for the overlap where one is given.
 */
export function rotateTenantCa(
  operation: Operation,
  input: { readonly clientMutationId?: string | null | undefined },
): Promise<AuthorityRotated | UserError> {
  return runMutation(operation, {
    name: 'tenantCaRotate',
    permission: 'certificates.manage',
    input,
    read: (remembered) => rotatedSchema.parse(remembered),
    async run(scope) {
      const { overlapSeconds } = parseInput(rotateSchema, input);
      const before = await lockNewest(scope);
      const { generation } = await rotateAuthority(scope, operation.platform.secretBox);
      const retiresAt = overlapSeconds == null ? null : new Date(Date.now() + overlapSeconds * 1_000);
      const certificates = retiresAt ? await retireOlder(scope, generation, retiresAt) : 0;
      return {
        success: { generation },
        audit: {
          target: { type: 'Tenant', id: scope.tenantId, label: scope.tenantSlug },
          before: { generation: before },
          after: { generation, retiresAt: retiresAt?.toISOString() ?? null, certificates },
        },
      };
    },
  });
}

/** The generation that signs; nobody else replaces it until the transaction ends. */
async function lockNewest(scope: WriteScope): Promise<number> {
  const [newest] = await scope.prisma.$queryRaw<{ generation: number }[]>`
    select generation from certificate_authorities order by generation desc limit 1 for update`;
  if (!newest)
    throw new ConflictFault(
      'the tenant has no authority yet; its first certificate makes one',
      ['input'],
      null,
    );
  return newest.generation;
}

/** Ends what older generations signed; @returns how many certificates that is. Gateways hear of it where it is at once. */
async function retireOlder(scope: WriteScope, generation: number, retiresAt: Date): Promise<number> {
  await scope.prisma.$executeRaw`
    update certificate_authorities set retires_at = least(retires_at, ${retiresAt}) where generation < ${generation}`;
  const ended = await scope.prisma.$queryRaw<{ key: string; version: number }[]>`
    update device_credentials c set retires_at = least(c.retires_at, ${retiresAt}) from devices d
    where d.id = c.device_id and c.kind = 'CERTIFICATE' and c.authority_generation < ${generation}
      and c.revoked_at is null and c.expires_at > now()
    returning d.key, d.version`;
  if (retiresAt.getTime() <= Date.now())
    await scope.publishControls(
      'credential',
      ended.map(({ key: id, version }) => ({ id, version })),
    );
  return ended.length;
}
