-- What of a device's MQTT session outlives its connection, and the gateway that it was on. `device_sessions` says who is
-- connected where and loses its row when that ends; this row stays until the session expires.

set role fleetgraph_owner;

create table mqtt_sessions (
  device_id int primary key,
  tenant_id int not null references tenants,
  client_id text not null,
  -- Of the connection that wrote the row: an earlier one that ends late does not overwrite it.
  epoch bigint not null,
  -- How long the session is kept once the device is gone.
  keep_seconds bigint not null,
  -- Null while the device is connected.
  expires_at timestamptz(3),
  -- Subscriptions, place on DOWNLINK, unacknowledged and unreleased messages (workers/gateway/kept-state.ts).
  state jsonb not null,
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
) with (fillfactor = 70);
create index mqtt_sessions_expiry on mqtt_sessions (expires_at);

alter table mqtt_sessions enable row level security;
alter table mqtt_sessions force row level security;
create policy tenant on mqtt_sessions to fleetgraph_app
  using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy owner on mqtt_sessions to fleetgraph_owner using (true) with check (true);

grant select, insert, update, delete on mqtt_sessions to fleetgraph_worker;
grant select on mqtt_sessions to fleetgraph_operator;

reset role;
