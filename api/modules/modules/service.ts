import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput, NotFoundFault } from '#api/graphql/errors.ts';
import { MAX_PAGE } from '#api/graphql/paging.ts';
import { loadEmptySlots, loadModule, loadModules, type ModuleRow, readRemovedModules } from './store.ts';

export type { ModuleRow } from './store.ts';

export async function findModule(operation: Operation, id: number): Promise<ModuleRow | undefined> {
  requirePermission(operation, 'devices.read');
  return loadModule(operation, id);
}

/** The modules in a device, by slot. */
export async function modulesOf(operation: Operation, deviceId: number): Promise<ModuleRow[]> {
  requirePermission(operation, 'devices.read');
  return [...(await loadModules(operation, deviceId))];
}

/** The slots of a device that must not be empty and are. */
export async function emptySlotsOf(operation: Operation, deviceId: number): Promise<string[]> {
  requirePermission(operation, 'devices.read');
  return [...(await loadEmptySlots(operation, deviceId))];
}

/** @throws GraphQLError with code BAD_USER_INPUT for a number beyond the limits */
export async function removedModulesOf(
  operation: Operation,
  deviceId: number,
  first: number,
): Promise<ModuleRow[]> {
  requirePermission(operation, 'devices.read');
  if (first < 1 || first > MAX_PAGE) throw badInput(`first must be from 1 to ${MAX_PAGE}`);
  return readRemovedModules(operation, deviceId, first);
}

/** The module of a mutation's answer, read after the commit. */
export async function requireModule(operation: Operation, id: number): Promise<ModuleRow> {
  const module = await findModule(operation, id);
  if (!module) throw new NotFoundFault('the module is gone');
  return module;
}
