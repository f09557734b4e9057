-- Claim codes: what a device, or whoever installs it, exchanges once for a credential. Only a hash of a code is kept.

set role fleetgraph_owner;

-- For the device `device_id`; else for the one that will be called `device_key`; else for a new one that names itself.
-- Once claimed, `device_id` is the device whatever it was before, and `credential_id` what it got.
create table claim_codes (
  id int generated always as identity primary key,
  tenant_id int not null references tenants,
  code_hash bytea not null unique check (octet_length(code_hash) = 32),
  hint text not null,
  device_id int,
  device_key text check (device_key ~ '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$'),
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  claimed_at timestamptz(3),
  credential_id int references device_credentials,
  revoked_at timestamptz(3),
  foreign key (tenant_id, device_id) references devices (tenant_id, id),
  check (claimed_at is null or revoked_at is null),
  check (claimed_at is null or (device_id is not null and credential_id is not null))
);
create index claim_codes_tenant on claim_codes (tenant_id, id);
create index claim_codes_device on claim_codes (tenant_id, device_id, id);
create index claim_codes_expiry on claim_codes (expires_at);
alter table claim_codes enable row level security;
alter table claim_codes force row level security;
create policy tenant on claim_codes to fleetgraph_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy owner on claim_codes to fleetgraph_owner using (true) with check (true);

-- Whose code it is, before a tenant is known. Reveals nothing to whoever does not have the code.
create function find_claim_code(wanted bytea)
  returns table (id int, tenant_id int, tenant_slug text, tenant_active boolean)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select c.id, t.id, t.slug, t.status = 'ACTIVE' from claim_codes c join tenants t on t.id = c.tenant_id
        where c.code_hash = wanted $$;
revoke execute on function find_claim_code(bytea) from public;
grant execute on function find_claim_code(bytea) to fleetgraph_app;

grant select, insert, update on claim_codes to fleetgraph_app;
grant select, delete on claim_codes to fleetgraph_worker;
grant select (id, tenant_id, hint, device_id, device_key, created_at, expires_at, claimed_at, credential_id, revoked_at)
  on claim_codes to fleetgraph_operator;

-- A device that enrols itself is an actor too.
alter table audit_entries drop constraint audit_entries_actor_kind_check,
  add constraint audit_entries_actor_kind_check check (actor_kind in ('USER', 'API_KEY', 'DEVICE', 'OPERATOR'));

reset role;
