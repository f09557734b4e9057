import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { NotFoundFault } from '#api/graphql/errors.ts';
import { loadSensor, loadSensors, type SensorRow } from './store.ts';

export type { SensorRow } from './store.ts';

export async function findSensor(operation: Operation, id: number): Promise<SensorRow | undefined> {
  requirePermission(operation, 'devices.read');
  return loadSensor(operation, id);
}

/** The sensors of a device in the order of their metrics: the active ones, or all that it ever had. */
export async function sensorsOf(
  operation: Operation,
  deviceId: number,
  includeInactive: boolean,
): Promise<SensorRow[]> {
  requirePermission(operation, 'devices.read');
  const sensors = await loadSensors(operation, deviceId);
  return sensors.filter(({ active }) => active || includeInactive);
}

/** Those that a module brings, or brought. */
export async function sensorsOfModule(
  operation: Operation,
  module: { readonly id: number; readonly deviceId: number },
): Promise<SensorRow[]> {
  const sensors = await sensorsOf(operation, module.deviceId, true);
  return sensors.filter(({ moduleId }) => moduleId === module.id);
}

/** The sensor of a mutation's answer, read after the commit. */
export async function requireSensor(operation: Operation, id: number): Promise<SensorRow> {
  const sensor = await findSensor(operation, id);
  if (!sensor) throw new NotFoundFault('the sensor is gone');
  return sensor;
}
