import type { ReadScope } from '#api/database/read-scope.ts';
import { all, type Sql, sql } from '#api/database/sql.ts';
import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput } from '#api/graphql/errors.ts';
import { DEVICES } from '#core/db/device-filter.ts';
import { conditionOf, type DeviceStatus } from '../devices/service.ts';
import type { PresenceRow } from '../presence/service.ts';

/** A device as a point on the map. */
export interface DevicePin {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly status: DeviceStatus;
  readonly latitude: number;
  readonly longitude: number;
  /** Whether the point is the site's, because the device has none of its own. */
  readonly atSite: boolean;
  readonly connection: PresenceRow['connection'];
  readonly freshness: PresenceRow['freshness'];
}

export interface Bounds {
  readonly south: number;
  readonly west: number;
  readonly north: number;
  readonly east: number;
}

export interface DeviceMap {
  readonly pins: readonly DevicePin[];
  readonly truncated: boolean;
  unplaced(): Promise<number>;
}

/** The most pins of one answer; a map shows that many at once without a stutter. */
export const MAX_PINS = 10_000;

const POINT = sql`from ${DEVICES} left join sites s on s.id = d.site_id`;
const LATITUDE = sql`coalesce(d.latitude, s.latitude)`;
const LONGITUDE = sql`case when d.latitude is null then s.longitude else d.longitude end`;

/**
 * The devices of a filter as points: their own, or their site's. In the order of their ids, so that a cut off map is always cut
 * off the same way.
 * @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits, or bounds that are none
 */
export async function mapDevices(
  operation: Operation,
  filter: unknown,
  within: Bounds | undefined,
): Promise<DeviceMap> {
  requirePermission(operation, 'devices.read');
  if (within) assertBounds(within);
  const condition = await conditionOf(operation, filter);
  const pins = await readPins(operation.read, condition, within);
  return {
    pins: pins.slice(0, MAX_PINS),
    truncated: pins.length > MAX_PINS,
    async unplaced() {
      const [row] = await operation.read.rows<{ count: number }>(
        sql`select count(*)::int as count ${POINT} where ${condition} and ${LATITUDE} is null`,
      );
      return row?.count ?? 0;
    },
  };
}

function readPins(
  read: ReadScope,
  condition: Sql,
  within: Bounds | undefined,
): Promise<readonly DevicePin[]> {
  return read.rows<DevicePin>(sql`
    select d.id, d.key, d.name, d.status, ${LATITUDE} as latitude, ${LONGITUDE} as longitude, d.latitude is null as "atSite",
      coalesce(p.connection, 'UNKNOWN') as connection, coalesce(p.freshness, 'SILENT') as freshness
    ${POINT} where ${condition} and ${LATITUDE} is not null and ${inside(within)}
    order by d.id limit ${MAX_PINS + 1}`);
}

/** Bounds whose west is east of their east reach across the 180th meridian. */
function inside(within: Bounds | undefined) {
  if (!within) return sql`true`;
  const { south, west, north, east } = within;
  const across = west > east;
  return all([
    sql`${LATITUDE} between ${south} and ${north}`,
    across
      ? sql`(${LONGITUDE} >= ${west} or ${LONGITUDE} <= ${east})`
      : sql`${LONGITUDE} between ${west} and ${east}`,
  ]);
}

function assertBounds({ south, west, north, east }: Bounds): void {
  if (!(south >= -90 && north <= 90 && south <= north)) {
    throw badInput('bounds reach from a southern to a northern latitude within ±90');
  }
  if (![west, east].every((longitude) => Math.abs(longitude) <= 180)) {
    throw badInput('the longitudes of bounds are within ±180');
  }
}
