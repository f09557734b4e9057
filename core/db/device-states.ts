import type { DeviceFilter } from '../fleet/device-filter.ts';
import { DEVICES, deviceCondition, type GroupRef, stateConditions } from './device-filter.ts';
import { all, type Sql, sql } from './sql.ts';

/** What devices are first counted by, so that there is little left to sum. Null where a device was never heard of. */
export const PRESENCE_STATES: Sql = sql`p.connection, p.freshness, p.credential`;

/** A query for the tenant's devices that meet the filter, by state: rows of `connection`, `freshness`, `credential` and the number of `devices`. */
export const statesOf = (tenantId: number, filter: DeviceFilter, groups: readonly GroupRef[]): Sql =>
  isOfStates(filter)
    ? statesOfPresence(tenantId, filter)
    : sql`select ${PRESENCE_STATES}, count(*) as devices from ${DEVICES} where ${deviceCondition(tenantId, filter, groups)}
        group by ${PRESENCE_STATES}`;

/** How many of the tenant's devices meet the filter: an expression of type int. */
export const countOf = (tenantId: number, filter: DeviceFilter, groups: readonly GroupRef[]): Sql =>
  isOfStates(filter) && (filter.connections ?? filter.freshness)
    ? sql`(select coalesce(sum(devices), 0) from (${statesOfPresence(tenantId, filter)}) states)::int`
    : sql`(select count(*) from ${DEVICES} where ${deviceCondition(tenantId, filter, groups)})::int`;

/** Whether the filter asks for nothing but presence, of all devices or of all but those few that are not in use. */
function isOfStates({ connections: _, freshness: __, statuses, ...rest }: DeviceFilter): boolean {
  return (
    Object.values(rest).every((condition) => condition == null) && (statuses?.includes('ACTIVE') ?? true)
  );
}

/**
 * Presence is counted alone, by its index, without a look at each device: every presence has one. What devices are left over were never
 * heard of.
 */
function statesOfPresence(tenantId: number, filter: DeviceFilter): Sql {
  const conditions = all(stateConditions(filter));
  if (!mayBeUnheard(filter)) return heardOf(tenantId, filter, conditions);
  return sql`with heard as (${heardOf(tenantId, filter, sql`true`)}), states as (
      select connection, freshness, credential, devices from heard
      union all select null, null, null, (select count(*) from tenant_devices d where ${countedIn(tenantId, filter)})
        - (select coalesce(sum(devices), 0) from heard))
    select ${PRESENCE_STATES}, devices from states p where ${conditions}`;
}

const mayBeUnheard = ({ connections, freshness }: DeviceFilter): boolean =>
  (connections?.includes('UNKNOWN') ?? true) && (freshness?.includes('SILENT') ?? true);

const STATUSES = ['ACTIVE', 'DISABLED', 'DECOMMISSIONED'] as const;

const heardOf = (tenantId: number, { statuses }: DeviceFilter, conditions: Sql): Sql => {
  const others = STATUSES.filter((status) => statuses?.includes(status) === false);
  const counted =
    others.length === 0
      ? sql`true`
      : sql`not exists (select from tenant_devices d where d.tenant_id = ${tenantId} and d.id = p.device_id
          and d.status = any(${others}::device_status[]))`;
  return sql`select ${PRESENCE_STATES}, count(*) as devices from tenant_presence p
    where p.tenant_id = ${tenantId} and ${conditions} and ${counted} group by ${PRESENCE_STATES}`;
};

const countedIn = (tenantId: number, { statuses }: DeviceFilter): Sql =>
  all([
    sql`d.tenant_id = ${tenantId}`,
    ...(statuses ? [sql`d.status = any(${statuses}::device_status[])`] : []),
  ]);
