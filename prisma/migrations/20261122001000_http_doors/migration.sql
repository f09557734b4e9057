-- What the HTTP doors need: who a device is before a tenant is known, and what an Idempotency-Key was first used for.
set role fleetgraph_owner;

-- One row a credential of each device asked for that has not expired, or one without a credential; revoked ones are certificates only.
-- Reveals hashes of 256-bit secrets and fingerprints only to whoever names the device; index counts from 0 and follows the order of the names.
create function find_device_access(tenants text[], devices text[])
  returns table (index int, tenant_id int, device_id int, active boolean, credential_id int, kind text,
    secret_hash bytea, expires_at timestamptz, revoked boolean)
  language sql stable security definer set search_path = public, pg_temp
  as $$
    select wanted.index::int - 1, d.tenant_id, d.id, d.status = 'ACTIVE' and t.status = 'ACTIVE', c.id, c.kind::text,
      c.secret_hash, c.expires_at, c.revoked_at is not null
    from unnest($1, $2) with ordinality as wanted (tenant, device, index)
    join tenants t on t.slug = wanted.tenant
    join devices d on d.tenant_id = t.id and d.key = wanted.device
    left join device_credentials c on c.tenant_id = d.tenant_id and c.device_id = d.id 
      and (c.revoked_at is null or c.kind = 'CERTIFICATE') and (c.expires_at is null or c.expires_at > now())
    order by c.id $$;

-- The first use of an Idempotency-Key by a device: the time of arrival that every later use of it gets too, so that the same message
-- is the same reading. Kept for a day.
create table ingest_keys (
  tenant_id int not null references tenants,
  device_id int not null,
  key_hash bytea not null check (octet_length(key_hash) = 32),
  body_hash bytea not null check (octet_length(body_hash) = 32),
  received_at timestamptz(3) not null,
  primary key (device_id, key_hash),
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
);
create index ingest_keys_received on ingest_keys (received_at);
alter table ingest_keys enable row level security;
alter table ingest_keys force row level security;
create policy tenant on ingest_keys to fleetgraph_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy owner on ingest_keys to fleetgraph_owner using (true) with check (true);

-- Notes the first use of each key and returns what is noted, in the order asked. Called for authenticated devices only.
create function claim_ingest_keys(devices int[], keys bytea[], bodies bytea[], arrived timestamptz)
  returns table (received_at timestamptz, body_hash bytea)
  language plpgsql volatile security definer set search_path = public, pg_temp
  as $$
begin
  insert into ingest_keys (tenant_id, device_id, key_hash, body_hash, received_at)
    select d.tenant_id, d.id, wanted.key, wanted.body, arrived
    from unnest(devices, keys, bodies) as wanted (device, key, body) join devices d on d.id = wanted.device
    order by d.id, wanted.key
    on conflict do nothing;
  return query select k.received_at, k.body_hash
    from unnest(devices, keys) with ordinality as wanted (device, key, index)
    join ingest_keys k on k.device_id = wanted.device and k.key_hash = wanted.key
    order by wanted.index;
end
$$;

revoke execute on function find_device_access(text[], text[]), claim_ingest_keys(int[], bytea[], bytea[], timestamptz) from public;
grant execute on function find_device_access(text[], text[]), claim_ingest_keys(int[], bytea[], bytea[], timestamptz) to fleetgraph_app;
grant select, delete on ingest_keys to fleetgraph_worker;
grant select on ingest_keys to fleetgraph_operator;

reset role;
