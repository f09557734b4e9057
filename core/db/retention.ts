import type { Queryable } from './pool.ts';

/** The longest any tenant keeps readings, in days; undefined without tenants. */
export async function longestRetentionDays(db: Queryable): Promise<number | undefined> {
  const rows = await db.query<{ days: number | null }>('select max(retention_days) as days from tenants');
  return rows.rows[0]?.days ?? undefined;
}

/** Drops the partitions that ended before a UTC day (`YYYY-MM-DD`) and returns their names. */
export async function dropPartitions(
  db: Queryable,
  parent: 'readings' | 'ingest_frames',
  before: string,
): Promise<string[]> {
  const rows = await db.query<{ drop_partitions: string }>('select drop_partitions($1, $2::date)', [
    parent,
    before,
  ]);
  return rows.rows.map((row) => row.drop_partitions);
}

/** Deletes up to `limit` readings that are older than their own tenant keeps them; returns how many. */
export async function deleteExpiredReadings(db: Queryable, limit: number): Promise<number> {
  const deleted = await db.query(
    `delete from readings r using (
       select x.device_id, x.ts, x.msg_id from tenants t
       join devices d on d.tenant_id = t.id
       cross join lateral (
         select device_id, ts, msg_id from readings
         where device_id = d.id and ts < now() - (t.retention_days + 1) * interval '1 day' limit $1) x
       limit $1) old
     where r.device_id = old.device_id and r.ts = old.ts and r.msg_id = old.msg_id`,
    [limit],
  );
  return deleted.rowCount ?? 0;
}

/** Deletes what quarantine has kept longer than its tenant keeps readings; returns how many rows. */
export async function deleteExpiredQuarantine(db: Queryable): Promise<number> {
  const deleted = await db.query(
    `delete from quarantine q using tenants t
     where t.id = q.tenant_id and q.stored_at < now() - (t.retention_days + 1) * interval '1 day'`,
  );
  return deleted.rowCount ?? 0;
}

/** Deletes dead letters older than this many days; returns how many. */
export async function deleteExpiredDeadLetters(db: Queryable, days: number): Promise<number> {
  const deleted = await db.query(
    `delete from dead_letters where created_at < now() - $1 * interval '1 day'`,
    [days],
  );
  return deleted.rowCount ?? 0;
}

/** Forgets gateways that are gone for a day and hold no session. */
export async function deleteGoneGateways(db: Queryable): Promise<number> {
  const deleted = await db.query(
    `delete from gateways g where g.lease_expires_at < now() - interval '1 day'
       and not exists (select from device_sessions s where s.gateway_id = g.id)`,
  );
  return deleted.rowCount ?? 0;
}

/** Forgets the answers to mutations whose idempotency key is older than a day. */
export async function deleteExpiredMutationResults(db: Queryable): Promise<number> {
  const deleted = await db.query(
    `delete from mutation_results where created_at < now() - interval '24 hours'`,
  );
  return deleted.rowCount ?? 0;
}

/** Forgets the idempotency keys of messages that are older than a day. */
export async function deleteExpiredIngestKeys(db: Queryable): Promise<number> {
  const deleted = await db.query(`delete from ingest_keys where received_at < now() - interval '24 hours'`);
  return deleted.rowCount ?? 0;
}
