import type { WriteScope } from '#api/database/writes.ts';

/** What gateways take for "newer than any session you hold". */
const EVERY_SESSION = Number.MAX_SAFE_INTEGER;

export interface AnnouncedDevice {
  readonly id: number;
  readonly key: string;
  readonly siteId: number | null;
  readonly version: number;
  readonly updatedAt: Date;
}

/** Tells followers and caches. On control subjects a device goes by its key, as gateways know it. */
export async function announce(
  scope: WriteScope,
  device: AnnouncedDevice,
  change: 'CREATED' | 'UPDATED' | 'DECOMMISSIONED',
): Promise<void> {
  const { id: deviceId, key, siteId } = device;
  await scope.publishEvent({
    kind: 'device',
    events: [{ deviceId, device: key, siteId, at: device.updatedAt.getTime(), change }],
  });
  await scope.publishControl('device', key, device.version);
}

/** Tells gateways to ask again who may come in, and where `ends` to let go of the session they hold. */
export async function announceAccess(
  scope: WriteScope,
  device: AnnouncedDevice,
  ends: boolean,
): Promise<void> {
  await scope.publishControl('credential', device.key, device.version);
  if (ends) await scope.publishControl('session', device.key, EVERY_SESSION);
}

/** As many events as one message carries. */
const EVENTS_PER_MESSAGE = 500;

/** `announce` for many devices, with few statements. */
export async function announceAll(
  scope: WriteScope,
  devices: readonly AnnouncedDevice[],
  change: 'CREATED' | 'UPDATED',
): Promise<void> {
  for (let at = 0; at < devices.length; at += EVENTS_PER_MESSAGE) {
    const some = devices.slice(at, at + EVENTS_PER_MESSAGE);
    const events = some.map(({ id: deviceId, key: device, siteId, updatedAt }) => ({
      ...{ deviceId, device, siteId, change },
      at: updatedAt.getTime(),
    }));
    await scope.publishEvent({ kind: 'device', events });
    await scope.publishControls(
      'device',
      some.map(({ key: id, version }) => ({ id, version })),
    );
  }
}
