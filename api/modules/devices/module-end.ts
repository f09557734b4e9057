import type { WriteScope } from '#api/database/writes.ts';
import { endModuleSensors } from '#core/db/device-sensors.ts';
import { sql } from '#core/db/sql.ts';

/** Takes every module out of a device that is locked; they and their sensors stay as history. Returns how many there were. */
export async function endModules(scope: WriteScope, deviceId: number, at: Date): Promise<number> {
  const ended = await scope.rows<{ id: number }>(sql`
    update device_modules set removed_at = ${at}
    where tenant_id = ${scope.tenantId}::int and device_id = ${deviceId}::int and removed_at is null returning id`);
  await endModuleSensors(
    scope,
    scope.tenantId,
    ended.map(({ id }) => id),
  );
  return ended.length;
}
