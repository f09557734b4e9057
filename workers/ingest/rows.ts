import type { FrameItem } from '#core/bus/messages.ts';
import type { DeviceIdentity } from '#core/db/devices.ts';
import type { QuarantineRow } from '#core/db/quarantine.ts';
import type { Problem } from '#core/fleet/telemetry.ts';

/** A message, or one of its readings, that is not stored. */
export function quarantineRow(
  item: FrameItem,
  identity: DeviceIdentity,
  problem: Problem,
  { itemIndex, whole, part: ownPart }: Pick<QuarantineRow, 'itemIndex' | 'part' | 'whole'>,
): QuarantineRow {
  const { device, kind, source, dialect, keyHash, userProperties, payload, receivedAt, replay } = item;
  // One reading of a message stays that reading, whatever row of the frame it has become.
  const part = replay?.part ?? ownPart;
  return {
    ...{ device, kind, source, dialect, keyHash, userProperties, payload, receivedAt },
    ...{ itemIndex, part, whole },
    tenantId: identity.tenantId,
    deviceId: identity.deviceId,
    reason: problem.reason,
    detail: problem.detail,
    field: problem.field,
    replayOf: replay?.quarantineId,
  };
}

export const UNKNOWN_DEVICE: Problem = { reason: 'UNKNOWN_DEVICE', detail: 'no such device' };

/** Why nothing of a device is taken, whatever it says; undefined when it may speak. */
export function refusalOf(identity: DeviceIdentity): Problem | undefined {
  if (identity.tenantStatus !== 'ACTIVE')
    return { reason: 'TENANT_SUSPENDED', detail: `the tenant is ${identity.tenantStatus.toLowerCase()}` };
  if (identity.status === 'DECOMMISSIONED')
    return { reason: 'DEVICE_DECOMMISSIONED', detail: 'the device was decommissioned' };
  if (identity.status === 'DISABLED') return { reason: 'DEVICE_DISABLED', detail: 'the device is disabled' };
  return undefined;
}
