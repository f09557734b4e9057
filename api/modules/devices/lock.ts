import type { WriteScope } from '#api/database/writes.ts';
import type { Device } from '#api/generated/prisma/client.ts';
import { ConflictFault, NotFoundFault } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { announce } from './announce.ts';

/**
 * The device with this id, which nobody else changes until the transaction ends.
 * @param field the input field that names it
 * @throws NotFoundFault
 */
export async function lockDevice(scope: WriteScope, globalId: string, field = 'id'): Promise<Device> {
  const id = readRowId(globalId, 'Device');
  const device = id === undefined ? null : await lockRow(scope, id);
  if (!device) throw new NotFoundFault('there is no such device', ['input', field]);
  return device;
}

async function lockRow(scope: WriteScope, id: number): Promise<Device | null> {
  await scope.prisma.$executeRaw`select from devices where id = ${id} for update`;
  return scope.prisma.device.findUnique({ where: { id } });
}

/**
 * The device with this id, locked, for a change of it or of something that it has.
 * @param expectedVersion the version that the caller has seen, if it says so
 * @param field the input field that names it
 * @throws NotFoundFault; ConflictFault for another version or a decommissioned device
 */
export async function lockForChange(
  scope: WriteScope,
  globalId: string,
  expectedVersion: number | null | undefined,
  field = 'id',
): Promise<Device> {
  const device = await lockDevice(scope, globalId, field);
  const { version } = device;
  if (expectedVersion != null && expectedVersion !== version) {
    const message = 'somebody else has changed the device';
    throw new ConflictFault(message, ['input', 'expectedVersion'], version);
  }
  if (device.status !== 'DECOMMISSIONED') return device;
  throw new ConflictFault('the device is decommissioned', ['input', field], version);
}

/** Something that the device has was changed: gives it its next version and tells of it. The device is locked. */
export async function touchDevice(scope: WriteScope, id: number): Promise<void> {
  const device = await scope.prisma.device.update({
    where: { id },
    data: { version: { increment: 1 }, updatedAt: new Date() },
  });
  await announce(scope, device, 'UPDATED');
}
