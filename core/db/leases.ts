import type { Queryable } from './pool.ts';

/**
 * Takes or renews named leases for `holder` and returns those it holds now. Rows, not session locks: a transaction
 * pooler may sit between us and the server. A lease is free once it has expired.
 */
export async function takeLeases(
  db: Queryable,
  holder: string,
  names: readonly string[],
  ttlMs: number,
): Promise<string[]> {
  const taken = await db.query<{ name: string }>(
    `insert into leases as l (name, holder, expires_at)
     select name, $1, now() + $3 * interval '1 millisecond' from unnest($2::text[]) name order by name
     on conflict (name) do update set holder = excluded.holder, expires_at = excluded.expires_at,
       fence = case when l.holder = excluded.holder then l.fence else l.fence + 1 end
     where l.holder = excluded.holder or l.expires_at < now()
     returning name`,
    [holder, [...names], ttlMs],
  );
  return taken.rows.map((row) => row.name);
}

/** Gives leases back, so that another may take them at once. */
export async function releaseLeases(db: Queryable, holder: string): Promise<void> {
  await db.query('delete from leases where holder = $1', [holder]);
}
