import type { TenantId } from '../fleet/ids.ts';
import type { Queryable } from './pool.ts';

/** A tenant whose time is up. */
export interface DueTenant {
  readonly id: TenantId;
  readonly slug: string;
}

/** Tenants whose deletion is due or has begun, the one that has waited longest first. */
export async function listDueTenants(db: Queryable): Promise<DueTenant[]> {
  const { rows } = await db.query<DueTenant>(
    `select id, slug from tenants where status = 'DELETING' and delete_after <= now() order by delete_after, id`,
  );
  return rows;
}

/** From here on nobody calls the deletion off. False when somebody did before. */
export async function beginPurge(db: Queryable, tenantId: TenantId): Promise<boolean> {
  const { rows } = await db.query<{ begun: boolean }>('select begin_purge($1) as begun', [tenantId]);
  return rows[0]?.begun === true;
}

/**
 * Every table and partition that holds rows of tenants, whoever made it: those that refer to others before those they
 * refer to, so that each can be emptied in turn.
 */
export async function listTenantTables(db: Queryable): Promise<string[]> {
  const { rows: tables } = await db.query<{ name: string; root: string }>(
    `select c.relname as name, coalesce(parent.relname, c.relname) as root
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
     left join pg_inherits i on i.inhrelid = c.oid left join pg_class parent on parent.oid = i.inhparent
     where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by c.relname`,
  );
  const { rows: references } = await db.query<{ from: string; to: string }>(
    `select f.relname as from, t.relname as to from pg_constraint k
     join pg_class f on f.oid = k.conrelid join pg_class t on t.oid = k.confrelid
     where k.contype = 'f' and k.conparentid = 0 and f.relnamespace = 'public'::regnamespace and f.oid <> t.oid`,
  );
  const roots = inOrder([...new Set(tables.map(({ root }) => root))], references);
  return roots.flatMap((root) => tables.filter((table) => table.root === root).map(({ name }) => name));
}

/** Puts whoever refers before whom it refers to. Tables that refer to each other in a circle keep their order. */
function inOrder(
  names: readonly string[],
  references: readonly { readonly from: string; readonly to: string }[],
): string[] {
  const ordered: string[] = [];
  let left = [...names];
  while (left.length > 0) {
    const free = left.filter(
      (name) => !references.some(({ from, to }) => to === name && left.includes(from)),
    );
    const next = free.length > 0 ? free : left;
    ordered.push(...next);
    left = left.filter((name) => !next.includes(name));
  }
  return ordered;
}

/** Deletes up to `limit` rows of the tenant from one of those tables; returns how many. */
export async function purgeRows(
  db: Queryable,
  tenantId: TenantId,
  table: string,
  limit: number,
): Promise<number> {
  const { rows } = await db.query<{ gone: number }>('select purge_tenant_rows($1, $2, $3) as gone', [
    tenantId,
    table,
    limit,
  ]);
  return rows[0]?.gone ?? 0;
}

/** Ends the tenant, which has nothing left, and writes that into the platform's log. Throws while a row refers to it still. */
export async function finishPurge(
  db: Queryable,
  tenant: DueTenant,
  by: string,
  deleted: Readonly<Record<string, number>>,
): Promise<void> {
  const { rows } = await db.query<{ ended: boolean }>('select finish_purge($1) as ended', [tenant.id]);
  if (rows[0]?.ended !== true) return;
  await db.query(
    `insert into platform_audit_entries (actor_id, actor_name, action, reason, tenants, fields, before, after, request_id)
     values ($1, 'The clock', 'tenantPurge', 'the delay of its deletion is over', array[$2], '{}', $3, null, $1)`,
    [by, tenant.slug, JSON.stringify({ deleted })],
  );
}
