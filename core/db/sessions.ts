import type { DeviceId, TenantId } from '../fleet/ids.ts';
import type { Queryable } from './pool.ts';

/** A CONNECT that asks to become the session of its device. */
export interface SessionClaim {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly clientId: string;
  readonly connectedAt: Date;
  /** Taken earlier with `reserveEpochs`; absent, the next one is taken now. */
  readonly epoch?: bigint;
}

/** What a gateway holds, or what the table says that it holds. */
export interface HeldSession {
  readonly deviceId: DeviceId;
  readonly epoch: bigint;
}

// Ordered by device, so that two gateways that claim the same devices cannot wait for each other in a circle.
const CLAIM = `
  insert into device_sessions (device_id, tenant_id, gateway_id, epoch, client_id, connected_at)
  select device_id, tenant_id, $1, coalesce(epoch, nextval('session_epochs')), client_id, connected_at
  from (
    select * from unnest($2::int[], $3::int[], $4::bigint[], $5::text[], $6::timestamptz[])
      as claim (device_id, tenant_id, epoch, client_id, connected_at)
    order by device_id
  ) claim
  on conflict (device_id) do update set gateway_id = excluded.gateway_id, epoch = excluded.epoch,
    client_id = excluded.client_id, connected_at = excluded.connected_at
  where excluded.epoch > device_sessions.epoch
  returning device_id, epoch`;

/**
 * Makes each claim the session of its device, in one statement. A device must not occur twice.
 * @returns the epoch of each claim, in the same order; undefined where a newer session has overtaken it
 */
export async function claimSessions(
  database: Queryable,
  gatewayId: string,
  claims: readonly SessionClaim[],
): Promise<(bigint | undefined)[]> {
  const { rows } = await database.query<{ device_id: number; epoch: string }>({
    name: 'claim-sessions',
    text: CLAIM,
    values: [
      gatewayId,
      claims.map((claim) => claim.deviceId),
      claims.map((claim) => claim.tenantId),
      claims.map((claim) => claim.epoch?.toString() ?? null),
      claims.map((claim) => claim.clientId),
      claims.map((claim) => claim.connectedAt),
    ],
  });
  const epochs = new Map(rows.map((row) => [row.device_id, BigInt(row.epoch)]));
  return claims.map((claim) => epochs.get(claim.deviceId));
}

/** Takes epochs for later, for as long as the database does not answer. Ascending. */
export async function reserveEpochs(database: Queryable, count: number): Promise<bigint[]> {
  const { rows } = await database.query<{ epoch: string }>(
    `select nextval('session_epochs') as epoch from generate_series(1, $1)`,
    [count],
  );
  return rows.map((row) => BigInt(row.epoch));
}

/** Forgets sessions that ended. A newer session of the same device stays. */
export async function releaseSessions(database: Queryable, sessions: readonly HeldSession[]): Promise<void> {
  await database.query({
    name: 'release-sessions',
    text: `delete from device_sessions s using unnest($1::int[], $2::bigint[]) as ended (device_id, epoch)
      where s.device_id = ended.device_id and s.epoch = ended.epoch`,
    values: [
      sessions.map((session) => session.deviceId),
      sessions.map((session) => session.epoch.toString()),
    ],
  });
}

/** The present session of each device that has one. */
export async function findSessions(
  database: Queryable,
  deviceIds: readonly DeviceId[],
): Promise<HeldSession[]> {
  const { rows } = await database.query<{ device_id: DeviceId; epoch: string }>(
    'select device_id, epoch from device_sessions where device_id = any($1::int[])',
    [deviceIds],
  );
  return rows.map((row) => ({ deviceId: row.device_id, epoch: BigInt(row.epoch) }));
}

/** What the table says that a gateway holds, sessions younger than `minAgeMs` left out. */
export async function listGatewaySessions(
  database: Queryable,
  gatewayId: string,
  minAgeMs: number,
): Promise<HeldSession[]> {
  const { rows } = await database.query<{ device_id: DeviceId; epoch: string }>(
    `select device_id, epoch from device_sessions
     where gateway_id = $1 and connected_at < now() - make_interval(secs => $2)`,
    [gatewayId, minAgeMs / 1000],
  );
  return rows.map((row) => ({ deviceId: row.device_id, epoch: BigInt(row.epoch) }));
}

/** Says that a gateway lives, for another `leaseMs`. Once it has run out, its sessions count as lost. */
export async function renewGatewayLease(
  database: Queryable,
  gatewayId: string,
  leaseMs: number,
): Promise<void> {
  await database.query(
    `insert into gateways (id, lease_expires_at) values ($1, now() + make_interval(secs => $2))
     on conflict (id) do update set lease_expires_at = excluded.lease_expires_at`,
    [gatewayId, leaseMs / 1000],
  );
}

/** A gateway that stopped in order takes its lease with it, unless it left sessions behind. */
export async function dropGatewayLease(database: Queryable, gatewayId: string): Promise<void> {
  await database.query(
    'delete from gateways g where id = $1 and not exists (select from device_sessions s where s.gateway_id = g.id)',
    [gatewayId],
  );
}
