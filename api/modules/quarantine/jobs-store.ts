import { sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';

export interface QuarantineJobRow {
  readonly id: string;
  readonly action: 'REPLAY' | 'DISCARD';
  readonly total: number;
  readonly handled: number;
  readonly skipped: number;
  readonly requestedBy: string;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/** What became of the messages that a job sent again. */
export interface JobOutcomes {
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly accepted: number;
  readonly deadLettered: number;
  readonly waiting: number;
}

const COLUMNS = sql`j.id::text as id, j.action, j.total, j.handled, j.skipped, j.requested_by as "requestedBy", j.created_at as "createdAt",
  j.finished_at as "finishedAt"`;

const NEWEST: Keyset = {
  name: 'quarantineJobs/newest',
  columns: [{ expression: sql`j.id`, type: 'bigint' }],
  descending: true,
};

export async function readJob(operation: Operation, id: string): Promise<QuarantineJobRow | undefined> {
  const [row] = await operation.read.rows<QuarantineJobRow>(
    sql`select ${COLUMNS} from quarantine_jobs j where j.id = ${id}::bigint`,
  );
  return row;
}

/** Newest first. */
export async function listJobs(operation: Operation, args: PageArgs): Promise<Page<QuarantineJobRow>> {
  const page = planPage(args, NEWEST);
  const rows = await operation.read.rows<QuarantineJobRow>(
    sql`select ${COLUMNS} from quarantine_jobs j where ${page.condition} order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [row.id]);
}

const NONE: JobOutcomes = {
  stored: 0,
  duplicate: 0,
  quarantined: 0,
  accepted: 0,
  deadLettered: 0,
  waiting: 0,
};

export const loadOutcomes = defineLoader<string, JobOutcomes>(
  async (operation, ids) => {
    const rows = await operation.read.rows<JobOutcomes & { id: string }>(
      sql`select q.job_id::text as id, count(*) filter (where q.outcome = 'STORED')::int as stored,
            count(*) filter (where q.outcome = 'DUPLICATE')::int as duplicate,
            count(*) filter (where q.outcome = 'QUARANTINED')::int as quarantined,
            count(*) filter (where q.outcome = 'ACCEPTED')::int as accepted,
            count(*) filter (where q.outcome = 'DEAD_LETTERED')::int as "deadLettered",
            count(*) filter (where q.status = 'REPLAYING')::int as waiting
          from quarantine q where q.job_id = any(${ids}::bigint[]) group by q.job_id`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => NONE,
);
