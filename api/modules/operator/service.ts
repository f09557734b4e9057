import type { Operation } from '#api/graphql/context.ts';
import { badInput, NotFoundFault } from '#api/graphql/errors.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import type { StreamState } from '#core/bus/stream-states.ts';
import { type OperatorAccess, tellTenant } from './access.ts';
import {
  type DeadLetterRow,
  type OperatedDeviceRow,
  readDeadLetters,
  searchDevices,
} from './devices-store.ts';
import { type PlatformLogFilter, type PlatformLogRow, readPlatformLog } from './log-store.ts';
import { type ProcessBalanceRow, readProcessBalances } from './processes-store.ts';
import {
  countTenants,
  type OperatedTenantRow,
  readTenantBySlug,
  readTenants,
  type TenantFilter,
} from './tenants-store.ts';

const MIN_SEARCH = 2;
const MAX_TEXT = 200;
const MAX_ACTIONS = 100;
const MAX_MINUTES = 60;

/** In the order of their slugs. */
export async function listTenants(
  { operation }: OperatorAccess,
  args: PageArgs,
  filter: TenantFilter,
): Promise<Page<OperatedTenantRow> & { count: () => Promise<number> }> {
  assertTexts([filter.search]);
  return {
    ...(await readTenants(operation, args, filter)),
    count: () => countTenants(operation, filter),
  };
}

/** One tenant, which is told of it first; undefined where there is none. */
export async function lookAtTenant(
  access: OperatorAccess,
  slug: string,
): Promise<OperatedTenantRow | undefined> {
  assertTexts([slug]);
  const tenant = await readTenantBySlug(access.operation, slug);
  if (tenant) await tellTenant(access, tenant);
  return tenant;
}

/** Devices of every tenant, or of one, which is told of it first. */
export async function findDevices(
  access: OperatorAccess,
  args: PageArgs,
  { search, tenant }: { readonly search: string; readonly tenant: string | null | undefined },
): Promise<Page<OperatedDeviceRow>> {
  assertTexts([search]);
  if (search.trim().length < MIN_SEARCH) throw badInput(`search takes at least ${MIN_SEARCH} characters`);
  const tenantId = await tenantIdOf(access, tenant);
  return searchDevices(access.operation, args, { search: search.trim(), tenantId });
}

/** Dead letters of every tenant, or of one, which is told of it first. Newest first. */
export async function listDeadLetters(
  access: OperatorAccess,
  args: PageArgs,
  filter: { readonly stream: string | null | undefined; readonly tenant: string | null | undefined },
): Promise<Page<DeadLetterRow>> {
  assertTexts([filter.stream]);
  const tenantId = await tenantIdOf(access, filter.tenant);
  return readDeadLetters(access.operation, args, { stream: filter.stream ?? undefined, tenantId });
}

/** Newest first. */
export async function listPlatformLog(
  { operation }: OperatorAccess,
  args: PageArgs,
  filter: PlatformLogFilter,
): Promise<Page<PlatformLogRow>> {
  if ((filter.actions?.length ?? 0) > MAX_ACTIONS)
    throw badInput(`actions takes at most ${MAX_ACTIONS} values`);
  assertTexts([filter.actor, filter.tenant, ...(filter.actions ?? [])]);
  return readPlatformLog(operation, args, filter);
}

export const listStreams = ({ operation }: OperatorAccess): Promise<StreamState[]> =>
  operation.platform.readStreams();

/** @throws a request error unless `minutes` is 1 to 60 */
export function listProcesses(operation: Operation, minutes: number): Promise<ProcessBalanceRow[]> {
  if (minutes < 1 || minutes > MAX_MINUTES) throw badInput(`minutes is 1 to ${MAX_MINUTES}`);
  return readProcessBalances(operation, minutes);
}

async function tenantIdOf(
  access: OperatorAccess,
  slug: string | null | undefined,
): Promise<number | undefined> {
  if (slug == null) return undefined;
  const tenant = await lookAtTenant(access, slug);
  if (!tenant) throw new NotFoundFault(`there is no tenant ${slug}`);
  return tenant.id;
}

function assertTexts(texts: readonly (string | null | undefined)[]): void {
  for (const text of texts) {
    if ((text?.length ?? 0) > MAX_TEXT) throw badInput(`a filter takes at most ${MAX_TEXT} characters`);
    if (text?.includes('\0')) throw badInput('a filter must not hold NUL');
  }
}
