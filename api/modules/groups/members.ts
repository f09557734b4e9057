import { z } from 'zod';
import { type Sql, type SqlReader, sql } from '#api/database/sql.ts';
import { execute } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import { dryRun } from '#api/graphql/dry-run.ts';
import { ConflictFault, NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { runMutation } from '#api/graphql/mutations.ts';
import { DEVICES } from '#core/db/device-filter.ts';
import { countDevices } from '#core/db/groups.ts';
import { readTarget, type TargetInput, targetCondition } from '../devices/service.ts';
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
  if (input.dryRun) {
    return dryRun(operation, 'groups.write', async () => {
      const plan = await planChange(operation.read, operation.viewer.tenantId, input, name, sql``);
      return { groupId: plan.group.id, matched: plan.matched, changed: plan.changed };
    });
  }
  return runMutation(operation, {
    name,
    permission: 'groups.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const plan = await planChange(scope, scope.tenantId, input, name, sql`for update`);
      const { group, matched, changed } = plan;
      await execute(
        scope,
        name === 'groupAddDevices'
          ? sql`insert into device_group_members (tenant_id, group_id, device_id)
              select d.tenant_id, ${group.id}, d.id from ${DEVICES} where ${plan.condition} on conflict do nothing`
          : sql`delete from device_group_members where group_id = ${group.id}
              and device_id in (select d.id from ${DEVICES} where ${plan.condition})`,
      );
      return {
        success: { groupId: group.id, matched, changed },
        audit: { target: targetOf(group), before: null, after: { matched, changed } },
      };
    },
  });
}

interface Plan {
  readonly group: GroupRow;
  /** Which devices are to be put in or taken out, on DEVICES. */
  readonly condition: Sql;
  readonly matched: number;
  readonly changed: number;
}

/** @throws NotFoundFault, ConflictFault for a dynamic group or too many devices, ValidationFault */
async function planChange(
  reader: SqlReader,
  tenantId: number,
  input: MembersInput,
  name: Name,
  lock: Sql,
): Promise<Plan> {
  const [group] = await reader.rows<GroupRow>(
    sql`select ${GROUP_COLUMNS} from device_groups g where g.id = ${readRowId(input.id, 'DeviceGroup') ?? 0} ${lock}`,
  );
  if (!group) throw new NotFoundFault('there is no such group', ['input', 'id']);
  if (group.kind === 'DYNAMIC') {
    const message = 'a dynamic group holds what meets its filter; change that';
    throw new ConflictFault(message, ['input', 'id'], group.version);
  }
  const target = await targetCondition(reader, tenantId, readTarget(input.target));
  const inGroup = sql`exists (select from device_group_members m where m.group_id = ${group.id} and m.device_id = d.id)`;
  const affected =
    name === 'groupAddDevices' ? sql`not ${inGroup} and d.status <> 'DECOMMISSIONED'` : inGroup;
  const condition = sql`${target} and ${affected}`;
  const matched = await countDevices(reader, target);
  const changed = await countDevices(reader, condition);
  if (changed > MAX_MEMBERS_AT_ONCE) {
    const message = `at most ${MAX_MEMBERS_AT_ONCE} devices at once; devicesAddToGroup takes more`;
    throw new ConflictFault(message, ['input', 'target'], null);
  }
  return { group, condition, matched, changed };
}
