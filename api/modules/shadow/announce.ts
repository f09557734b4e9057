import type { WriteScope } from '#api/database/writes.ts';
import { type DownlinkEnvelope, encodeAddressed } from '#core/bus/downlink.ts';
import { desiredEnvelope, noDesiredEnvelope } from '#core/bus/shadow.ts';
import { downlinkSubject } from '#core/bus/subjects.ts';
import type { DesiredState } from '#core/fleet/shadow.ts';

const send = (scope: WriteScope, envelope: DownlinkEnvelope): Promise<void> =>
  scope.publish([{ subject: downlinkSubject(scope.shard), payload: encodeAddressed(envelope) }]);

/** Tells a device what it should be from now on. */
export const tellDesired = (scope: WriteScope, device: string, desired: DesiredState): Promise<void> =>
  send(scope, desiredEnvelope(scope.tenantSlug, device, desired));

/** Takes away what is retained for a device that leaves service. What was wanted of it stays in the database. */
export async function clearDesired(
  scope: WriteScope,
  device: { readonly id: number; readonly key: string },
): Promise<void> {
  const [shadow] = await scope.prisma.$queryRaw<{ version: number }[]>`
    select desired_version as version from device_shadows where device_id = ${device.id} and desired_version > 0`;
  if (shadow) await send(scope, noDesiredEnvelope(scope.tenantSlug, device.key, shadow.version + 1));
}
