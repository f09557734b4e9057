import type { WriteScope } from '#api/database/writes.ts';
import { encodeAddressed } from '#core/bus/downlink.ts';
import { downlinkSubject } from '#core/bus/subjects.ts';

/** A retained message on a device's `shadow/desired`; an empty one takes the retained one away. */
export async function tellDesired(
  scope: WriteScope,
  device: string,
  version: number,
  payload: Buffer,
): Promise<void> {
  const envelope = encodeAddressed({
    ...{ tenant: scope.tenantSlug, device, leaf: 'shadow/desired', qos: 1, retain: true },
    ...{ payload, version, contentType: 'application/json' },
  });
  await scope.publish([{ subject: downlinkSubject(scope.shard), payload: envelope }]);
}

/** Takes away what is retained for a device that leaves service. What was wanted of it stays in the database. */
export async function clearDesired(
  scope: WriteScope,
  device: { readonly id: number; readonly key: string },
): Promise<void> {
  const [shadow] = await scope.prisma.$queryRaw<{ version: number }[]>`
    select desired_version as version from device_shadows where device_id = ${device.id} and desired_version > 0`;
  if (shadow) await tellDesired(scope, device.key, shadow.version + 1, Buffer.alloc(0));
}
