-- API keys whose secret can be replaced while the one before still works, and the record of who changed what.

set role fleetgraph_owner;

-- ── API keys ─────────────────────────────────────────────────────────────────────────────────────
-- The secret before the last rotation, and until when it is still good.
alter table api_keys
  add column previous_secret_hash bytea,
  add column previous_expires_at timestamptz(3),
  add constraint api_keys_previous check ((previous_secret_hash is null) = (previous_expires_at is null));

drop function find_api_key(text);
create function find_api_key(wanted text)
  returns table (id int, tenant_id int, tenant_slug text, tenant_status tenant_status, secret_hash bytea,
    previous_secret_hash bytea, previous_expires_at timestamptz, name text, role role_name, expires_at timestamptz,
    revoked_at timestamptz)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select k.id, k.tenant_id, t.slug, t.status, k.secret_hash, k.previous_secret_hash, k.previous_expires_at, k.name,
          k.role, k.expires_at, k.revoked_at
        from api_keys k join tenants t on t.id = k.tenant_id where k.prefix = wanted $$;
revoke execute on function find_api_key(text) from public;
grant execute on function find_api_key(text) to fleetgraph_app;

-- ── Audit ────────────────────────────────────────────────────────────────────────────────────────
-- One row a change, written in its transaction. The API may add and read, never alter.
create table audit_entries (
  id bigint generated always as identity primary key,
  tenant_id int not null references tenants,
  at timestamptz(3) not null default now(),
  actor_kind text not null check (actor_kind in ('USER', 'API_KEY')),
  actor_id text not null,
  actor_name text not null,
  action text not null,
  target_type text not null,
  target_id text not null,
  target_label text not null,
  before jsonb,
  after jsonb,
  ip text,
  request_id text not null
);
create index audit_entries_newest on audit_entries (tenant_id, at, id);
create index audit_entries_target on audit_entries (tenant_id, target_type, target_id, at, id);

alter table audit_entries enable row level security;
alter table audit_entries force row level security;
create policy tenant on audit_entries to fleetgraph_app
  using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy owner on audit_entries to fleetgraph_owner using (true) with check (true);

grant select, insert on audit_entries to fleetgraph_app;
grant select on audit_entries to fleetgraph_operator;

reset role;
