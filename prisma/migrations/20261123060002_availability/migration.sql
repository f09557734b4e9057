-- Presence on three axes, when time alone will change it, and its history.
set role fleetgraph_owner;

-- `fades_at`: when freshness will be another one unless something is heard. `credential_until`: when the credential will be another one
-- unless one is added or revoked. Both in the past mean: find out.
alter table device_presence
  add column credential text not null default 'NONE' check (credential in ('NONE', 'ACTIVE', 'EXPIRING', 'REVOKED')),
  add column fades_at timestamptz(3),
  add column credential_until timestamptz(3) default '-infinity';
update device_presence set fades_at = last_seen_at where freshness <> 'SILENT';
drop index device_presence_fresh;
create index device_presence_fades on device_presence (fades_at) where fades_at is not null;
create index device_presence_credential on device_presence (credential_until) where credential_until is not null;

create function credential_changed() returns trigger
  language plpgsql security definer set search_path = public, pg_temp
  as $$
begin
  update device_presence set credential_until = '-infinity' where device_id = new.device_id;
  return null;
end
$$;
create trigger credential_changed after insert or update of revoked_at, expires_at, retires_at on device_credentials
  for each row execute function credential_changed();

create function interval_changed() returns trigger
  language plpgsql security definer set search_path = public, pg_temp
  as $$
begin
  update device_presence set fades_at = '-infinity' where device_id = new.id and fades_at is not null;
  return null;
end
$$;
create trigger interval_changed after update of expected_interval_seconds on devices
  for each row when (old.expected_interval_seconds is distinct from new.expected_interval_seconds)
  execute function interval_changed();
revoke execute on function credential_changed(), interval_changed() from public;

-- Every change of presence: what it was and what it became. Kept as long as the tenant keeps readings.
create table presence_changes (
  id bigint generated always as identity primary key,
  tenant_id int not null references tenants,
  device_id int not null,
  at timestamptz(3) not null,
  connection connectivity not null,
  freshness freshness not null,
  credential text not null,
  connection_before connectivity not null,
  freshness_before freshness not null,
  credential_before text not null,
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
);
create index presence_changes_device on presence_changes (device_id, at);
create index presence_changes_tenant on presence_changes (tenant_id, at);
alter table presence_changes enable row level security;
alter table presence_changes force row level security;
create policy tenant on presence_changes to fleetgraph_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy owner on presence_changes to fleetgraph_owner using (true) with check (true);
grant select on presence_changes to fleetgraph_app, fleetgraph_operator;
grant select, insert, delete on presence_changes to fleetgraph_worker;

reset role;
