import { z } from 'zod';
import type { Sql, SqlReader } from '#api/database/sql.ts';
import { NotFoundFault } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { parseInput, text } from '#api/graphql/input.ts';
import { resolveTarget } from '#core/db/groups.ts';
import { type DeviceTarget, deviceFilterSchema } from '#core/fleet/device-filter.ts';

const MAX_IDS = 1_000;

const targetSchema = z.union([
  z.object({
    ids: z.array(z.string()).min(1, 'must not be empty').max(MAX_IDS, `takes at most ${MAX_IDS} ids`),
  }),
  z.object({ groupKey: text(128) }),
  z.object({ where: deviceFilterSchema }),
]);

/** A `DeviceTarget` of the API, where GraphQL gives null for what a oneOf input leaves out. */
export interface TargetInput {
  readonly ids?: readonly string[] | null | undefined;
  readonly groupKey?: string | null | undefined;
  readonly where?: unknown;
}

/**
 * What a target of a mutation's input is.
 * @throws ValidationFault for a target beyond its limits, NotFoundFault for an id that is none
 */
export function readTarget({ ids, groupKey, where }: TargetInput): DeviceTarget {
  const given = ids != null ? { ids } : groupKey != null ? { groupKey } : { where };
  const { target } = parseInput(z.object({ target: targetSchema }), { target: given });
  if (!('ids' in target)) return target;
  return { ids: [...new Set(target.ids.map(readDeviceId))] };
}

function readDeviceId(globalId: string): number {
  const id = readRowId(globalId, 'Device');
  if (id === undefined) throw new NotFoundFault('there is no such device', ['input', 'target', 'ids']);
  return id;
}

/**
 * The condition, on DEVICES, that a device belongs to a target.
 * @throws NotFoundFault when there is no such group
 */
export async function targetCondition(
  reader: SqlReader,
  tenantId: number,
  target: DeviceTarget,
): Promise<Sql> {
  const condition = await resolveTarget(reader, tenantId, target);
  if (!condition) throw new NotFoundFault('there is no such group', ['input', 'target', 'groupKey']);
  return condition;
}
