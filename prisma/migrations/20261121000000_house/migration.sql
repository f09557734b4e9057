-- The house: roles, tenancy, devices, telemetry, and what the workers keep for themselves.
-- Every tenant table carries tenant_id under FORCED row-level security; every time-series table is
-- range-partitioned by day and reached by the API only through a security-barrier view.

-- ── Roles ────────────────────────────────────────────────────────────────────────────────────────
-- Roles belong to the server, not to one database: another database may have made them already.
do $$
begin
  perform pg_advisory_xact_lock(72707370);
  if not exists (select from pg_roles where rolname = 'fleetgraph_owner') then
    create role fleetgraph_owner nologin nosuperuser nobypassrls;
  end if;
  if not exists (select from pg_roles where rolname = 'fleetgraph_app') then
    create role fleetgraph_app nologin nosuperuser nobypassrls;
  end if;
  if not exists (select from pg_roles where rolname = 'fleetgraph_worker') then
    create role fleetgraph_worker nologin nosuperuser bypassrls;
  end if;
  if not exists (select from pg_roles where rolname = 'fleetgraph_operator') then
    create role fleetgraph_operator nologin nosuperuser bypassrls;
  end if;
  if not pg_has_role(current_user, 'fleetgraph_owner', 'set') then
    execute format('grant fleetgraph_owner to %I', current_user);
  end if;
end
$$;

grant create, usage on schema public to fleetgraph_owner;
grant usage on schema public to fleetgraph_app, fleetgraph_worker, fleetgraph_operator;
create extension if not exists pg_trgm;

set role fleetgraph_owner;

-- The tenant of the running transaction; null (no tenant, hence no rows) when none was set.
create function current_tenant() returns int
  language sql stable parallel safe
  as $$ select nullif(current_setting('app.tenant_id', true), '')::int $$;

-- ── Tenancy ──────────────────────────────────────────────────────────────────────────────────────
create type tenant_status as enum ('ACTIVE', 'SUSPENDED');
create type role_name as enum ('VIEWER', 'OPERATOR', 'ENGINEER', 'ADMIN');

create table tenants (
  id int generated always as identity primary key,
  slug text not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text not null,
  status tenant_status not null default 'ACTIVE',
  retention_days int not null default 400 check (retention_days between 1 and 3660),
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now()
);

create table api_keys (
  id int generated always as identity primary key,
  tenant_id int not null references tenants,
  prefix text not null unique,
  secret_hash bytea not null,
  name text not null,
  role role_name not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3),
  last_used_at timestamptz(3),
  revoked_at timestamptz(3)
);
create index api_keys_tenant on api_keys (tenant_id);

-- ── Sites and devices ────────────────────────────────────────────────────────────────────────────
create type device_status as enum ('ACTIVE', 'DISABLED', 'DECOMMISSIONED');
create type credential_kind as enum ('TOKEN', 'CERTIFICATE');
create type connectivity as enum ('ONLINE', 'OFFLINE', 'UNKNOWN');
create type freshness as enum ('FRESH', 'STALE', 'SILENT');

create table sites (
  id int generated always as identity primary key,
  tenant_id int not null references tenants,
  key text not null,
  name text not null,
  timezone text not null default 'UTC',
  latitude double precision check (latitude between -90 and 90),
  longitude double precision check (longitude between -180 and 180),
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  unique (tenant_id, key),
  unique (tenant_id, id)
);

create table devices (
  id int generated always as identity primary key,
  tenant_id int not null references tenants,
  key text not null check (key ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$'),
  name text not null,
  site_id int,
  status device_status not null default 'ACTIVE',
  tags text[] not null default '{}',
  attributes jsonb not null default '{}',
  latitude double precision check (latitude between -90 and 90),
  longitude double precision check (longitude between -180 and 180),
  serial_number text,
  model text,
  firmware text,
  expected_interval_seconds int not null default 60 check (expected_interval_seconds between 1 and 604800),
  version int not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  decommissioned_at timestamptz(3),
  unique (tenant_id, key),
  unique (tenant_id, id),
  foreign key (tenant_id, site_id) references sites (tenant_id, id)
);
create index devices_name on devices (tenant_id, name, id);
create index devices_created on devices (tenant_id, created_at, id);
create index devices_site on devices (tenant_id, site_id);
create index devices_tags on devices using gin (tags);
create index devices_search on devices using gin ((key || ' ' || name || ' ' || coalesce(serial_number, '')) gin_trgm_ops);

create table device_credentials (
  id int generated always as identity primary key,
  tenant_id int not null references tenants,
  device_id int not null,
  kind credential_kind not null,
  secret_hash bytea not null,
  hint text not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3),
  last_used_at timestamptz(3),
  revoked_at timestamptz(3),
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
);
create index device_credentials_device on device_credentials (tenant_id, device_id);

-- ── Presence ─────────────────────────────────────────────────────────────────────────────────────
-- One number a CONNECT, across all gateways: a higher epoch is a newer session.
create sequence session_epochs as bigint;

create table gateways (
  id text primary key,
  lease_expires_at timestamptz(3) not null
);

create table device_sessions (
  device_id int primary key,
  tenant_id int not null references tenants,
  gateway_id text not null,
  epoch bigint not null,
  client_id text not null,
  connected_at timestamptz(3) not null,
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
) with (fillfactor = 80);
create index device_sessions_gateway on device_sessions (gateway_id);

create table device_presence (
  device_id int primary key,
  tenant_id int not null references tenants,
  connection connectivity not null default 'UNKNOWN',
  epoch bigint not null default 0,
  connection_changed_at timestamptz(3),
  freshness freshness not null default 'SILENT',
  last_seen_at timestamptz(3),
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
) with (fillfactor = 70);
create index device_presence_seen on device_presence (tenant_id, last_seen_at, device_id);
create index device_presence_fresh on device_presence (last_seen_at) where freshness <> 'SILENT';

-- ── Telemetry ────────────────────────────────────────────────────────────────────────────────────
create table readings (
  tenant_id int not null,
  device_id int not null,
  ts timestamptz(3) not null,
  msg_id bigint not null,
  received_at timestamptz(3) not null,
  stored_at timestamptz(3) not null default clock_timestamp(),
  latitude double precision,
  longitude double precision,
  dup_possible boolean not null default false,
  metrics jsonb not null,
  primary key (device_id, ts, msg_id)
) partition by range (ts);
create index readings_stored on readings using brin (stored_at) with (pages_per_range = 32);

-- One row a device: {"metric": [value, ts in epoch ms, message id as text, received at in epoch ms]}.
create table device_latest (
  device_id int primary key,
  tenant_id int not null references tenants,
  newest_ts timestamptz(3) not null,
  metrics jsonb not null,
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
) with (fillfactor = 60);

create table quarantine (
  id bigint generated always as identity,
  tenant_id int not null references tenants,
  device_id int,
  device_key text not null,
  reason text not null,
  detail text not null,
  kind text not null,
  payload bytea not null,
  payload_bytes int not null,
  received_at timestamptz(3) not null,
  batch_id uuid not null,
  item_index int not null,
  part int not null,
  stored_at timestamptz(3) not null default now(),
  primary key (id),
  unique (batch_id, item_index, part)
);
create index quarantine_tenant on quarantine (tenant_id, id desc);

-- ── What the workers keep for themselves ─────────────────────────────────────────────────────────
-- One row a telemetry frame: the proof of what became of it, written in the transaction that stored it.
create table ingest_frames (
  framed_at timestamptz(3) not null,
  batch_id uuid not null,
  stream_sequence bigint not null,
  shard int not null,
  items int not null,
  counts jsonb not null,
  fresh bytea not null,
  stored_at timestamptz(3) not null default now(),
  published_at timestamptz(3),
  primary key (framed_at, batch_id)
) partition by range (framed_at);

create table dead_letters (
  id bigint generated always as identity primary key,
  tenant_id int references tenants,
  stream text not null,
  stream_sequence bigint not null,
  item_index int not null,
  payload bytea not null,
  reason text not null,
  created_at timestamptz(3) not null default now(),
  unique (stream, stream_sequence, item_index, reason)
);

create table outbox (
  id bigint generated always as identity primary key,
  tenant_id int not null references tenants,
  shard int not null,
  subject text not null,
  payload bytea not null,
  created_at timestamptz(3) not null default now()
);
create index outbox_shard on outbox (shard, id);

create table leases (
  name text primary key,
  holder text not null,
  fence bigint not null default 1,
  expires_at timestamptz(3) not null
);

create table follower_cursors (
  follower text not null,
  shard int not null,
  stream_created_at timestamptz(3) not null,
  sequence bigint not null,
  updated_at timestamptz(3) not null default now(),
  primary key (follower, shard)
);

-- The first answer to a mutation that carried an idempotency key.
create table mutation_results (
  tenant_id int not null references tenants,
  credential text not null,
  client_mutation_id text not null,
  fingerprint bytea not null,
  result jsonb not null,
  created_at timestamptz(3) not null default now(),
  primary key (tenant_id, credential, client_mutation_id)
);

-- ── Row-level security ───────────────────────────────────────────────────────────────────────────
do $$
declare
  name text;
  tenant_column text;
begin
  foreach name in array array['tenants', 'api_keys', 'sites', 'devices', 'device_credentials', 'device_sessions',
    'device_presence', 'readings', 'device_latest', 'quarantine', 'dead_letters', 'outbox', 'mutation_results']
  loop
    tenant_column := case name when 'tenants' then 'id' else 'tenant_id' end;
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy tenant on %I to fleetgraph_app using (%I = current_tenant()) with check (%I = current_tenant())',
      name, tenant_column, tenant_column);
    execute format('create policy owner on %I to fleetgraph_owner using (true) with check (true)', name);
  end loop;
end
$$;

create view tenant_readings with (security_barrier) as
  select device_id, ts, msg_id, received_at, stored_at, latitude, longitude, dup_possible, metrics
  from readings where tenant_id = current_tenant();

-- Before a tenant is known there is only the key that names it. Reveals nothing without the prefix.
create function find_api_key(wanted text)
  returns table (id int, tenant_id int, tenant_slug text, tenant_status tenant_status, secret_hash bytea, name text,
    role role_name, expires_at timestamptz, revoked_at timestamptz)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select k.id, k.tenant_id, t.slug, t.status, k.secret_hash, k.name, k.role, k.expires_at, k.revoked_at
        from api_keys k join tenants t on t.id = k.tenant_id where k.prefix = wanted $$;

create function find_tenant(wanted text)
  returns table (id int, slug text, name text, status tenant_status, retention_days int)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select t.id, t.slug, t.name, t.status, t.retention_days from tenants t where t.slug = wanted $$;

-- ── Partitions ───────────────────────────────────────────────────────────────────────────────────
-- Makes the partition of one UTC day. Built apart and attached, so that writers are not held up.
create function ensure_partition(parent text, day date) returns boolean
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  part text := parent || '_' || to_char(day, 'YYYYMMDD');
begin
  if parent not in ('readings', 'ingest_frames') then
    raise exception 'not a partitioned table of ours: %', parent using errcode = 'invalid_parameter_value';
  end if;
  if to_regclass(part) is not null then
    return false;
  end if;
  perform pg_advisory_xact_lock(72707371);
  if to_regclass(part) is not null then
    return false;
  end if;
  execute format('create table %I (like %I including defaults)', part, parent);
  execute format('alter table %I set (autovacuum_vacuum_insert_scale_factor = 0.2)', part);
  execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, part,
    day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
  return true;
end
$$;

-- Drops every partition that ends on or before the given day; returns the names.
create function drop_partitions(parent text, before date) returns setof text
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  part text;
begin
  if parent not in ('readings', 'ingest_frames') then
    raise exception 'not a partitioned table of ours: %', parent using errcode = 'invalid_parameter_value';
  end if;
  for part in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = parent::regclass and c.relname ~ ('^' || parent || '_\d{8}$')
      and to_date(right(c.relname, 8), 'YYYYMMDD') < before
  loop
    execute format('drop table %I', part);
    return next part;
  end loop;
end
$$;

-- The newer value per metric wins, by (ts, message id): the order of arrival does not matter.
create function merge_latest(stored jsonb, incoming jsonb) returns jsonb
  language sql immutable parallel safe
  as $$
    select coalesce(jsonb_object_agg(key, case
        when s.value is null then i.value
        when i.value is null then s.value
        when ((i.value ->> 1)::numeric, (i.value ->> 2)::numeric) > ((s.value ->> 1)::numeric, (s.value ->> 2)::numeric) then i.value
        else s.value end), '{}'::jsonb)
    from jsonb_each(stored) s full join jsonb_each(incoming) i using (key) $$;

-- ── Grants ───────────────────────────────────────────────────────────────────────────────────────
revoke execute on all functions in schema public from public;
grant execute on function current_tenant() to fleetgraph_app, fleetgraph_worker, fleetgraph_operator;
grant execute on function find_api_key(text), find_tenant(text) to fleetgraph_app;
grant execute on function ensure_partition(text, date), drop_partitions(text, date), merge_latest(jsonb, jsonb) to fleetgraph_worker;

grant select on tenants, device_presence, device_latest, device_sessions, quarantine, tenant_readings to fleetgraph_app;
grant select, insert, update on api_keys, sites, devices, device_credentials to fleetgraph_app;
grant insert on outbox to fleetgraph_app;
-- Where the follower of device_latest is: what makes a live snapshot exact. Holds no tenant's data.
grant select on follower_cursors to fleetgraph_app;
grant select, insert, delete on mutation_results to fleetgraph_app;

grant select on tenants, sites, devices to fleetgraph_worker;
grant select, update on device_credentials to fleetgraph_worker;
grant usage on sequence session_epochs to fleetgraph_worker;
grant select, insert, delete on readings, quarantine, dead_letters to fleetgraph_worker;
grant select, insert, update on ingest_frames, device_latest, device_presence, follower_cursors to fleetgraph_worker;
grant select, insert, update, delete on device_sessions, gateways, leases, outbox, mutation_results to fleetgraph_worker;

-- Every table that is ours; the record of migrations belongs to whoever migrates.
do $$
declare
  name text;
begin
  for name in select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace
    and c.relkind in ('r', 'p', 'v') and c.relowner = 'fleetgraph_owner'::regrole
  loop
    execute format('grant select on %I to fleetgraph_operator', name);
  end loop;
end
$$;

reset role;
