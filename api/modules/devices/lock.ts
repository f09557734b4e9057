import type { WriteScope } from '#api/database/writes.ts';
import type { Device } from '#api/generated/prisma/client.ts';
import { NotFoundFault } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';

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
