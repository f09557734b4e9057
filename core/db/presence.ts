import type { AxesChange } from '../fleet/availability.ts';
import type { CredentialLife, CredentialState } from '../fleet/credential-state.ts';
import { type Connectivity, type Freshness, fadesAt, type PresenceState } from '../fleet/presence.ts';
import type { Queryable } from './pool.ts';

/** A device's presence with what an event about it needs. */
export interface DevicePresence {
  readonly tenantId: number;
  readonly tenant: string;
  readonly deviceId: number;
  readonly device: string;
  readonly siteId: number | null;
  readonly intervalSeconds: number;
  readonly template: { readonly templateId: number; readonly version: number } | undefined;
  /** From when on the metrics that its template requires are expected; null: not known yet. Milliseconds since the epoch. */
  readonly metricsSince: number | null;
  readonly state: PresenceState;
}

/** What is written of a device's presence. */
export interface PresenceToWrite extends DevicePresence {
  /** When its metrics are to be looked at: next, whatever was set before (`settled`), or by then at the latest. Null without `settled`: as it was. */
  readonly metricsDue?: { readonly at: number | null; readonly settled: boolean };
}

interface PresenceRow {
  tenant_id: number;
  tenant: string;
  device_id: number;
  device: string;
  site_id: number | null;
  interval_seconds: number;
  template_id: number | null;
  template_version: number | null;
  missing_metrics: readonly string[];
  metrics_since: Date | null;
  connection: Connectivity;
  epoch: string;
  connection_changed_at: Date | null;
  freshness: Freshness;
  last_seen_at: Date | null;
  credential: CredentialState;
}

const SELECT = `select p.tenant_id, t.slug as tenant, p.device_id, d.key as device, d.site_id,
    d.expected_interval_seconds as interval_seconds, p.connection, p.epoch, p.connection_changed_at, p.freshness, p.last_seen_at, p.credential,
    d.template_id, d.template_version, p.missing_metrics, p.metrics_since
  from device_presence p join devices d on d.id = p.device_id join tenants t on t.id = p.tenant_id`;

const fromRow = (row: PresenceRow): DevicePresence => ({
  tenantId: row.tenant_id,
  tenant: row.tenant,
  deviceId: row.device_id,
  device: row.device,
  siteId: row.site_id,
  intervalSeconds: row.interval_seconds,
  template:
    row.template_id === null || row.template_version === null
      ? undefined
      : { templateId: row.template_id, version: row.template_version },
  metricsSince: row.metrics_since?.getTime() ?? null,
  state: {
    connection: row.connection,
    epoch: BigInt(row.epoch),
    connectionChangedAt: row.connection_changed_at?.getTime() ?? null,
    freshness: row.freshness,
    lastSeenAt: row.last_seen_at?.getTime() ?? null,
    credential: row.credential,
    missingMetrics: row.missing_metrics,
  },
});

/** Locks the presence of these devices until the transaction ends, making the rows that are missing. */
export async function lockPresence(
  db: Queryable,
  devices: readonly { readonly tenantId: number; readonly deviceId: number }[],
): Promise<DevicePresence[]> {
  const known = await lockKnown(
    db,
    devices.map((device) => device.deviceId),
  );
  const found = new Set(known.map((device) => device.deviceId));
  const strangers = devices.filter((device) => !found.has(device.deviceId));
  if (strangers.length === 0) return known;
  const ids = strangers.map((device) => device.deviceId);
  await db.query(
    `insert into device_presence (device_id, tenant_id)
     select d.id, d.tenant_id from unnest($1::int[], $2::int[]) as w (device_id, tenant_id)
     join devices d on d.id = w.device_id and d.tenant_id = w.tenant_id order by d.id
     on conflict do nothing`,
    [ids, strangers.map((device) => device.tenantId)],
  );
  return [...known, ...(await lockKnown(db, ids))];
}

async function lockKnown(db: Queryable, ids: readonly number[]): Promise<DevicePresence[]> {
  const rows = await db.query<PresenceRow>(
    `${SELECT} where p.device_id = any($1::int[]) order by p.device_id for update of p`,
    [ids],
  );
  return rows.rows.map(fromRow);
}

/** Locks up to `limit` devices whose freshness may be another one at `now`: one look into an index, however many devices there are. */
export async function lockFading(db: Queryable, now: Date, limit: number): Promise<DevicePresence[]> {
  const rows = await db.query<PresenceRow>(
    `${SELECT} where p.fades_at < $1 order by p.device_id limit $2 for update of p skip locked`,
    [now, limit],
  );
  return rows.rows.map(fromRow);
}

/** Locks up to `limit` devices whose credential may be another one at `now`. */
export async function lockCredentialDue(db: Queryable, now: Date, limit: number): Promise<DevicePresence[]> {
  const rows = await db.query<PresenceRow>(
    `${SELECT} where p.credential_until <= $1 order by p.device_id limit $2 for update of p skip locked`,
    [now, limit],
  );
  return rows.rows.map(fromRow);
}

/** Locks up to `limit` devices whose required metrics are due to be looked at. */
export async function lockMetricsDue(db: Queryable, now: Date, limit: number): Promise<DevicePresence[]> {
  const rows = await db.query<PresenceRow>(
    `${SELECT} where p.metrics_due_at < $1 order by p.device_id limit $2 for update of p skip locked`,
    [now, limit],
  );
  return rows.rows.map(fromRow);
}

/** Begins the presence of up to `limit` devices that have a credential and were never heard of; returns how many. */
export async function beginPresence(db: Queryable, limit: number): Promise<number> {
  const begun = await db.query(
    `insert into device_presence (device_id, tenant_id)
     select distinct c.device_id, c.tenant_id from device_credentials c
     where not exists (select from device_presence p where p.device_id = c.device_id)
     order by c.device_id limit $1 on conflict do nothing`,
    [limit],
  );
  return begun.rowCount ?? 0;
}

/** Everything each of these devices could ever authenticate with; a device without has no entry. */
export async function findCredentialLives(
  db: Queryable,
  deviceIds: readonly number[],
): Promise<Map<number, CredentialLife[]>> {
  const found = await db.query<{ device_id: number; expires_at: Date | null; revoked: boolean }>(
    `select device_id, least(expires_at, retires_at) as expires_at, revoked_at is not null as revoked from device_credentials
     where device_id = any($1::int[])`,
    [deviceIds],
  );
  const lives = new Map<number, CredentialLife[]>();
  for (const { device_id, expires_at, revoked } of found.rows) {
    const life = { expiresAt: expires_at?.getTime() ?? null, revoked };
    const known = lives.get(device_id);
    if (known) known.push(life);
    else lives.set(device_id, [life]);
  }
  return lives;
}

/** Writes connection, freshness and missing metrics of devices that are locked. */
export async function writePresence(db: Queryable, devices: readonly PresenceToWrite[]): Promise<void> {
  if (devices.length === 0) return;
  await db.query(
    `update device_presence p set connection = w.connection, epoch = w.epoch, connection_changed_at = w.changed_at,
       freshness = w.freshness, last_seen_at = w.seen_at, fades_at = w.fades_at,
       missing_metrics = string_to_array(w.missing, ','), metrics_since = w.since,
       metrics_due_at = case when w.settled then w.due else least(p.metrics_due_at, w.due) end
     from unnest($1::int[], $2::connectivity[], $3::bigint[], $4::timestamptz[], $5::freshness[], $6::timestamptz[], $7::timestamptz[],
         $8::text[], $9::timestamptz[], $10::timestamptz[], $11::boolean[])
       as w (device_id, connection, epoch, changed_at, freshness, seen_at, fades_at, missing, since, due, settled)
     where p.device_id = w.device_id`,
    [
      devices.map((device) => device.deviceId),
      devices.map((device) => device.state.connection),
      devices.map((device) => device.state.epoch.toString()),
      devices.map((device) => dateOf(device.state.connectionChangedAt)),
      devices.map((device) => device.state.freshness),
      devices.map((device) => dateOf(device.state.lastSeenAt)),
      devices.map((device) => dateOf(fadesAt(device.state, device.intervalSeconds))),
      devices.map((device) => device.state.missingMetrics.join()),
      devices.map((device) => dateOf(device.metricsSince)),
      devices.map((device) => dateOf(device.metricsDue?.at ?? null)),
      devices.map((device) => device.metricsDue?.settled ?? false),
    ],
  );
}

/** Writes the credential state of devices that are locked, and when it will be another one. */
export async function writeCredentialStates(
  db: Queryable,
  devices: readonly { readonly presence: DevicePresence; readonly until: number | null }[],
): Promise<void> {
  if (devices.length === 0) return;
  await db.query(
    `update device_presence p set credential = w.credential, credential_until = w.until
     from unnest($1::int[], $2::text[], $3::timestamptz[]) as w (device_id, credential, until)
     where p.device_id = w.device_id`,
    [
      devices.map(({ presence }) => presence.deviceId),
      devices.map(({ presence }) => presence.state.credential),
      devices.map(({ until }) => dateOf(until)),
    ],
  );
}

/** Adds to the history of presence. */
export async function insertPresenceChanges(
  db: Queryable,
  changes: readonly (AxesChange & { readonly tenantId: number; readonly deviceId: number })[],
): Promise<void> {
  if (changes.length === 0) return;
  await db.query(
    `insert into presence_changes (tenant_id, device_id, at, connection, freshness, credential, connection_before,
       freshness_before, credential_before)
     select * from unnest($1::int[], $2::int[], $3::timestamptz[], $4::connectivity[], $5::freshness[], $6::text[],
       $7::connectivity[], $8::freshness[], $9::text[])`,
    [
      changes.map((change) => change.tenantId),
      changes.map((change) => change.deviceId),
      changes.map((change) => new Date(change.at)),
      changes.map((change) => change.after.connection),
      changes.map((change) => change.after.freshness),
      changes.map((change) => change.after.credential),
      changes.map((change) => change.before.connection),
      changes.map((change) => change.before.freshness),
      changes.map((change) => change.before.credential),
    ],
  );
}

/** Takes away the sessions of gateways that have not renewed their lease, and says which those were. */
export async function takeLostSessions(
  db: Queryable,
): Promise<{ tenantId: number; deviceId: number; epoch: bigint }[]> {
  const rows = await db.query<{ tenant_id: number; device_id: number; epoch: string }>(
    `delete from device_sessions s
     where not exists (select from gateways g where g.id = s.gateway_id and g.lease_expires_at > now())
     returning s.tenant_id, s.device_id, s.epoch`,
  );
  return rows.rows.map((row) => ({
    tenantId: row.tenant_id,
    deviceId: row.device_id,
    epoch: BigInt(row.epoch),
  }));
}

/** Sessions, older than `minAgeMs`, of which presence has not heard: their event was lost with the window of the stream. */
export async function findUnheardSessions(
  db: Queryable,
  minAgeMs: number,
  limit: number,
): Promise<{ tenantId: number; deviceId: number; epoch: bigint; connectedAt: number }[]> {
  const rows = await db.query<{ tenant_id: number; device_id: number; epoch: string; connected_at: Date }>(
    `select s.tenant_id, s.device_id, s.epoch, s.connected_at
     from device_sessions s left join device_presence p using (device_id)
     where s.connected_at < now() - $1 * interval '1 millisecond' and coalesce(p.epoch, 0) < s.epoch limit $2`,
    [minAgeMs, limit],
  );
  return rows.rows.map((row) => ({
    tenantId: row.tenant_id,
    deviceId: row.device_id,
    epoch: BigInt(row.epoch),
    connectedAt: row.connected_at.getTime(),
  }));
}

const dateOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));
