import { type DeviceFilter, type DeviceTarget, deviceFilterSchema } from '../fleet/device-filter.ts';
import { DEVICES, deviceCondition, type GroupRef, groupsCondition, inService } from './device-filter.ts';
import { countOf, planCounts, statesOf } from './device-states.ts';
import { all, type Sql, type SqlReader, sql } from './sql.ts';

interface StoredGroup {
  id: number;
  key: string;
  filter: unknown;
}

/** A group as it is stored. @throws Error when its filter is none */
export const toGroupRef = ({ id, key, filter }: StoredGroup): GroupRef => ({
  id,
  key,
  filter: filter === null ? null : deviceFilterSchema.parse(filter),
});

/** Those of these groups that there are. */
async function readGroups(reader: SqlReader, tenantId: number, keys: readonly string[]): Promise<GroupRef[]> {
  const rows = await reader.rows<StoredGroup>(
    sql`select id, key, filter from device_groups where tenant_id = ${tenantId} and key = any(${keys}::text[])`,
  );
  return rows.map(toGroupRef);
}

/** The devices of a tenant that meet a filter as its groups are now. */
export interface FilteredDevices {
  /** On DEVICES. */
  readonly condition: Sql;
  /** How many: an expression of type int. */
  readonly count: Sql;
  /** See `statesOf`. */
  readonly states: Sql;
}

export async function resolveFilter(
  reader: SqlReader,
  tenantId: number,
  filter: DeviceFilter,
): Promise<FilteredDevices> {
  const groups = filter.groupKeys ? await readGroups(reader, tenantId, filter.groupKeys) : [];
  return {
    condition: deviceCondition(tenantId, filter, groups),
    count: countOf(tenantId, filter, groups),
    states: statesOf(tenantId, filter, groups),
  };
}

/**
 * What a target means now: the condition, on DEVICES, that a device of the tenant belongs to it. A group or a filter leaves
 * decommissioned devices out unless the filter names statuses; ids are taken as they are. Undefined when there is no such group.
 */
export async function resolveTarget(
  reader: SqlReader,
  tenantId: number,
  target: DeviceTarget,
): Promise<Sql | undefined> {
  if ('ids' in target) return all([sql`d.tenant_id = ${tenantId}`, sql`d.id = any(${target.ids}::int[])`]);
  if ('where' in target) return (await resolveFilter(reader, tenantId, inService(target.where))).condition;
  const groups = await readGroups(reader, tenantId, [target.groupKey]);
  return groups.length === 0 ? undefined : groupsCondition(tenantId, groups);
}

export async function countDevices(reader: SqlReader, { count }: FilteredDevices): Promise<number> {
  const [row] = await reader.rows<{ count: number }>(sql`select ${count} as count`);
  return row?.count ?? 0;
}

/** Ids of devices that meet a condition on DEVICES, ascending, at most `limit`. */
export async function readDeviceIds(reader: SqlReader, condition: Sql, limit: number): Promise<number[]> {
  const rows = await reader.rows<{ id: number }>(
    sql`select d.id from ${DEVICES} where ${condition} order by d.id limit ${limit}`,
  );
  return rows.map(({ id }) => id);
}

/** How many devices each of the groups has. A group without devices is left out. */
export async function countGroups(
  reader: SqlReader,
  tenantId: number,
  groups: readonly GroupRef[],
): Promise<Map<number, number>> {
  const isStatic = groups.filter(({ filter }) => filter === null).map(({ id }) => id);
  // Without the decommissioned instead of with all the others: those are few, and every member is a device.
  const members = sql`select m.group_id as id, count(*)::int as count from device_group_members m
    where m.tenant_id = ${tenantId} and m.group_id = any(${isStatic}::int[]) and not exists (select from tenant_devices d
      where d.tenant_id = ${tenantId} and d.id = m.device_id and d.status = 'DECOMMISSIONED') group by m.group_id`;
  const dynamic = groups.flatMap(({ id, filter }) =>
    filter === null ? [] : [{ id, filter: inService(filter) }],
  );
  const plan = planCounts(
    tenantId,
    dynamic.map(({ filter }) => filter),
  );
  const counts = dynamic.map(
    ({ id, filter }) => sql`select ${id}::int as id, ${plan.countOf(filter)} as count`,
  );
  const rows = await reader.rows<{ id: number; count: number }>(
    sql`${plan.common} ${unionOf(isStatic.length === 0 ? counts : [members, ...counts])}`,
  );
  return new Map(rows.map(({ id, count }) => [id, count]));
}

/** Which of the devices are in which of the groups. */
export async function readMemberships(
  reader: SqlReader,
  tenantId: number,
  groups: readonly GroupRef[],
  deviceIds: readonly number[],
): Promise<{ groupId: number; deviceId: number }[]> {
  if (groups.length === 0) return [];
  const found = groups.map(
    (group) => sql`select ${group.id}::int as "groupId", d.id as "deviceId" from ${DEVICES}
      where d.id = any(${deviceIds}::int[]) and ${groupsCondition(tenantId, [group])}`,
  );
  return reader.rows(unionOf(found));
}

const unionOf = ([first, ...rest]: readonly Sql[]): Sql =>
  rest.reduce((joined, query) => sql`${joined} union all ${query}`, first ?? sql`select where false`);
