import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import {
  countDevices,
  type DeviceFilter,
  type DeviceNode,
  type DeviceOrder,
  type DeviceRow,
  listDeviceRows,
  loadDevice,
  readDeviceByKey,
} from './store.ts';

export { announceAccess } from './announce.ts';
export {
  CREDENTIAL_COLUMNS,
  type CredentialRow,
  loadCredential,
  loadCredentialState,
} from './credentials.ts';
export { deviceKeyRules } from './input.ts';
export { findSiteId, insertDevice } from './insert.ts';
export { lockDevice } from './lock.ts';
export {
  conditions,
  type DeviceFilter,
  type DeviceNode,
  type DeviceRow,
  type DeviceStatus,
  type DeviceStub,
} from './store.ts';
export { addToken } from './tokens.ts';

const MAX_FILTER_VALUES = 200;
const MAX_SEARCH_LENGTH = 200;

export async function findDevice(operation: Operation, id: number): Promise<DeviceRow | undefined> {
  requirePermission(operation, 'devices.read');
  return loadDevice(operation, id);
}

/** By its id or by its key; undefined when the tenant has no such device. */
export async function findDeviceBy(
  operation: Operation,
  by: { readonly id?: string | null | undefined; readonly key?: string | null | undefined },
): Promise<DeviceRow | undefined> {
  requirePermission(operation, 'devices.read');
  if (by.key != null) return by.key.includes('\0') ? undefined : readDeviceByKey(operation, by.key);
  const id = readRowId(by.id ?? '', 'Device');
  return id === undefined ? undefined : loadDevice(operation, id);
}

/** The whole device behind a node; a live event carries only its id and key. */
export async function completeDevice(operation: Operation, node: DeviceNode): Promise<DeviceRow> {
  if ('version' in node) return node;
  const device = await loadDevice(operation, node.id);
  if (!device) throw new Error(`device ${node.id} of an event is not in the database`);
  return device;
}

/** @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits */
export async function listDevices(
  operation: Operation,
  args: PageArgs,
  filter: DeviceFilter,
  order: DeviceOrder,
): Promise<Page<DeviceRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'devices.read');
  assertFilter(filter);
  const page = await listDeviceRows(operation, args, filter, order);
  return { ...page, count: () => countDevices(operation, filter) };
}

/** @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits */
export function assertFilter(filter: DeviceFilter): void {
  const lists = [filter.keys, filter.siteKeys, filter.tagsAll].flatMap((list) => (list ? [list] : []));
  if (lists.some((list) => list.length > MAX_FILTER_VALUES)) {
    throw badInput(`a filter takes at most ${MAX_FILTER_VALUES} values`);
  }
  if ((filter.search?.length ?? 0) > MAX_SEARCH_LENGTH)
    throw badInput(`search takes at most ${MAX_SEARCH_LENGTH} characters`);
  if ([...lists.flat(), filter.search ?? ''].some((text) => text.includes('\0')))
    throw badInput('a filter must not hold NUL');
}
