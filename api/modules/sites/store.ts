import { type Sql, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import { DEVICES } from '#core/db/device-filter.ts';
import { PRESENCE_STATES } from '#core/db/device-states.ts';
import { NO_DEVICES, type PresenceRollup, ROLLUP_COLUMNS } from '../presence/service.ts';

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

/** The devices of a site, decommissioned ones left out. */
export interface SiteRollup extends PresenceRollup {
  readonly siteId: number;
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
      sql`select c.site_id as "siteId", ${ROLLUP_COLUMNS} from (
            select d.site_id, ${PRESENCE_STATES}, count(*) as devices from ${DEVICES}
            where d.tenant_id = ${operation.viewer.tenantId} and d.site_id = any(${ids}::int[]) and d.status <> 'DECOMMISSIONED'
            group by d.site_id, ${PRESENCE_STATES}) c
          group by c.site_id`,
    );
    return new Map(rows.map((row) => [row.siteId, row]));
  },
  (siteId) => ({ siteId, ...NO_DEVICES }),
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
