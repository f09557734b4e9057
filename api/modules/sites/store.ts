import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';

export interface SiteRow {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly timezone: string;
  readonly latitude: number | null;
  readonly longitude: number | null;
}

const COLUMNS = sql`s.id, s.key, s.name, s.timezone, s.latitude, s.longitude`;
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

/** Sites in the order of their keys. */
export async function readSites(operation: Operation, args: PageArgs): Promise<Page<SiteRow>> {
  const page = planPage(args, BY_KEY);
  const rows = await operation.read.rows<SiteRow>(
    sql`select ${COLUMNS} from sites s where ${page.condition} order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (site) => [site.key]);
}

export async function countSites(operation: Operation): Promise<number> {
  const [row] = await operation.read.rows<{ count: number }>(sql`select count(*)::int as count from sites`);
  return row?.count ?? 0;
}

export async function readSiteIds(operation: Operation, keys: readonly string[]): Promise<number[]> {
  const rows = await operation.read.rows<{ id: number }>(
    sql`select id from sites where key = any(${keys}::text[])`,
  );
  return rows.map(({ id }) => id);
}
