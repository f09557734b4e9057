import type { DeviceId, TenantId } from '../fleet/ids.ts';
import type { Queryable } from './pool.ts';

/** A session as it is written down. */
export interface MqttSession {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly clientId: string;
  readonly epoch: bigint;
  /** How long it is kept without a connection; 0 takes it away. */
  readonly keepSeconds: number;
  readonly connected: boolean;
  /** As JSON. */
  readonly state: object;
}

/** A CONNECT that asks what an earlier connection left. */
export interface MqttSessionWanted {
  readonly deviceId: DeviceId;
  readonly clientId: string;
  /** Of the new connection. */
  readonly epoch: bigint;
  /** Wants nothing of it, and it is to be taken away. */
  readonly clean: boolean;
}

export interface KeptMqttSession {
  /** Of the connection that wrote it. */
  readonly epoch: bigint;
  readonly state: unknown;
}

const OPEN = `
  with wanted as (
    select * from unnest($1::int[], $2::text[], $3::bigint[], $4::boolean[]) as w (device_id, client_id, epoch, clean)
  ), gone as (
    delete from mqtt_sessions where device_id in (
      select m.device_id from mqtt_sessions m join wanted w using (device_id)
      where m.epoch < w.epoch and (w.clean or m.client_id <> w.client_id or m.expires_at <= now())
      order by m.device_id for update of m)
  )
  select m.device_id, m.epoch, m.state from mqtt_sessions m join wanted w using (device_id)
  where not w.clean and m.client_id = w.client_id and (m.expires_at is null or m.expires_at > now())`;

/**
 * What earlier connections left, in the order of what is wanted; undefined where there is nothing. A session that nobody
 * can resume any more is deleted. A device must not occur twice.
 */
export async function openMqttSessions(
  database: Queryable,
  wanted: readonly MqttSessionWanted[],
): Promise<(KeptMqttSession | undefined)[]> {
  const { rows } = await database.query<{ device_id: number; epoch: string; state: unknown }>({
    name: 'open-mqtt-sessions',
    text: OPEN,
    values: [
      wanted.map((each) => each.deviceId),
      wanted.map((each) => each.clientId),
      wanted.map((each) => each.epoch.toString()),
      wanted.map((each) => each.clean),
    ],
  });
  const found = new Map(rows.map((row) => [row.device_id, { epoch: BigInt(row.epoch), state: row.state }]));
  return wanted.map((each) => found.get(each.deviceId));
}

// Ordered by device, so that two gateways that write the same devices cannot wait for each other in a circle.
const SAVE = `
  with said as (
    select * from unnest($1::int[], $2::int[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[], $7::jsonb[])
      as s (device_id, tenant_id, client_id, epoch, keep_seconds, connected, state)
  ), gone as (
    delete from mqtt_sessions m using said s
    where m.device_id = s.device_id and m.epoch <= s.epoch and s.keep_seconds = 0 and not s.connected
  )
  insert into mqtt_sessions (device_id, tenant_id, client_id, epoch, keep_seconds, expires_at, state)
  select s.device_id, s.tenant_id, s.client_id, s.epoch, s.keep_seconds,
    case when not s.connected then now() + make_interval(secs => s.keep_seconds) end, s.state
  from said s
  where s.keep_seconds > 0
    and not exists (select from device_sessions d where d.device_id = s.device_id and d.epoch > s.epoch)
  order by s.device_id
  on conflict (device_id) do update set client_id = excluded.client_id, epoch = excluded.epoch,
    keep_seconds = excluded.keep_seconds, expires_at = excluded.expires_at, state = excluded.state
  where excluded.epoch >= mqtt_sessions.epoch`;

/** Writes sessions down, each unless a newer connection of its device has begun. A device must not occur twice. */
export async function saveMqttSessions(database: Queryable, sessions: readonly MqttSession[]): Promise<void> {
  await database.query({
    name: 'save-mqtt-sessions',
    text: SAVE,
    values: [
      sessions.map((session) => session.deviceId),
      sessions.map((session) => session.tenantId),
      sessions.map((session) => session.clientId),
      sessions.map((session) => session.epoch.toString()),
      sessions.map((session) => session.keepSeconds),
      sessions.map((session) => session.connected),
      sessions.map((session) => JSON.stringify(session.state)),
    ],
  });
}

/**
 * Deletes the sessions that have expired and returns how many. Those of a gateway that was killed begin to expire, since
 * nobody was there to say that their devices are gone.
 */
export async function deleteExpiredMqttSessions(database: Queryable): Promise<number> {
  await database.query(
    `update mqtt_sessions m set expires_at = now() + make_interval(secs => keep_seconds)
     where expires_at is null and not exists (select from device_sessions d where d.device_id = m.device_id)`,
  );
  const deleted = await database.query('delete from mqtt_sessions where expires_at <= now()');
  return deleted.rowCount ?? 0;
}
