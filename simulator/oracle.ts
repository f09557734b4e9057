import type { Queryable } from '#core/db/pool.ts';

/** What a device sent and had acknowledged: messages 1 to `sent`, 1 to `acknowledged` (see `Load.accounts`). */
export interface Account {
  readonly tenant: string;
  readonly key: string;
  readonly boot: number;
  readonly sent: number;
  readonly acknowledged: number;
}

export interface Verdict {
  readonly acknowledged: number;
  /** Rows of the messages that were sent. */
  readonly stored: number;
  /** Acknowledged and not stored. */
  readonly lost: number;
  /** Rows beyond the first of the same message. */
  readonly doubled: number;
  /** Rows with a number that was never sent. */
  readonly invented: number;
}

// A message numbered by its device has the id boot * 2^47 + seq.
const JUDGE = `
  with account as (
    select d.id as device_id, w.boot * 140737488355328 as base, w.sent, w.acknowledged
    from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) as w (tenant, key, boot, sent, acknowledged)
    join tenants t on t.slug = w.tenant join devices d on d.tenant_id = t.id and d.key = w.key
  ), found as (
    select a.device_id, count(*) as rows, count(distinct r.msg_id) as messages,
      count(distinct r.msg_id) filter (where r.msg_id - a.base <= a.acknowledged) as acknowledged,
      count(*) filter (where r.msg_id - a.base > a.sent) as invented
    from account a join readings r on r.device_id = a.device_id and r.msg_id > a.base and r.msg_id < a.base + 140737488355328
      and r.ts >= $6
    group by a.device_id
  )
  select coalesce(sum(a.acknowledged), 0)::float8 as acknowledged, coalesce(sum(f.rows), 0)::float8 as stored,
    coalesce(sum(a.acknowledged - coalesce(f.acknowledged, 0)), 0)::float8 as lost,
    coalesce(sum(f.rows - f.messages), 0)::float8 as doubled, coalesce(sum(f.invented), 0)::float8 as invented,
    count(*)::int as devices
  from account a left join found f using (device_id)`;

/**
 * Compares what was acknowledged with what `readings` holds since `since`.
 * @throws Error when one of the devices does not exist
 */
export async function judge(
  database: Queryable,
  accounts: readonly Account[],
  since: Date,
): Promise<Verdict> {
  const { rows } = await database.query<Verdict & { devices: number }>(JUDGE, [
    accounts.map((account) => account.tenant),
    accounts.map((account) => account.key),
    accounts.map((account) => account.boot),
    accounts.map((account) => account.sent),
    accounts.map((account) => account.acknowledged),
    since,
  ]);
  const [row] = rows;
  if (row?.devices !== accounts.length) throw new Error('not every device of the accounts exists');
  const { devices: _, ...verdict } = row;
  return verdict;
}
