import { type Sql, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';

export interface SiteRow {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly address: string;
  readonly timezone: string;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The devices of a site, decommissioned ones left out: how many there are, and of these how many are so on each axis of presence. */
export interface SiteRollup {
  readonly siteId: number;
  readonly devices: number;
  readonly online: number;
  readonly offline: number;
  readonly unknown: number;
  readonly fresh: number;
  readonly stale: number;
  readonly silent: number;
  readonly credentialActive: number;
  readonly credentialExpiring: number;
  readonly credentialRevoked: number;
  readonly credentialNone: number;
}

export interface SiteFilter {
  readonly search?: string | null | undefined;
}

const COLUMNS = sql`s.id, s.key, s.name, s.address, s.timezone, s.latitude, s.longitude, s.version,
  s.created_at as "createdAt", s.updated_at as "updatedAt"`;
const BY_KEY: Keyset = {
  name: 'sites/key',
  columns: [{ expression: sql`s.key`, type: 'text' }],
  descending: false,
};

export const loadSite = defineLoader<number, SiteRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<SiteRow>(
      sql`select ${COLUMNS} from sites s where s.id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

export async function readSiteByKey(operation: Operation, key: string): Promise<SiteRow | undefined> {
  const [row] = await operation.read.rows<SiteRow>(sql`select ${COLUMNS} from sites s where s.key = ${key}`);
  return row;
}

/** Devices at a site, decommissioned ones left out. */
export const loadDeviceCount = defineLoader<number, number>(
  async (operation, ids) => {
    const rows = await operation.read.rows<{ siteId: number; devices: number }>(
      sql`select site_id as "siteId", count(*)::int as devices from devices
          where site_id = any(${ids}::int[]) and status <> 'DECOMMISSIONED' group by site_id`,
    );
    return new Map(rows.map((row) => [row.siteId, row.devices]));
  },
  () => 0,
);

/** One query for all the sites asked for. */
export const loadRollup = defineLoader<number, SiteRollup>(
  async (operation, ids) => {
    const rows = await operation.read.rows<SiteRollup>(
      sql`select d.site_id as "siteId", count(*)::int as devices,
            count(*) filter (where coalesce(p.connection, 'UNKNOWN') = 'ONLINE')::int as online,
            count(*) filter (where coalesce(p.connection, 'UNKNOWN') = 'OFFLINE')::int as offline,
            count(*) filter (where coalesce(p.connection, 'UNKNOWN') = 'UNKNOWN')::int as unknown,
            count(*) filter (where coalesce(p.freshness, 'SILENT') = 'FRESH')::int as fresh,
            count(*) filter (where coalesce(p.freshness, 'SILENT') = 'STALE')::int as stale,
            count(*) filter (where coalesce(p.freshness, 'SILENT') = 'SILENT')::int as silent,
            count(*) filter (where coalesce(p.credential, 'NONE') = 'ACTIVE')::int as "credentialActive",
            count(*) filter (where coalesce(p.credential, 'NONE') = 'EXPIRING')::int as "credentialExpiring",
            count(*) filter (where coalesce(p.credential, 'NONE') = 'REVOKED')::int as "credentialRevoked",
            count(*) filter (where coalesce(p.credential, 'NONE') = 'NONE')::int as "credentialNone"
          from devices d left join device_presence p on p.device_id = d.id
          where d.site_id = any(${ids}::int[]) and d.status <> 'DECOMMISSIONED' group by d.site_id`,
    );
    return new Map(rows.map((row) => [row.siteId, row]));
  },
  (siteId) => ({
    ...{ siteId, devices: 0, online: 0, offline: 0, unknown: 0, fresh: 0, stale: 0, silent: 0 },
    ...{ credentialActive: 0, credentialExpiring: 0, credentialRevoked: 0, credentialNone: 0 },
  }),
);

/** Sites in the order of their keys. */
export async function readSites(
  operation: Operation,
  args: PageArgs,
  filter: SiteFilter,
): Promise<Page<SiteRow>> {
  const page = planPage(args, BY_KEY);
  const rows = await operation.read.rows<SiteRow>(
    sql`select ${COLUMNS} from sites s where ${matching(filter)} and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (site) => [site.key]);
}

export async function countSites(operation: Operation, filter: SiteFilter): Promise<number> {
  const [row] = await operation.read.rows<{ count: number }>(
    sql`select count(*)::int as count from sites s where ${matching(filter)}`,
  );
  return row?.count ?? 0;
}

export async function readSiteIds(operation: Operation, keys: readonly string[]): Promise<number[]> {
  const rows = await operation.read.rows<{ id: number }>(
    sql`select id from sites where key = any(${keys}::text[])`,
  );
  return rows.map(({ id }) => id);
}

function matching({ search }: SiteFilter): Sql {
  if (!search) return sql`true`;
  const pattern = `%${search.replace(/[\\%_]/g, '\\$&')}%`;
  return sql`(s.key || ' ' || s.name || ' ' || s.address) ilike ${pattern}`;
}
