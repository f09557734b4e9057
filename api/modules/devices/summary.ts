import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { DEVICES } from '#core/db/device-filter.ts';
import { NO_DEVICES, PRESENCE_STATES, type PresenceRollup, ROLLUP_COLUMNS } from '../presence/service.ts';
import { inServiceCondition } from './service.ts';

/**
 * The devices that meet a filter as the API takes it, decommissioned ones left out unless it names statuses; one statement.
 * @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits
 */
export async function summarizeFleet(operation: Operation, filter: unknown): Promise<PresenceRollup> {
  const condition = await inServiceCondition(operation, filter);
  const [row] = await operation.read.rows<PresenceRollup>(
    sql`select ${ROLLUP_COLUMNS} from (
          select ${PRESENCE_STATES}, count(*) as devices from ${DEVICES} where ${condition} group by ${PRESENCE_STATES}) c`,
  );
  return row ?? NO_DEVICES;
}
