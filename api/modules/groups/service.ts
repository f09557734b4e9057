import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput, NotFoundFault } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import {
  countGroupRows,
  type GroupFilter,
  type GroupRow,
  listGroupRows,
  loadDeviceCount,
  loadGroup,
  loadGroupsOf,
  readGroupByKey,
} from './store.ts';

const MAX_SEARCH = 200;

export async function findGroup(operation: Operation, id: number): Promise<GroupRow | undefined> {
  requirePermission(operation, 'devices.read');
  return loadGroup(operation, id);
}

/** By its id or by its key; undefined when the tenant has no such group. */
export async function findGroupBy(
  operation: Operation,
  by: { readonly id?: string | null | undefined; readonly key?: string | null | undefined },
): Promise<GroupRow | undefined> {
  requirePermission(operation, 'devices.read');
  if (by.key != null) return by.key.includes('\0') ? undefined : readGroupByKey(operation, by.key);
  const id = readRowId(by.id ?? '', 'DeviceGroup');
  return id === undefined ? undefined : loadGroup(operation, id);
}

/** @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits */
export async function listGroups(
  operation: Operation,
  args: PageArgs,
  filter: GroupFilter,
): Promise<Page<GroupRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'devices.read');
  const { search } = filter;
  if (search && (search.length > MAX_SEARCH || search.includes('\0')))
    throw badInput(`search takes at most ${MAX_SEARCH} characters without NUL`);
  return {
    ...(await listGroupRows(operation, args, filter)),
    count: () => countGroupRows(operation, filter),
  };
}

/** Devices in the group, decommissioned ones left out. */
export async function countDevicesOf(operation: Operation, { id }: GroupRow): Promise<number> {
  requirePermission(operation, 'devices.read');
  return loadDeviceCount(operation, id);
}

/** In the order of their keys. */
export async function groupsOf(operation: Operation, deviceId: number): Promise<GroupRow[]> {
  requirePermission(operation, 'devices.read');
  return [...(await loadGroupsOf(operation, deviceId))];
}

/** The group of a mutation's answer, read after the commit. */
export async function requireGroup(operation: Operation, id: number): Promise<GroupRow> {
  const group = await findGroup(operation, id);
  if (!group) throw new NotFoundFault('the group is gone');
  return group;
}
