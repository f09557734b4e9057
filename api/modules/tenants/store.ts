import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';

export interface TenantRow {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly retentionDays: number;
}

/** Undefined for a tenant that is not the viewer's. */
export const loadTenant = defineLoader<number, TenantRow | undefined>(
  async (operation: Operation, ids) => {
    const rows = await operation.read.rows<TenantRow>(
      sql`select id, slug, name, retention_days as "retentionDays" from tenants where id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);
