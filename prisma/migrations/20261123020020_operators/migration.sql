-- What operators of the platform may do to tenants, the record of it, and how a tenant ends.

set role fleetgraph_owner;

-- ── Tenants that are on their way out ────────────────────────────────────────────────────────────
-- `delete_after`: from then on nothing holds the deletion up. `purge_started_at`: it has begun and cannot be taken back.
-- `status_before`: what a cancelled deletion goes back to.
alter table tenants
  add column delete_after timestamptz(3),
  add column status_before tenant_status,
  add column purge_started_at timestamptz(3),
  add constraint tenants_deleting check ((status = 'DELETING') = (delete_after is not null)
    and (delete_after is null) = (status_before is null) and (purge_started_at is null or delete_after is not null));

-- A slug is never given out twice: tokens, topics and certificates of the tenant that had it may still be about.
create table retired_tenants (
  slug text primary key,
  deleted_at timestamptz(3) not null default now()
);

-- ── The platform's own log ───────────────────────────────────────────────────────────────────────
-- Belongs to no tenant and outlives them all, so it names them by slug. Those who write it may not alter it.
create table platform_audit_entries (
  id bigint generated always as identity primary key,
  at timestamptz(3) not null default now(),
  actor_id text not null,
  actor_name text not null,
  action text not null,
  reason text not null,
  tenants text[] not null,
  fields text[] not null,
  arguments jsonb,
  before jsonb,
  after jsonb,
  ip text,
  request_id text not null
);
create index platform_audit_entries_newest on platform_audit_entries (at, id);

grant select, insert on platform_audit_entries to fleetgraph_operator;
grant insert on platform_audit_entries to fleetgraph_worker;
grant select on retired_tenants to fleetgraph_operator;
grant insert on tenants, audit_entries, outbox to fleetgraph_operator;
grant update (status, delete_after, status_before, updated_at) on tenants to fleetgraph_operator;
grant select, insert, delete on mutation_results to fleetgraph_operator;

-- ── The end of a tenant ──────────────────────────────────────────────────────────────────────────
-- From here on nobody takes it back; false when it is not due, or was cancelled.
create function begin_purge(wanted int) returns boolean
  language plpgsql volatile security definer set search_path = public, pg_temp
  as $$
begin
  update tenants set purge_started_at = coalesce(purge_started_at, now())
    where id = wanted and status = 'DELETING' and delete_after <= now();
  return found;
end
$$;

-- Deletes up to `batch` rows of a tenant whose purge has begun from one table, or one partition, and returns how many.
-- Whoever calls it can delete nothing else, and nothing of a tenant that is not on its way out.
create function purge_tenant_rows(wanted int, part text, batch int) returns int
  language plpgsql volatile security definer set search_path = public, pg_temp
  as $$
declare
  gone int;
  rows_of text := 'select ctid from %1$I where tenant_id = $1 limit $2';
begin
  perform from tenants where id = wanted and purge_started_at is not null;
  if not found then
    raise exception 'the purge of tenant % has not begun', wanted using errcode = 'object_not_in_prerequisite_state';
  end if;
  if not exists (select from pg_class c join pg_attribute a on a.attrelid = c.oid where c.oid = to_regclass(format('public.%I', part))
      and c.relkind = 'r' and a.attname = 'tenant_id' and not a.attisdropped) then
    raise exception 'not a table of tenants: %', part using errcode = 'invalid_parameter_value';
  end if;
  -- Readings are found by device: a partition has no index on the tenant.
  if part ~ '^readings_\d{8}$' then
    rows_of := 'select r.ctid from devices d cross join lateral (select ctid from %1$I where device_id = d.id limit $2) r
      where d.tenant_id = $1 limit $2';
  end if;
  execute format('delete from %1$I where ctid = any (array(' || rows_of || '))', part) using wanted, batch;
  get diagnostics gone = row_count;
  return gone;
end
$$;

-- Ends a tenant that has nothing left and retires its slug. A row that is still there makes it fail: call again later.
create function finish_purge(wanted int) returns boolean
  language plpgsql volatile security definer set search_path = public, pg_temp
  as $$
declare
  ended text;
begin
  delete from tenants where id = wanted and purge_started_at is not null returning slug into ended;
  if ended is null then
    return false;
  end if;
  insert into retired_tenants (slug) values (ended) on conflict do nothing;
  return true;
end
$$;

revoke execute on function begin_purge(int), purge_tenant_rows(int, text, int), finish_purge(int) from public;
grant execute on function begin_purge(int), purge_tenant_rows(int, text, int), finish_purge(int) to fleetgraph_worker;

reset role;
