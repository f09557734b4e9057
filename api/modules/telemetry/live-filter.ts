import { all, type Sql, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { badInput } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import type { LiveFilter } from '#api/live/filter.ts';
import { findSiteIds } from '../sites/service.ts';

export interface LiveFilterInput {
  readonly deviceIds?: readonly string[] | null | undefined;
  readonly deviceKeys?: readonly string[] | null | undefined;
  readonly siteKeys?: readonly string[] | null | undefined;
  readonly metrics?: readonly string[] | null | undefined;
}

const MAX_VALUES = 1_000;

/**
 * A filter as the feed takes it. An id or key that the tenant does not have simply never matches; sites are those that
 * exist now.
 * @throws GraphQLError with code BAD_USER_INPUT for more than 1 000 values or an id that is none
 */
export async function readLiveFilter(operation: Operation, input: LiveFilterInput): Promise<LiveFilter> {
  const { deviceIds, deviceKeys, siteKeys, metrics } = input;
  for (const list of [deviceIds, deviceKeys, siteKeys, metrics]) {
    if ((list?.length ?? 0) > MAX_VALUES) throw badInput(`a filter takes at most ${MAX_VALUES} values`);
    if (list?.some((text) => text.includes('\0'))) throw badInput('a filter must not hold NUL');
  }
  const ids = deviceIds?.map((text) => {
    const id = readRowId(text, 'Device');
    if (id === undefined) throw badInput('deviceIds must hold ids of devices');
    return id;
  });
  const siteIds = siteKeys ? await findSiteIds(operation, siteKeys) : undefined;
  await operation.read.release();
  return {
    deviceIds: ids && new Set(ids),
    deviceKeys: deviceKeys ? new Set(deviceKeys) : undefined,
    siteIds: siteIds && new Set(siteIds),
    metrics: metrics ? new Set(metrics) : undefined,
  };
}

/** The same as a condition on `d`, a row of `devices`; metrics are none of a device. */
export function deviceConditions({ deviceIds, deviceKeys, siteIds }: LiveFilter): Sql {
  return all([
    ...(deviceIds ? [sql`d.id = any(${[...deviceIds]}::int[])`] : []),
    ...(deviceKeys ? [sql`d.key = any(${[...deviceKeys]}::text[])`] : []),
    ...(siteIds ? [sql`d.site_id = any(${[...siteIds]}::int[])`] : []),
  ]);
}
