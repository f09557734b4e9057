import type { WriteScope } from '#api/database/writes.ts';
import { type ChangedDevice, deviceChangeMessages, EVERY_SESSION } from '#core/bus/device-changes.ts';

export type AnnouncedDevice = ChangedDevice;

/** Tells followers and caches. */
export const announce = (
  scope: WriteScope,
  device: AnnouncedDevice,
  change: 'CREATED' | 'UPDATED' | 'DECOMMISSIONED',
): Promise<void> => scope.publish(deviceChangeMessages(scope, [device], change));

/** Tells gateways to ask again who may come in, and where `ends` to let go of the session they hold. */
export async function announceAccess(
  scope: WriteScope,
  device: AnnouncedDevice,
  ends: boolean,
): Promise<void> {
  await scope.publishControl('credential', device.key, device.version);
  if (ends) await scope.publishControl('session', device.key, EVERY_SESSION);
}

/** `announce` for many devices, with few statements. */
export async function announceAll(
  scope: WriteScope,
  devices: readonly AnnouncedDevice[],
  change: 'CREATED' | 'UPDATED',
): Promise<void> {
  if (devices.length > 0) await scope.publish(deviceChangeMessages(scope, devices, change));
}
