import { all, type Sql, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import { countGroups, readMemberships, toGroupRef } from '#core/db/groups.ts';

export type GroupKind = 'STATIC' | 'DYNAMIC';

export interface GroupRow {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly kind: GroupKind;
  readonly filter: unknown;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface GroupFilter {
  readonly search?: string | null | undefined;
  readonly kinds?: readonly GroupKind[] | null | undefined;
}

/** The kind as text: Prisma reads these columns too. */
export const GROUP_COLUMNS = sql`g.id, g.key, g.name, g.description, g.kind::text as kind, g.filter, g.version,
  g.created_at as "createdAt", g.updated_at as "updatedAt"`;

const BY_KEY: Keyset = {
  name: 'groups/key',
  columns: [{ expression: sql`g.key`, type: 'text' }],
  descending: false,
};

export const loadGroup = defineLoader<number, GroupRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<GroupRow>(
      sql`select ${GROUP_COLUMNS} from device_groups g where g.id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

export async function readGroupByKey(operation: Operation, key: string): Promise<GroupRow | undefined> {
  const [row] = await operation.read.rows<GroupRow>(
    sql`select ${GROUP_COLUMNS} from device_groups g where g.key = ${key}`,
  );
  return row;
}

/** In the order of their keys. */
export async function listGroupRows(
  operation: Operation,
  args: PageArgs,
  filter: GroupFilter,
): Promise<Page<GroupRow>> {
  const page = planPage(args, BY_KEY);
  const rows = await operation.read.rows<GroupRow>(
    sql`select ${GROUP_COLUMNS} from device_groups g where ${conditions(filter)} and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [row.key]);
}

export async function countGroupRows(operation: Operation, filter: GroupFilter): Promise<number> {
  const [row] = await operation.read.rows<{ count: number }>(
    sql`select count(*)::int as count from device_groups g where ${conditions(filter)}`,
  );
  return row?.count ?? 0;
}

const conditions = ({ search, kinds }: GroupFilter): Sql =>
  all([
    ...(search ? [sql`position(lower(${search}) in lower(g.key || ' ' || g.name)) > 0`] : []),
    ...(kinds ? [sql`g.kind = any(${kinds}::group_kind[])`] : []),
  ]);

/** Devices in a group, decommissioned ones left out. */
export const loadDeviceCount = defineLoader<number, number>(
  async (operation, ids) => {
    const rows = await operation.read.rows<GroupRow>(
      sql`select ${GROUP_COLUMNS} from device_groups g where g.id = any(${ids}::int[])`,
    );
    return countGroups(operation.read, operation.viewer.tenantId, rows.map(toGroupRef));
  },
  () => 0,
);

/** The groups a device is in, static and dynamic, in the order of their keys. */
export const loadGroupsOf = defineLoader<number, readonly GroupRow[]>(
  async (operation, deviceIds) => {
    const rows = await operation.read.rows<GroupRow>(
      sql`select ${GROUP_COLUMNS} from device_groups g where g.kind = 'DYNAMIC' or exists (
            select from device_group_members m where m.group_id = g.id and m.device_id = any(${deviceIds}::int[]))
          order by g.key`,
    );
    const memberships = await readMemberships(
      operation.read,
      operation.viewer.tenantId,
      rows.map(toGroupRef),
      deviceIds,
    );
    const groupIds = Map.groupBy(memberships, ({ deviceId }) => deviceId);
    return new Map(
      deviceIds.map((deviceId) => {
        const ids = new Set(groupIds.get(deviceId)?.map(({ groupId }) => groupId));
        return [deviceId, rows.filter(({ id }) => ids.has(id))];
      }),
    );
  },
  () => [],
);

/** As the audit log names it. */
export const targetOf = ({ id, key }: GroupRow) => ({ type: 'DeviceGroup', id, label: key });
