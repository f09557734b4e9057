import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput, NotFoundFault } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import type { JobFault } from '#core/db/jobs.ts';
import { countJobRows, type JobFilter, type JobRow, listJobRows, loadFaults, loadJob } from './store.ts';

export { jobScope, type ManyChanged, type ManyInput, runOnMany } from './run-on-many.ts';
export type { JobRow } from './store.ts';

const MAX_KINDS = 50;
const MAX_KIND = 100;

export async function findJob(operation: Operation, id: number): Promise<JobRow | undefined> {
  requirePermission(operation, 'devices.read');
  return loadJob(operation, id);
}

/** Undefined when the tenant has no such job. */
export async function findJobBy(operation: Operation, globalId: string): Promise<JobRow | undefined> {
  const id = readRowId(globalId, 'Job');
  requirePermission(operation, 'devices.read');
  return id === undefined ? undefined : loadJob(operation, id);
}

/** @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits */
export async function listJobs(
  operation: Operation,
  args: PageArgs,
  filter: JobFilter,
): Promise<Page<JobRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'devices.read');
  const { kinds } = filter;
  if (
    kinds &&
    (kinds.length > MAX_KINDS || kinds.some((kind) => kind.length > MAX_KIND || kind.includes('\0')))
  )
    throw badInput(`kinds takes at most ${MAX_KINDS} values of at most ${MAX_KIND} characters`);
  return { ...(await listJobRows(operation, args, filter)), count: () => countJobRows(operation, filter) };
}

/** By id of the device. */
export async function faultsOf(operation: Operation, { id }: JobRow): Promise<JobFault[]> {
  return [...(await loadFaults(operation, id))];
}

/** The job of a mutation's answer, read after the commit. */
export async function requireJob(operation: Operation, id: number): Promise<JobRow> {
  const job = await findJob(operation, id);
  if (!job) throw new NotFoundFault('the job is gone');
  return job;
}
