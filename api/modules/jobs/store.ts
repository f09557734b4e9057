import { all, type Sql, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import type { JobFault } from '#core/db/jobs.ts';

export type JobStatus = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

export interface JobRow {
  readonly id: number;
  readonly kind: string;
  readonly input: unknown;
  readonly status: JobStatus;
  readonly total: number;
  readonly done: number;
  readonly changed: number;
  readonly failed: number;
  readonly permission: string;
  readonly actorKind: string;
  readonly actorName: string;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

export interface JobFilter {
  readonly statuses?: readonly JobStatus[] | null | undefined;
  readonly kinds?: readonly string[] | null | undefined;
}

/** The status as text: Prisma reads these columns too. */
export const JOB_COLUMNS = sql`j.id, j.kind, j.input, j.status::text as status, j.total, j.done, j.changed, j.failed, j.permission,
  j.actor_kind as "actorKind", j.actor_name as "actorName", j.created_at as "createdAt", j.started_at as "startedAt",
  j.finished_at as "finishedAt"`;

const NEWEST: Keyset = {
  name: 'jobs/newest',
  columns: [{ expression: sql`j.id`, type: 'int' }],
  descending: true,
};

export const loadJob = defineLoader<number, JobRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<JobRow>(
      sql`select ${JOB_COLUMNS} from fleet_jobs j where j.id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

/** Newest first. */
export async function listJobRows(
  operation: Operation,
  args: PageArgs,
  filter: JobFilter,
): Promise<Page<JobRow>> {
  const page = planPage(args, NEWEST);
  const rows = await operation.read.rows<JobRow>(
    sql`select ${JOB_COLUMNS} from fleet_jobs j where ${conditions(filter)} and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, (row) => [String(row.id)]);
}

export async function countJobRows(operation: Operation, filter: JobFilter): Promise<number> {
  const [row] = await operation.read.rows<{ count: number }>(
    sql`select count(*)::int as count from fleet_jobs j where ${conditions(filter)}`,
  );
  return row?.count ?? 0;
}

const conditions = ({ statuses, kinds }: JobFilter): Sql =>
  all([
    ...(statuses ? [sql`j.status = any(${statuses}::job_status[])`] : []),
    ...(kinds ? [sql`j.kind = any(${kinds}::text[])`] : []),
  ]);

/** By id of the device. */
export const loadFaults = defineLoader<number, readonly JobFault[]>(
  async (operation, ids) => {
    const rows = await operation.read.rows<JobFault & { jobId: number }>(
      sql`select job_id as "jobId", device_id as "deviceId", error_code as code, error as message from fleet_job_devices
          where job_id = any(${ids}::int[]) and error_code is not null order by device_id`,
    );
    return Map.groupBy(rows, ({ jobId }) => jobId);
  },
  () => [],
);
