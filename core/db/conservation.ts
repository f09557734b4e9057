import type { Queryable } from './pool.ts';

/** Adds to the sums of each tenant and day what committed since the last call; returns how many frames that were. */
export async function foldFrames(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ folded: number }>('select fold_ingest_frames() as folded');
  return rows[0]?.folded ?? 0;
}

/** What became of the readings of a tenant, all days together. */
export interface TenantSums {
  /** Undefined for messages of no tenant that exists. */
  readonly tenant: string | undefined;
  readonly accepted: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly deadLettered: number;
}

/** The sums of every tenant as of the last fold, those with the most readings first. */
export async function readSums(db: Queryable, limit: number): Promise<TenantSums[]> {
  const { rows } = await db.query<TenantSums & { tenant: string | null }>(
    `select t.slug as tenant, sum(d.accepted)::float8 as accepted, sum(d.stored)::float8 as stored, sum(d.duplicate)::float8 as duplicate,
       sum(d.quarantined)::float8 as quarantined, sum(d.dead_lettered)::float8 as "deadLettered"
     from ingest_days d left join tenants t on t.id = d.tenant_id
     group by d.tenant_id, t.slug order by accepted desc, d.tenant_id limit $1`,
    [limit],
  );
  return rows.map((row) => ({ ...row, tenant: row.tenant ?? undefined }));
}
