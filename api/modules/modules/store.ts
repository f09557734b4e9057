import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { sql } from '#core/db/sql.ts';

export interface ModuleRow {
  readonly id: number;
  readonly deviceId: number;
  readonly slot: string;
  readonly name: string;
  readonly templateId: number;
  readonly templateVersion: number;
  readonly serialNumber: string | null;
  readonly busAddress: string | null;
  /** As it is stored. */
  readonly metricMap: unknown;
  readonly installedAt: Date;
  readonly removedAt: Date | null;
}

export const MODULE_COLUMNS = sql`id, device_id as "deviceId", slot, name, template_id as "templateId",
  template_version as "templateVersion", serial_number as "serialNumber", bus_address as "busAddress",
  metric_map as "metricMap", installed_at as "installedAt", removed_at as "removedAt"`;

export const loadModule = defineLoader<number, ModuleRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<ModuleRow>(
      sql`select ${MODULE_COLUMNS} from device_modules where id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

/** The modules in a device, by slot and in the order in which they were installed. */
export const loadModules = defineLoader<number, readonly ModuleRow[]>(
  async (operation, deviceIds) => {
    const rows = await operation.read.rows<ModuleRow>(
      sql`select ${MODULE_COLUMNS} from device_modules
          where device_id = any(${deviceIds}::int[]) and removed_at is null order by slot, id`,
    );
    return Map.groupBy(rows, (row) => row.deviceId);
  },
  () => [],
);

/** The slots of a device that must not be empty and are, in the order of its template. */
export const loadEmptySlots = defineLoader<number, readonly string[]>(
  async (operation, deviceIds) => {
    const rows = await operation.read.rows<{ deviceId: number; slot: string }>(
      sql`select d.id as "deviceId", s.slot ->> 'key' as slot
          from devices d join template_versions v on v.template_id = d.template_id and v.version = d.template_version
          cross join lateral jsonb_array_elements(v.definition -> 'slots') with ordinality s (slot, place)
          where d.id = any(${deviceIds}::int[]) and (s.slot ->> 'required')::boolean and not exists (
            select from device_modules m where m.device_id = d.id and m.slot = s.slot ->> 'key' and m.removed_at is null)
          order by d.id, s.place`,
    );
    const slots = Map.groupBy(rows, (row) => row.deviceId);
    return new Map([...slots].map(([id, found]) => [id, found.map(({ slot }) => slot)]));
  },
  () => [],
);

/** The `limit` modules that were taken out of a device last, the newest first. */
export async function readRemovedModules(
  operation: Operation,
  deviceId: number,
  limit: number,
): Promise<ModuleRow[]> {
  return operation.read.rows<ModuleRow>(
    sql`select ${MODULE_COLUMNS} from device_modules
        where device_id = ${deviceId}::int and removed_at is not null order by removed_at desc, id desc limit ${limit}::int`,
  );
}
