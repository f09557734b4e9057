import type { Sql } from '#api/database/sql.ts';
import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import { countDevices, type FilteredDevices, resolveFilter } from '#core/db/groups.ts';
import { type DeviceFilter, deviceFilterSchema } from '#core/fleet/device-filter.ts';
import { checkBy } from '#core/fleet/problems.ts';
import {
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
export { deviceKeyRules, settingsRules } from './input.ts';
export { findSiteId, insertDevice, mapToJson } from './insert.ts';
export { lockDevice, lockForChange, touchDevice } from './lock.ts';
export { mapOf, mappingFields, readClaims, readMetricMap } from './metric-map.ts';
export type { DeviceNode, DeviceRow, DeviceStatus, DeviceStub } from './store.ts';
export { readTarget, type TargetInput, targetCondition } from './target.ts';
export { findTemplate, readDefinition } from './template.ts';
export { addToken } from './tokens.ts';

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
  filter: unknown,
  order: DeviceOrder,
): Promise<Page<DeviceRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'devices.read');
  const filtered = await devicesOf(operation, readFilter(filter));
  const page = await listDeviceRows(operation, args, filtered.condition, order);
  return { ...page, count: () => countDevices(operation.read, filtered) };
}

/**
 * The condition, on DEVICES, of a filter as the API takes it.
 * @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits
 */
export async function conditionOf(operation: Operation, filter: unknown): Promise<Sql> {
  return (await devicesOf(operation, readFilter(filter))).condition;
}

/** The devices of the viewer's tenant that meet a filter. */
export function devicesOf(operation: Operation, filter: DeviceFilter): Promise<FilteredDevices> {
  return resolveFilter(operation.read, operation.viewer.tenantId, filter);
}

/** @throws GraphQLError with code BAD_USER_INPUT for a filter beyond its limits */
export function readFilter(input: unknown): DeviceFilter {
  const checked = checkBy(deviceFilterSchema, input);
  if (!checked.problems) return checked.data;
  const [problem] = checked.problems;
  throw badInput(`${['where', ...(problem?.path ?? [])].join('.')}: ${problem?.message}`);
}
