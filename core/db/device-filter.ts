import { type DeviceFilter, searchWords } from '../fleet/device-filter.ts';
import { all, any, type Sql, sql } from './sql.ts';

/**
 * What conditions on devices speak of: the device `d` and its presence `p`, which it may not have yet. Of the tenant that the transaction
 * is for (`app.tenant_id`) and of nobody else's, whoever asks; without one there are none.
 */
export const DEVICES: Sql = sql`tenant_devices d
  left join tenant_presence p on p.tenant_id = d.tenant_id and p.device_id = d.id`;

/** A group as filters and targets refer to it. */
export interface GroupRef {
  readonly id: number;
  readonly key: string;
  /** Null for a static group. */
  readonly filter: DeviceFilter | null;
}

/**
 * The condition, on DEVICES, that a device of the tenant meets the filter. Always names the tenant: workers have no row-level security.
 * @param groups every group that `groupKeys` names and there is; one that is missing has no devices
 */
export function deviceCondition(tenantId: number, filter: DeviceFilter, groups: readonly GroupRef[]): Sql {
  return all([sql`d.tenant_id = ${tenantId}`, ...conditions(tenantId, filter, groups)]);
}

/**
 * The condition, on DEVICES, that a device of the tenant is in one of the groups. Decommissioned devices are in none, unless the filter
 * of a dynamic group names statuses.
 * @param membersFirst whether few of the members may meet what else is asked for: PostgreSQL would ask each device in order whether it
 *   is a member, which is the fastest for a page where nearly all of them do, the default
 */
export function groupsCondition(tenantId: number, groups: readonly GroupRef[], membersFirst = false): Sql {
  const isStatic = groups.filter(({ filter }) => filter === null).map(({ id }) => id);
  const barrier = membersFirst ? sql`offset 0` : sql``;
  const member = sql`d.id in (select m.device_id from device_group_members m
    where m.tenant_id = ${tenantId} and m.group_id = any(${isStatic}::int[]) ${barrier}) and d.status <> 'DECOMMISSIONED'`;
  const alternatives = [
    ...(isStatic.length > 0 ? [sql`(${member})`] : []),
    ...groups.flatMap(({ filter }) =>
      filter === null ? [] : [sql`(${all(conditions(tenantId, inService(filter), []))})`],
    ),
  ];
  return all([sql`d.tenant_id = ${tenantId}`, any(alternatives)]);
}

/** The same filter without decommissioned devices, unless it names statuses. */
export const inService = (filter: DeviceFilter): DeviceFilter =>
  filter.statuses ? filter : { ...filter, statuses: ['ACTIVE', 'DISABLED'] };

function conditions(tenantId: number, filter: DeviceFilter, groups: readonly GroupRef[]): Sql[] {
  return [
    ...searchWords(filter.search ?? '').map((word) => sql`d.search like lower(${containing(word)})`),
    ...identityConditions(tenantId, filter),
    ...presenceConditions(filter),
    ...(filter.attributes ? [attributesCondition(tenantId, filter.attributes)] : []),
    ...(filter.within ? placeConditions(filter.within) : []),
    ...(filter.groupKeys
      ? [groupsCondition(tenantId, namedIn(filter.groupKeys, groups), asksForMore(filter))]
      : []),
  ];
}

/** Whether the filter has conditions that few of a group's members may meet. */
const asksForMore = ({ groupKeys: _, statuses: __, ...rest }: DeviceFilter): boolean =>
  Object.values(rest).some((condition) => condition != null);

/** Found first, by their index: PostgreSQL takes one device in a hundred to have whatever is asked for, and would look for it in order. */
const attributesCondition = (tenantId: number, attributes: object): Sql =>
  sql`d.id in (select a.id from tenant_devices a
    where a.tenant_id = ${tenantId} and a.attributes @> ${JSON.stringify(attributes)}::jsonb offset 0)`;

const namedIn = (keys: readonly string[], groups: readonly GroupRef[]): GroupRef[] =>
  groups.filter(({ key }) => keys.includes(key));

function identityConditions(tenantId: number, filter: DeviceFilter): Sql[] {
  const { keys, siteKeys, statuses, tagsAll, tagsAny, templateKeys, templateVersions } = filter;
  const { parentKeys, hasParent, models, firmwares } = filter;
  return [
    ...(keys ? [sql`d.key = any(${keys}::text[])`] : []),
    ...(siteKeys
      ? [
          sql`d.site_id in (select s.id from sites s where s.tenant_id = ${tenantId} and s.key = any(${siteKeys}::text[]))`,
        ]
      : []),
    ...(statuses ? [sql`d.status = any(${statuses}::device_status[])`] : []),
    ...(tagsAll && tagsAll.length > 0 ? [sql`d.tags @> ${tagsAll}::text[]`] : []),
    ...(tagsAny ? [sql`d.tags && ${tagsAny}::text[]`] : []),
    ...(templateKeys
      ? [
          sql`d.template_id in (select t.id from device_templates t
            where (t.tenant_id is null or t.tenant_id = ${tenantId}) and t.key = any(${templateKeys}::text[]))`,
        ]
      : []),
    ...(templateVersions ? [sql`d.template_version = any(${templateVersions}::int[])`] : []),
    ...(parentKeys
      ? [
          sql`d.parent_id in (select g.id from devices g where g.tenant_id = ${tenantId} and g.key = any(${parentKeys}::text[]))`,
        ]
      : []),
    ...(hasParent == null ? [] : [hasParent ? sql`d.parent_id is not null` : sql`d.parent_id is null`]),
    ...(models ? [sql`d.model = any(${models}::text[])`] : []),
    ...(firmwares ? [sql`d.firmware = any(${firmwares}::text[])`] : []),
  ];
}

function presenceConditions(filter: DeviceFilter): Sql[] {
  const { lastSeenBefore, lastSeenAfter } = filter;
  return [
    ...stateConditions(filter),
    ...(lastSeenBefore
      ? [sql`(p.last_seen_at < ${lastSeenBefore}::timestamptz or p.last_seen_at is null)`]
      : []),
    ...(lastSeenAfter ? [sql`p.last_seen_at >= ${lastSeenAfter}::timestamptz`] : []),
  ];
}

/**
 * The conditions on the states of a presence `p`, where null stands for a device that was never heard of. Not coalesced: PostgreSQL knows
 * how frequent a value is, not how frequent an expression.
 */
export function stateConditions({ connections, freshness }: DeviceFilter): Sql[] {
  return [
    ...(connections
      ? [oneOf(sql`p.connection`, sql`${connections}::connectivity[]`, 'UNKNOWN', connections)]
      : []),
    ...(freshness ? [oneOf(sql`p.freshness`, sql`${freshness}::freshness[]`, 'SILENT', freshness)] : []),
  ];
}

const oneOf = (column: Sql, list: Sql, unheard: string, wanted: readonly string[]): Sql =>
  wanted.includes(unheard)
    ? sql`(${column} = any(${list}) or ${column} is null)`
    : sql`${column} = any(${list})`;

/** Mean radius of the earth (IUGG), in meters. */
const EARTH = 6_371_008.8;

function placeConditions({ box, circle }: NonNullable<DeviceFilter['within']>): Sql[] {
  const found: Sql[] = [];
  if (box) {
    const { south, west, north, east } = box;
    found.push(sql`d.latitude between ${south}::float8 and ${north}::float8`);
    // From 170 to -170 a box goes across the date line.
    found.push(
      west <= east
        ? sql`d.longitude between ${west}::float8 and ${east}::float8`
        : sql`(d.longitude >= ${west}::float8 or d.longitude <= ${east}::float8)`,
    );
  }
  if (circle) {
    const { latitude, longitude, meters } = circle;
    const reach = ((meters / EARTH) * 180) / Math.PI;
    found.push(sql`d.latitude between ${latitude - reach}::float8 and ${latitude + reach}::float8`);
    // Haversine.
    found.push(sql`2 * ${EARTH}::float8 * asin(least(1, sqrt(power(sin(radians(d.latitude - ${latitude}::float8) / 2), 2)
      + cos(radians(${latitude}::float8)) * cos(radians(d.latitude)) * power(sin(radians(d.longitude - ${longitude}::float8) / 2), 2))))
      <= ${meters}::float8`);
  }
  return found;
}

const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;
