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

/**
 * Deletes up to `limit` readings that are older than their own tenant keeps them; returns how many. Whatever expires is counted
 * out of the sums in the same statement, so that a row that is missing for another reason stands out.
 */
export async function deleteExpiredReadings(db: Queryable, limit: number): Promise<number> {
  return countedOut(
    db,
    'expired_readings',
    `delete from readings r using (
       select x.device_id, x.ts, x.msg_id from tenants t
       join devices d on d.tenant_id = t.id
       cross join lateral (
         select device_id, ts, msg_id from readings
         where device_id = d.id and ts < now() - (t.retention_days + 1) * interval '1 day' limit $1) x
       limit $1) old
     where r.device_id = old.device_id and r.ts = old.ts and r.msg_id = old.msg_id
     returning r.tenant_id, r.stored_at`,
    limit,
  );
}

/** Deletes what quarantine has kept longer than its tenant keeps readings; returns how many rows. */
export async function deleteExpiredQuarantine(db: Queryable): Promise<number> {
  return countedOut(
    db,
    'expired_quarantined',
    `delete from quarantine q using tenants t
     where t.id = q.tenant_id and q.stored_at < now() - (t.retention_days + 1) * interval '1 day'
     returning q.tenant_id, q.stored_at`,
  );
}

/** Deletes presence changes that are older than their tenant keeps readings; returns how many. */
export async function deleteExpiredPresenceChanges(db: Queryable): Promise<number> {
  const deleted = await db.query(
    `delete from presence_changes c using tenants t
     where t.id = c.tenant_id and c.at < now() - (t.retention_days + 1) * interval '1 day'`,
  );
  return deleted.rowCount ?? 0;
}

/** Deletes gaps made known longer ago than their tenant keeps readings; returns how many. */
export async function deleteExpiredSequenceGaps(db: Queryable): Promise<number> {
  const deleted = await db.query(
    `delete from sequence_gaps g using tenants t
     where t.id = g.tenant_id and g.opened_at < now() - (t.retention_days + 1) * interval '1 day'`,
  );
  return deleted.rowCount ?? 0;
}

/** Deletes dead letters older than this many days; returns how many. */
export async function deleteExpiredDeadLetters(db: Queryable, days: number): Promise<number> {
  return countedOut(
    db,
    'expired_dead_letters',
    `delete from dead_letters where created_at < now() - $1 * interval '1 day'
     returning case when item_index >= 0 then coalesce(tenant_id, 0) end as tenant_id, created_at as stored_at`,
    days,
  );
}

/**
 * Runs a deletion that returns tenant and time of storing, and adds what is gone to the day it was stored in.
 * @returns how many rows
 */
async function countedOut(
  db: Queryable,
  column: 'expired_readings' | 'expired_quarantined' | 'expired_dead_letters',
  deletion: string,
  ...values: readonly number[]
): Promise<number> {
  const { rows } = await db.query<{ gone: number }>(
    `with gone as (${deletion}), counted as (
       insert into ingest_days as d (tenant_id, day, ${column})
       select tenant_id, (stored_at at time zone 'UTC')::date, count(*) from gone where tenant_id is not null group by 1, 2
       on conflict (tenant_id, day) do update set ${column} = d.${column} + excluded.${column}
     )
     select count(*)::int as gone from gone`,
    [...values],
  );
  return rows[0]?.gone ?? 0;
}

/** Deletes finished quarantine jobs older than this many days; returns how many. */
export async function deleteOldQuarantineJobs(db: Queryable, days: number): Promise<number> {
  const deleted = await db.query(
    `delete from quarantine_jobs where finished_at < now() - $1 * interval '1 day'`,
    [days],
  );
  return deleted.rowCount ?? 0;
}

/** Deletes jobs over many devices that ended more than so many days ago, unless a command of theirs is still kept. */
export async function deleteOldFleetJobs(db: Queryable, days: number): Promise<number> {
  const deleted = await db.query(
    `delete from fleet_jobs j where finished_at < now() - $1 * interval '1 day'
       and not exists (select from device_commands c where c.tenant_id = j.tenant_id and c.job_id = j.id)`,
    [days],
  );
  return deleted.rowCount ?? 0;
}

/** Forgets the repeats of frames that nobody remembers any more; returns how many. */
export async function deleteOldRepeats(db: Queryable, days: number): Promise<number> {
  const deleted = await db.query(
    `delete from ingest_repeats where streamed_at < now() - ($1 + 1) * interval '1 day'`,
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

/** Claim codes that ended more than 90 days ago: what came of a claim is in the audit log. */
export async function deleteOldClaimCodes(db: Queryable): Promise<void> {
  await db.query("delete from claim_codes where expires_at < now() - interval '90 days'");
}

/** Forgets the sessions of people and programs whose tokens ended more than a day ago. */
export async function deleteEndedSignIns(db: Queryable): Promise<number> {
  const deleted = await db.query(`delete from sign_ins where good_until < now() - interval '1 day'`);
  return deleted.rowCount ?? 0;
}
