import { z } from 'zod';
import { type Sql, type SqlReader, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { dryRun } from '#api/graphql/dry-run.ts';
import { ConflictFault, NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { deviceUpdateMessages } from '#core/bus/device-changes.ts';
import { bulkHandler, forecastBulk } from '#core/db/bulk.ts';
import { readDeviceIds } from '#core/db/groups.ts';
import { readTarget, type TargetInput, targetCondition } from '../devices/service.ts';
import { jobScope } from '../jobs/service.ts';
import { GROUP_COLUMNS, type GroupRow, targetOf } from './store.ts';

/** Devices that one mutation puts in or takes out; `devicesAddToGroup` has no such limit. */
export const MAX_MEMBERS_AT_ONCE = 10_000;

const changedSchema = z.object({ groupId: z.number(), matched: z.number(), changed: z.number() });
export type MembersChanged = z.output<typeof changedSchema>;

interface MembersInput {
  readonly id: string;
  readonly target: TargetInput;
  readonly dryRun?: boolean | null | undefined;
  readonly clientMutationId?: string | null | undefined;
}

/** Puts devices into a static group; those that are in it stay. */
export const addDevices = (operation: Operation, input: MembersInput): Promise<MembersChanged | UserError> =>
  changeMembers(operation, input, 'groupAddDevices');

/** Takes devices out of a static group; those that are not in it stay out. */
export const removeDevices = (
  operation: Operation,
  input: MembersInput,
): Promise<MembersChanged | UserError> => changeMembers(operation, input, 'groupRemoveDevices');

type Name = 'groupAddDevices' | 'groupRemoveDevices';

function changeMembers(
  operation: Operation,
  input: MembersInput,
  name: Name,
): Promise<MembersChanged | UserError> {
  const kind = name === 'groupAddDevices' ? 'devicesAddToGroup' : 'groupRemoveDevices';
  if (input.dryRun) {
    return dryRun(operation, 'groups.write', async () => {
      const { tenantId } = operation.viewer;
      const { group, condition } = await readPlan(operation.read, tenantId, input, sql``);
      const prepared = { groupId: group.id };
      const found = await forecastBulk(operation.read, kind, tenantId, prepared, condition);
      return { groupId: group.id, matched: found.matched, changed: found.changed };
    });
  }
  return runMutation(operation, {
    name,
    permission: 'groups.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const { group, condition } = await readPlan(scope, scope.tenantId, input, sql`for update`);
      const ids = await readDeviceIds(scope, condition, MAX_MEMBERS_AT_ONCE + 1);
      if (ids.length > MAX_MEMBERS_AT_ONCE) {
        const message = `at most ${MAX_MEMBERS_AT_ONCE} devices at once; devicesAddToGroup takes more`;
        throw new ConflictFault(message, ['input', 'target'], null);
      }
      const handler = bulkHandler(kind, deviceUpdateMessages);
      const { changed } = await handler(jobScope(scope, operation), { groupId: group.id }, ids);
      const matched = ids.length;
      return {
        success: { groupId: group.id, matched, changed },
        audit: { target: targetOf(group), before: null, after: { matched, changed } },
      };
    },
  });
}

/**
 * The group, and which devices are to go in or out, on DEVICES.
 * @throws NotFoundFault, ConflictFault for a dynamic group, ValidationFault
 */
async function readPlan(
  reader: SqlReader,
  tenantId: number,
  input: MembersInput,
  lock: Sql,
): Promise<{ readonly group: GroupRow; readonly condition: Sql }> {
  const [group] = await reader.rows<GroupRow>(
    sql`select ${GROUP_COLUMNS} from device_groups g where g.id = ${readRowId(input.id, 'DeviceGroup') ?? 0} ${lock}`,
  );
  if (!group) throw new NotFoundFault('there is no such group', ['input', 'id']);
  if (group.kind === 'DYNAMIC') {
    const message = 'a dynamic group holds what meets its filter; change that';
    throw new ConflictFault(message, ['input', 'id'], group.version);
  }
  return { group, condition: await targetCondition(reader, tenantId, readTarget(input.target)) };
}
