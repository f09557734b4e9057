import { sql } from '#api/database/sql.ts';
import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { inService } from '#core/db/device-filter.ts';
import { NO_DEVICES, type PresenceRollup, ROLLUP_COLUMNS } from '../presence/service.ts';
import { devicesOf, readFilter } from './service.ts';

/**
 * The devices that meet a filter as the API takes it, decommissioned ones left out unless it names statuses; one statement.
 * @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits
 */
export async function summarizeFleet(operation: Operation, filter: unknown): Promise<PresenceRollup> {
  requirePermission(operation, 'devices.read');
  const { states } = await devicesOf(operation, inService(readFilter(filter)));
  const [row] = await operation.read.rows<PresenceRollup>(sql`select ${ROLLUP_COLUMNS} from (${states}) c`);
  return row ?? NO_DEVICES;
}
