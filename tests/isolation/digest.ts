import type { Pool } from 'pg';

/** A text that changes when anything changes that a tenant owns, in whatever table; times of last use are left out. */
export async function digestOf(admin: Pool, tenantId: number): Promise<Readonly<Record<string, string>>> {
  const { rows: tables } = await admin.query<{ name: string; owner: string }>(
    `select c.oid::regclass::text as name, case c.relname when 'tenants' then 'id' else 'tenant_id' end as owner
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
       and (c.relname = 'tenants' or exists (
         select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))
     order by 1`,
  );
  const digests: Record<string, string> = {};
  for (const { name, owner } of tables) {
    const { rows } = await admin.query<{ digest: string }>(
      `select count(*) || ' ' || coalesce(md5(string_agg(text, '|' order by text)), '') as digest
       from (select (to_jsonb(t) - 'last_used_at' - 'last_seen_at')::text as text from ${name} t where ${owner} = $1) rows`,
      [tenantId],
    );
    digests[name] = rows[0]?.digest ?? '';
  }
  return digests;
}
