-- Certificates that are renewed, authorities that are replaced, and warnings before the end of either.

set role fleetgraph_owner;

-- `retires_at` ends a certificate before `expires_at` does: it was renewed, or its authority was replaced.
-- `public_key` is its SubjectPublicKeyInfo, so that it can be renewed for the same key; null for those made before.
alter table device_credentials
  add column public_key bytea,
  add column authority_generation int,
  add column retires_at timestamptz(3),
  add column renewed_by_id int references device_credentials on delete set null;
update device_credentials set authority_generation = 1 where kind = 'CERTIFICATE';
alter table device_credentials
  add constraint device_credentials_authority check (kind <> 'CERTIFICATE' or authority_generation is not null);
create index device_credentials_ending on device_credentials (expires_at) where kind = 'CERTIFICATE' and revoked_at is null;
create index device_credentials_retiring on device_credentials (retires_at)
  where retires_at is not null and revoked_at is null;

-- When every certificate of an older generation has ended; null while that is not limited.
alter table certificate_authorities add column retires_at timestamptz(3);
grant update (retires_at) on certificate_authorities to fleetgraph_app;
grant select (retires_at, created_at) on certificate_authorities to fleetgraph_worker, fleetgraph_operator;

-- Which warnings of its end a certificate has had, by days before it.
create table certificate_warnings (
  tenant_id int not null references tenants,
  credential_id int not null references device_credentials,
  days int not null,
  warned_at timestamptz(3) not null default now(),
  primary key (credential_id, days)
);
alter table certificate_warnings enable row level security;
alter table certificate_warnings force row level security;
create policy tenant on certificate_warnings to fleetgraph_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy owner on certificate_warnings to fleetgraph_owner using (true) with check (true);
grant select, insert on certificate_warnings to fleetgraph_worker;
grant select on certificate_warnings to fleetgraph_operator;

-- As before, and a certificate that was retired counts as revoked.
create or replace function find_device_access(tenants text[], devices text[])
  returns table (index int, tenant_id int, device_id int, active boolean, credential_id int, kind text,
    secret_hash bytea, expires_at timestamptz, revoked boolean)
  language sql stable security definer set search_path = public, pg_temp
  as $$
    select wanted.index::int - 1, d.tenant_id, d.id, d.status = 'ACTIVE' and t.status = 'ACTIVE', c.id, c.kind::text,
      c.secret_hash, least(c.expires_at, c.retires_at), c.revoked_at is not null or coalesce(c.retires_at <= now(), false)
    from unnest($1, $2) with ordinality as wanted (tenant, device, index)
    join tenants t on t.slug = wanted.tenant
    join devices d on d.tenant_id = t.id and d.key = wanted.device
    left join device_credentials c on c.tenant_id = d.tenant_id and c.device_id = d.id
      and (c.revoked_at is null or c.kind = 'CERTIFICATE') and (c.expires_at is null or c.expires_at > now())
    order by c.id $$;

reset role;
