-- Provisioning tokens: with one of them a device that nobody has made yet makes itself by its first message. Only a hash is kept.

set role fleetgraph_owner;

create table provisioning_tokens (
  id int generated always as identity primary key,
  tenant_id int not null references tenants,
  name text not null,
  token_hash bytea not null unique check (octet_length(token_hash) = 32),
  hint text not null,
  -- What the key of a device begins with that it may make; '' for any.
  key_prefix text not null,
  -- Where the devices it makes are.
  site_id int,
  max_devices_per_hour int not null check (max_devices_per_hour > 0),
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  revoked_at timestamptz(3),
  unique (tenant_id, id),
  foreign key (tenant_id, site_id) references sites (tenant_id, id)
);

-- Which token made a device: that one may send for it, and no other.
create table provisioned_devices (
  tenant_id int not null references tenants,
  device_id int primary key,
  token_id int not null,
  created_at timestamptz(3) not null default now(),
  foreign key (tenant_id, device_id) references devices (tenant_id, id),
  foreign key (tenant_id, token_id) references provisioning_tokens (tenant_id, id)
);
create index provisioned_devices_token on provisioned_devices (tenant_id, token_id, created_at);

alter table provisioning_tokens enable row level security;
alter table provisioning_tokens force row level security;
create policy tenant on provisioning_tokens to fleetgraph_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy owner on provisioning_tokens to fleetgraph_owner using (true) with check (true);
alter table provisioned_devices enable row level security;
alter table provisioned_devices force row level security;
create policy tenant on provisioned_devices to fleetgraph_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy owner on provisioned_devices to fleetgraph_owner using (true) with check (true);

-- One row for each token that is good in the tenant it is presented for, before a tenant is known; nothing is told to whoever has none.
create function find_provisioning(hashes bytea[], tenants text[], devices text[])
  returns table (index int, token_id int, tenant_id int, tenant_active boolean, name text, key_prefix text,
    device_id int, device_active boolean, device_is_own boolean)
  language sql stable security definer set search_path = public, pg_temp
  as $$
    select wanted.index::int - 1, p.id, t.id, t.status = 'ACTIVE', p.name, p.key_prefix,
      d.id, d.status = 'ACTIVE', coalesce(m.token_id = p.id, false)
    from unnest($1, $2, $3) with ordinality as wanted (hash, tenant, device, index)
    join provisioning_tokens p on p.token_hash = wanted.hash and p.revoked_at is null and p.expires_at > now()
    join tenants t on t.id = p.tenant_id and t.slug = wanted.tenant
    left join devices d on d.tenant_id = t.id and d.key = wanted.device
    left join provisioned_devices m on m.device_id = d.id $$;
revoke execute on function find_provisioning(bytea[], text[], text[]) from public;
grant execute on function find_provisioning(bytea[], text[], text[]) to fleetgraph_app;

grant select, insert, update on provisioning_tokens to fleetgraph_app;
grant select, insert on provisioned_devices to fleetgraph_app;

reset role;
