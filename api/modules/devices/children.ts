import { defineLoader } from '#api/graphql/loaders.ts';
import { sql } from '#core/db/sql.ts';

/** How many devices a gateway speaks for, decommissioned ones left out. */
export const loadChildCount = defineLoader<number, number>(
  async (operation, ids) => {
    const rows = await operation.read.rows<{ parentId: number; children: number }>(
      sql`select parent_id as "parentId", count(*)::int as children from devices
          where parent_id = any(${ids}::int[]) and status <> 'DECOMMISSIONED' group by parent_id`,
    );
    return new Map(rows.map((row) => [row.parentId, row.children]));
  },
  () => 0,
);
