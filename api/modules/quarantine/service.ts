import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput } from '#api/graphql/errors.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import { type JobOutcomes, listJobs, loadOutcomes, type QuarantineJobRow, readJob } from './jobs-store.ts';
import { bucketFor, type ReasonSeries, toReasonSeries } from './reasons.ts';
import {
  countQuarantined,
  countReasons,
  listQuarantined,
  type QuarantineFilter,
  type QuarantineRow,
  readQuarantined,
  readQuarantinedAgain,
  readQuarantinedOf,
} from './store.ts';

export type { QuarantineRow } from './store.ts';

const MAX_VALUES = 100;
const MAX_TEXT = 200;
const MAX_COUNT = 1_000_000;
const MAX_SPAN_MS = 3_660 * 86_400_000;
const ROW_ID = /^\d{1,18}$/;

/** @param id the row's key as an id carries it; undefined when it is none */
export async function findQuarantined(operation: Operation, id: string): Promise<QuarantineRow | undefined> {
  requirePermission(operation, 'telemetry.read');
  return ROW_ID.test(id) ? (await readQuarantined(operation, [id]))[0] : undefined;
}

/** What was turned away of one message of a frame, in the order of its readings. */
export async function findQuarantinedOf(
  operation: Operation,
  batchId: string,
  itemIndex: number,
): Promise<QuarantineRow[]> {
  requirePermission(operation, 'telemetry.read');
  return readQuarantinedOf(operation, batchId, itemIndex);
}

/** The row that the replay of another one ended in. */
export async function findQuarantinedAgain(
  operation: Operation,
  row: QuarantineRow,
): Promise<QuarantineRow | undefined> {
  requirePermission(operation, 'telemetry.read');
  return row.outcome === 'QUARANTINED' ? readQuarantinedAgain(operation, row.id) : undefined;
}

/** @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits */
export async function listQuarantine(
  operation: Operation,
  args: PageArgs,
  filter: QuarantineFilter,
): Promise<Page<QuarantineRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'telemetry.read');
  assertFilter(filter);
  const page = await listQuarantined(operation, args, filter);
  return { ...page, count: async () => (await countQuarantined(operation, filter, MAX_COUNT)).count };
}

/** How often each reason occurred within [from, to). @throws GraphQLError with code BAD_USER_INPUT for a wrong range or filter */
export async function reasonsOverTime(
  operation: Operation,
  filter: QuarantineFilter,
  range: { readonly from: Date; readonly to: Date },
): Promise<ReasonSeries[]> {
  requirePermission(operation, 'telemetry.read');
  assertFilter(filter);
  const spanMs = range.to.getTime() - range.from.getTime();
  if (spanMs <= 0) throw badInput('from must be before to');
  if (spanMs > MAX_SPAN_MS) throw badInput('the range is at most ten years');
  const bucketSeconds = bucketFor(spanMs);
  const counted = await countReasons(operation, { ...filter, ...range }, bucketSeconds);
  return toReasonSeries(counted, range.from, range.to, bucketSeconds);
}

/** @param id the row's key as an id carries it; undefined when it is none */
export async function findJob(operation: Operation, id: string): Promise<QuarantineJobRow | undefined> {
  requirePermission(operation, 'telemetry.read');
  return ROW_ID.test(id) ? readJob(operation, id) : undefined;
}

export async function listQuarantineJobs(
  operation: Operation,
  args: PageArgs,
): Promise<Page<QuarantineJobRow>> {
  requirePermission(operation, 'telemetry.read');
  return listJobs(operation, args);
}

/** What became so far of what a job sent again. */
export function outcomesOf(operation: Operation, job: QuarantineJobRow): Promise<JobOutcomes> {
  return loadOutcomes(operation, job.id);
}

/** @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits */
export function assertFilter({ reasons, deviceKey, from, to }: QuarantineFilter): void {
  const texts = [...(reasons ?? []), deviceKey ?? ''];
  if ((reasons?.length ?? 0) > MAX_VALUES) throw badInput(`reasons takes at most ${MAX_VALUES} values`);
  if (texts.some((text) => text.length > MAX_TEXT))
    throw badInput(`a filter takes at most ${MAX_TEXT} characters`);
  if (texts.some((text) => text.includes('\0'))) throw badInput('a filter must not hold NUL');
  if (from && to && from >= to) throw badInput('from must be before to');
}
