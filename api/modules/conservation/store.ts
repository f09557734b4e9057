import type { ReadScope } from '#api/database/read-scope.ts';
import { sql } from '#api/database/sql.ts';

/** What became of readings. */
export interface Fates {
  readonly accepted: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly deadLettered: number;
}

/** Those that were committed on one UTC day. */
export interface DayFates extends Fates {
  readonly day: string;
}

/** Everything that was committed of the tenant, oldest day first: what the sums hold, and what came since they were made. */
export function readDays(scope: ReadScope): Promise<DayFates[]> {
  return scope.rows<DayFates>(
    sql`select day::text as day, accepted::float8 as accepted, stored::float8 as stored, duplicate::float8 as duplicate,
          quarantined::float8 as quarantined, dead_lettered::float8 as "deadLettered" from tenant_sums()`,
  );
}

/** Which of these frames are stored. */
export async function readStoredBatches(
  scope: ReadScope,
  frames: readonly { readonly batchId: string; readonly framedAt: number }[],
): Promise<Set<string>> {
  if (frames.length === 0) return new Set();
  const framed = frames.map(({ framedAt }) => new Date(framedAt).toISOString());
  const rows = await scope.rows<{ batch: string }>(
    sql`select stored_batches(${framed}::timestamptz[], ${frames.map(({ batchId }) => batchId)}::uuid[])::text as batch`,
  );
  return new Set(rows.map(({ batch }) => batch));
}
