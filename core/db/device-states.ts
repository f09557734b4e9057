import type { DeviceFilter } from '../fleet/device-filter.ts';
import { DEVICES, deviceCondition, type GroupRef, stateConditions } from './device-filter.ts';
import { all, type Sql, sql } from './sql.ts';

/** What devices are first counted by, so that there is little left to sum. Null where a device was never heard of. */
export const PRESENCE_STATES: Sql = sql`p.connection, p.freshness, p.credential`;

/** A query for the tenant's devices that meet the filter, by state: rows of `connection`, `freshness`, `credential` and the number of `devices`. */
export function statesOf(tenantId: number, filter: DeviceFilter, groups: readonly GroupRef[]): Sql {
  const conditions = all(stateConditions(filter));
  if (!isOfStates(filter))
    return sql`select ${PRESENCE_STATES}, count(*) as devices from ${DEVICES}
      where ${deviceCondition(tenantId, filter, groups)} group by ${PRESENCE_STATES}`;
  if (!mayBeUnheard(filter)) return heardStates(tenantId, filter, conditions);
  return sql`select ${PRESENCE_STATES}, p.devices from (${allStates(tenantId, filter)}) p where ${conditions}`;
}

/** How many of the tenant's devices meet the filter: an expression of type int. */
export const countOf = (tenantId: number, filter: DeviceFilter, groups: readonly GroupRef[]): Sql =>
  isOfStates(filter) && asksForPresence(filter)
    ? sql`(select coalesce(sum(devices), 0) from (${statesOf(tenantId, filter, groups)}) states)::int`
    : sql`(select count(*) from ${DEVICES} where ${deviceCondition(tenantId, filter, groups)})::int`;

/** What counts several filters in one statement. */
export interface Counts {
  /** What the statement begins with. */
  readonly common: Sql;
  /** Of one of the filters: an expression of type int. */
  countOf(filter: DeviceFilter): Sql;
}

/** As `countOf` for each of the filters, which name no groups. Where one of them needs the states of all devices, others use them, too. */
export function planCounts(tenantId: number, filters: readonly DeviceFilter[]): Counts {
  const first = filters.find((each) => isOfStates(each) && asksForPresence(each) && mayBeUnheard(each));
  if (!first) return { common: sql``, countOf: (filter) => countOf(tenantId, filter, []) };
  return {
    common: sql`with states as (${allStates(tenantId, first)})`,
    countOf: (filter) =>
      isOfStates(filter) && String(filter.statuses) === String(first.statuses)
        ? sql`(select coalesce(sum(p.devices), 0) from states p where ${all(stateConditions(filter))})::int`
        : countOf(tenantId, filter, []),
  };
}

/** Whether the filter asks for nothing but presence, of all devices or of all but those few that are not in use. */
function isOfStates({ connections: _, freshness: __, statuses, ...rest }: DeviceFilter): boolean {
  return (
    Object.values(rest).every((condition) => condition == null) && (statuses?.includes('ACTIVE') ?? true)
  );
}

const asksForPresence = ({ connections, freshness }: DeviceFilter): boolean =>
  connections != null || freshness != null;

const mayBeUnheard = ({ connections, freshness }: DeviceFilter): boolean =>
  (connections?.includes('UNKNOWN') ?? true) && (freshness?.includes('SILENT') ?? true);

/**
 * Of all devices that have one of the filter's statuses. Presence is counted alone, by its index, without a look at each device: every
 * presence has one, and what devices are left over were never heard of.
 */
function allStates(tenantId: number, filter: DeviceFilter): Sql {
  const { statuses } = filter;
  const counted = statuses ? sql`d.status = any(${statuses}::device_status[])` : sql`true`;
  return sql`with heard as (${heardStates(tenantId, filter, sql`true`)})
    select connection, freshness, credential, devices from heard
    union all select null, null, null, (select count(*) from tenant_devices d where d.tenant_id = ${tenantId} and ${counted})
      - (select coalesce(sum(devices), 0) from heard)`;
}

const STATUSES = ['ACTIVE', 'DISABLED', 'DECOMMISSIONED'] as const;

function heardStates(tenantId: number, { statuses }: DeviceFilter, conditions: Sql): Sql {
  const others = STATUSES.filter((status) => statuses?.includes(status) === false);
  const counted =
    others.length === 0
      ? sql`true`
      : sql`not exists (select from tenant_devices d where d.tenant_id = ${tenantId} and d.id = p.device_id
          and d.status = any(${others}::device_status[]))`;
  return sql`select ${PRESENCE_STATES}, count(*) as devices from tenant_presence p
    where p.tenant_id = ${tenantId} and ${conditions} and ${counted} group by ${PRESENCE_STATES}`;
}
