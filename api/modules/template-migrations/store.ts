import type { Operation } from '#api/graphql/context.ts';
import { sql } from '#core/db/sql.ts';

/** How many devices have a version, decommissioned ones left out. */
export interface VersionCount {
  readonly version: number;
  readonly devices: number;
}

/** The versions that devices have, oldest first. */
export async function countByVersion(operation: Operation, templateId: number): Promise<VersionCount[]> {
  return operation.read.rows<VersionCount>(sql`
    select template_version as version, count(*)::int as devices from devices
    where template_id = ${templateId}::int and status <> 'DECOMMISSIONED' group by template_version order by template_version`);
}

/** Up to `limit` devices of a version that have modules, by their ids: nothing else keeps a device from moving. */
export async function readWithModules(
  operation: Operation,
  templateId: number,
  version: number,
  limit: number,
): Promise<number[]> {
  const rows = await operation.read.rows<{ id: number }>(sql`
    select d.id from devices d
    where d.template_id = ${templateId}::int and d.template_version = ${version}::int and d.status <> 'DECOMMISSIONED'
      and exists (select from device_modules m where m.device_id = d.id and m.removed_at is null)
    order by d.id limit ${limit}::int`);
  return rows.map(({ id }) => id);
}
