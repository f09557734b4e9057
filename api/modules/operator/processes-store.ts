import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { requireOperator } from './access.ts';

export interface GatewayRow {
  readonly name: string;
  readonly sessions: number;
  readonly leaseExpiresAt: Date;
}

export interface LeaseRow {
  readonly holder: string;
  readonly names: string[];
  readonly expiresAt: Date;
}

export interface Durability {
  readonly fsync: boolean;
  readonly synchronousCommit: string;
  readonly synchronousStandbys: number;
}

/** What one process accepted, and what became of it; `process` is null where frames do not say. */
export interface ProcessBalanceRow {
  readonly process: string | null;
  readonly accepted: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly deadLettered: number;
}

/** By the process that made the frames, from those committed within so many minutes; at most 500. */
export const readProcessBalances = (operation: Operation, minutes: number): Promise<ProcessBalanceRow[]> =>
  requireOperator(operation).rows<ProcessBalanceRow>(
    operation,
    sql`select f.origin as process, sum(c.accepted)::float8 as accepted, sum(c.stored)::float8 as stored,
          sum(c.duplicate)::float8 as duplicate, sum(c.quarantined)::float8 as quarantined,
          sum(c.dead_lettered)::float8 as "deadLettered"
        from ingest_frames f cross join lateral read_counts(f.counts) c
        where f.stored_at >= now() - ${minutes} * interval '1 minute' and f.framed_at >= now() - interval '2 days'
        group by f.origin order by accepted desc, f.origin limit 500`,
  );

/** Gateways whose lease has run out less than a day ago, or that hold sessions still; at most 500. */
export const readGateways = (operation: Operation): Promise<GatewayRow[]> =>
  requireOperator(operation).rows<GatewayRow>(
    operation,
    sql`select g.id as name, count(s.device_id)::int as sessions, g.lease_expires_at as "leaseExpiresAt"
        from gateways g left join device_sessions s on s.gateway_id = g.id
        group by g.id order by g.lease_expires_at desc, g.id limit 500`,
  );

/** Who leads in what; one row a process. */
export const readLeases = (operation: Operation): Promise<LeaseRow[]> =>
  requireOperator(operation).rows<LeaseRow>(
    operation,
    sql`select holder, array_agg(name order by name) as names, min(expires_at) as "expiresAt"
        from leases group by holder order by holder limit 500`,
  );

export async function readDurability(operation: Operation): Promise<Durability> {
  const [row] = await requireOperator(operation).rows<Durability>(
    operation,
    sql`select current_setting('fsync')::boolean as fsync, current_setting('synchronous_commit') as "synchronousCommit",
          (select count(*)::int from pg_stat_replication where sync_state in ('sync', 'quorum')) as "synchronousStandbys"`,
  );
  if (!row) throw new Error('the database did not say');
  return row;
}
