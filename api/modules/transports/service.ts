import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { NotFoundFault } from '#api/graphql/errors.ts';
import { loadTransport, loadTransports, type TransportRow } from './store.ts';

export type { TransportRow } from './store.ts';

export async function findTransport(operation: Operation, id: number): Promise<TransportRow | undefined> {
  requirePermission(operation, 'devices.read');
  return loadTransport(operation, id);
}

/** The transports of a device, the primary one first. */
export async function transportsOf(operation: Operation, deviceId: number): Promise<TransportRow[]> {
  requirePermission(operation, 'devices.read');
  return [...(await loadTransports(operation, deviceId))];
}

/** The transport of a mutation's answer, read after the commit. */
export async function requireTransport(operation: Operation, id: number): Promise<TransportRow> {
  const transport = await findTransport(operation, id);
  if (!transport) throw new NotFoundFault('the transport is gone');
  return transport;
}
