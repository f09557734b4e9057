import { defineLoader } from '#api/graphql/loaders.ts';
import { sql } from '#core/db/sql.ts';
import type { MetricType, SensorSource } from '#core/fleet/templates.ts';

export interface SensorRow {
  readonly id: number;
  readonly deviceId: number;
  readonly moduleId: number | null;
  readonly metric: string;
  readonly templateMetric: string | null;
  readonly name: string;
  readonly type: MetricType;
  readonly unit: string | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly source: SensorSource;
  readonly active: boolean;
  readonly modelledAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export const SENSOR_COLUMNS = sql`id, device_id as "deviceId", module_id as "moduleId", metric,
  template_metric as "templateMetric", name, type, unit, min, max, source::text as source, active,
  modelled_at as "modelledAt", created_at as "createdAt", updated_at as "updatedAt"`;

export const loadSensor = defineLoader<number, SensorRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<SensorRow>(
      sql`select ${SENSOR_COLUMNS} from device_sensors where id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

/** Every sensor that a device has or had, in the order of their metrics. */
export const loadSensors = defineLoader<number, readonly SensorRow[]>(
  async (operation, deviceIds) => {
    const rows = await operation.read.rows<SensorRow>(
      sql`select ${SENSOR_COLUMNS} from device_sensors where device_id = any(${deviceIds}::int[]) order by metric`,
    );
    return Map.groupBy(rows, (row) => row.deviceId);
  },
  () => [],
);
