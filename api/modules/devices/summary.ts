import { type Sql, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { DEVICES } from '#core/db/device-filter.ts';
import type { DeviceFilter } from '#core/fleet/device-filter.ts';
import { NO_DEVICES, PRESENCE_STATES, type PresenceRollup, ROLLUP_COLUMNS } from '../presence/service.ts';
import { inServiceCondition, readFilter } from './service.ts';

/**
 * The devices that meet a filter as the API takes it, decommissioned ones left out unless it names statuses; one statement.
 * @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits
 */
export async function summarizeFleet(operation: Operation, filter: unknown): Promise<PresenceRollup> {
  const condition = await inServiceCondition(operation, filter);
  const states = isEverything(readFilter(filter))
    ? statesOfAll(operation.viewer.tenantId)
    : sql`select ${PRESENCE_STATES}, count(*) as devices from ${DEVICES} where ${condition} group by ${PRESENCE_STATES}`;
  const [row] = await operation.read.rows<PresenceRollup>(sql`select ${ROLLUP_COLUMNS} from (${states}) c`);
  return row ?? NO_DEVICES;
}

const isEverything = (filter: DeviceFilter): boolean =>
  Object.values(filter).every((condition) => condition == null);

/** Without a look from each device to its presence: the devices in service that are left over were never heard of. */
const statesOfAll = (tenantId: number): Sql =>
  sql`with heard as (
        select ${PRESENCE_STATES}, count(*) as devices from tenant_presence p
        where p.tenant_id = ${tenantId} and not exists (select from tenant_devices d
          where d.tenant_id = ${tenantId} and d.id = p.device_id and d.status = 'DECOMMISSIONED')
        group by ${PRESENCE_STATES})
      select connection, freshness, credential, devices from heard
      union all select null, null, null, (select count(*) from tenant_devices d
          where d.tenant_id = ${tenantId} and d.status = any('{ACTIVE,DISABLED}'::device_status[]))
        - (select coalesce(sum(devices), 0) from heard)`;
