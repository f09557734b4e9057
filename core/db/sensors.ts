import type { MetricType } from '../fleet/templates.ts';
import { type OutboxMessage, writeOutbox } from './outbox.ts';
import { type Pool, transaction } from './pool.ts';

/** A metric that was found in the data of a device and that nobody has modelled. */
export interface FoundSensor {
  readonly tenantId: number;
  readonly deviceId: number;
  readonly metric: string;
  readonly type: MetricType;
}

/** A device that has got sensors. */
export interface SensingDevice {
  readonly tenantId: number;
  readonly tenant: string;
  readonly deviceId: number;
  readonly device: string;
  readonly siteId: number | null;
  readonly version: number;
}

/** So many sensors of a device can have been discovered. */
export const MAX_DISCOVERED = 200;

/** Writers go one after the other, so that no device gets more than its share. */
const LOCK = 72707373;

/**
 * Makes sensors of what was found, as many as a device may have; one that is there already, active or not, stays as it is. Writes
 * down what `tell` wants to be known of the devices that have got any, in the same transaction; returns how many sensors were made.
 */
export async function insertDiscovered(
  pool: Pool,
  found: readonly FoundSensor[],
  tell: (devices: readonly SensingDevice[]) => readonly OutboxMessage[],
): Promise<number> {
  if (found.length === 0) return 0;
  return transaction(pool, async (connection) => {
    await connection.query('select pg_advisory_xact_lock($1)', [LOCK]);
    const made = await connection.query<{ device_id: number }>(
      `insert into device_sensors (tenant_id, device_id, metric, name, type, source)
       select w.tenant_id, w.device_id, w.metric, w.metric, w.type, 'DISCOVERED'
       from (
         select w.*, row_number() over (partition by w.device_id order by w.metric) as place
         from unnest($1::int[], $2::int[], $3::text[], $4::text[]) as w (tenant_id, device_id, metric, type)
         join devices d on d.id = w.device_id and d.tenant_id = w.tenant_id and d.status <> 'DECOMMISSIONED'
         where not exists (select from device_sensors s where s.device_id = w.device_id and s.metric = w.metric)
       ) w
       where w.place <= $5 - (select count(*) from device_sensors s where s.device_id = w.device_id and s.source = 'DISCOVERED')
       on conflict do nothing returning device_id`,
      [
        found.map((sensor) => sensor.tenantId),
        found.map((sensor) => sensor.deviceId),
        found.map((sensor) => sensor.metric),
        found.map((sensor) => sensor.type),
        MAX_DISCOVERED,
      ],
    );
    const ids = [...new Set(made.rows.map((row) => row.device_id))];
    if (ids.length > 0) await writeOutbox(connection, tell(await findSensing(connection, ids)));
    return made.rows.length;
  });
}

async function findSensing(
  db: Parameters<typeof writeOutbox>[0],
  ids: readonly number[],
): Promise<SensingDevice[]> {
  const { rows } = await db.query<SensingDevice>(
    `select d.tenant_id as "tenantId", t.slug as tenant, d.id as "deviceId", d.key as device, d.site_id as "siteId", d.version
     from devices d join tenants t on t.id = d.tenant_id where d.id = any($1::int[]) order by d.tenant_id, d.id`,
    [[...ids]],
  );
  return rows;
}
