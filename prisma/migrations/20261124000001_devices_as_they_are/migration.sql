-- What a device can be (templates) and what it is: modules, sensors, transports, groups, shadow, commands, and jobs over many devices.

set role fleetgraph_owner;

-- ── Templates ────────────────────────────────────────────────────────────────────────────────────
create type template_category as enum ('GATEWAY', 'EDGE_DEVICE', 'SENSOR', 'CONTROLLER', 'EXPANSION_MODULE');

-- Without a tenant: a system template, which every tenant sees and none changes.
create table device_templates (
  id int generated always as identity primary key,
  tenant_id int references tenants,
  key text not null check (key ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text not null,
  description text not null default '',
  category template_category not null,
  -- The newest of its versions.
  version int not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now()
);
create unique index device_templates_key on device_templates (coalesce(tenant_id, 0), key);

-- A version never changes once a device or a module uses it. `definition` is a TemplateDefinition of core/fleet/templates.ts.
create table template_versions (
  template_id int not null references device_templates on delete cascade,
  version int not null check (version > 0),
  tenant_id int references tenants,
  definition jsonb not null,
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  primary key (template_id, version)
);

-- ── Devices ──────────────────────────────────────────────────────────────────────────────────────
alter table devices
  add column template_id int,
  add column template_version int,
  -- The gateway that speaks for it. Never itself, nor one below it.
  add column parent_id int,
  -- What it calls its metrics, where that is not what they mean: [{"raw","metric","scale","offset"}].
  add column metric_map jsonb not null default '[]',
  add foreign key (template_id, template_version) references template_versions (template_id, version),
  add foreign key (tenant_id, parent_id) references devices (tenant_id, id),
  add check ((template_id is null) = (template_version is null)),
  add check (parent_id <> id);
create index devices_template on devices (tenant_id, template_id, template_version);
create index devices_parent on devices (tenant_id, parent_id) where parent_id is not null;

alter table sites
  add column address text not null default '',
  add column version int not null default 1;

-- What sits in a slot of a device; once removed it stays as history.
create table device_modules (
  id int generated always as identity primary key,
  tenant_id int not null references tenants,
  device_id int not null,
  slot text not null,
  name text not null,
  template_id int not null,
  template_version int not null,
  serial_number text,
  bus_address text,
  metric_map jsonb not null default '[]',
  installed_at timestamptz(3) not null default now(),
  removed_at timestamptz(3),
  unique (tenant_id, id),
  foreign key (tenant_id, device_id) references devices (tenant_id, id),
  foreign key (template_id, template_version) references template_versions (template_id, version)
);
create index device_modules_device on device_modules (tenant_id, device_id) where removed_at is null;
create unique index device_modules_address on device_modules (device_id, slot, bus_address) where removed_at is null and bus_address is not null;

-- A point that is measured. TEMPLATE and MODULE say who brought it, DISCOVERED that it was found in the data, MANUAL that somebody said so.
create type sensor_source as enum ('TEMPLATE', 'MODULE', 'DISCOVERED', 'MANUAL');
create table device_sensors (
  id int generated always as identity primary key,
  tenant_id int not null references tenants,
  device_id int not null,
  module_id int,
  -- The key of its metric in readings, after the metric map.
  metric text not null,
  -- The key that its template has for it: the device's, or with a module the module's.
  template_metric text,
  name text not null,
  type text not null check (type in ('FLOAT', 'INTEGER', 'BOOLEAN', 'STRING', 'ENUM')),
  unit text,
  min double precision,
  max double precision,
  source sensor_source not null,
  active boolean not null default true,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  unique (device_id, metric),
  unique (tenant_id, id),
  foreign key (tenant_id, device_id) references devices (tenant_id, id),
  foreign key (tenant_id, module_id) references device_modules (tenant_id, id)
);

create table device_transports (
  id int generated always as identity primary key,
  tenant_id int not null references tenants,
  device_id int not null,
  protocol text not null check (protocol in ('MQTT', 'HTTP', 'LORAWAN', 'GATEWAY', 'MODBUS')),
  link text check (link in ('ETHERNET', 'WIFI', 'CELLULAR', 'LORA', 'BLUETOOTH', 'RS485', 'SATELLITE', 'OTHER')),
  settings jsonb not null default '{}',
  is_primary boolean not null default false,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  unique (tenant_id, id),
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
);
create index device_transports_device on device_transports (tenant_id, device_id);
create unique index device_transports_primary on device_transports (device_id) where is_primary;

-- ── Groups ───────────────────────────────────────────────────────────────────────────────────────
create type group_kind as enum ('STATIC', 'DYNAMIC');
create table device_groups (
  id int generated always as identity primary key,
  tenant_id int not null references tenants,
  key text not null check (key ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text not null,
  description text not null default '',
  kind group_kind not null,
  -- Of a dynamic group: the filter as the API takes it.
  filter jsonb check ((kind = 'DYNAMIC') = (filter is not null)),
  version int not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  unique (tenant_id, key),
  unique (tenant_id, id)
);
create table device_group_members (
  group_id int not null,
  device_id int not null,
  tenant_id int not null references tenants,
  added_at timestamptz(3) not null default now(),
  primary key (group_id, device_id),
  foreign key (tenant_id, group_id) references device_groups (tenant_id, id) on delete cascade,
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
);
create index device_group_members_device on device_group_members (tenant_id, device_id);

-- ── Shadow ───────────────────────────────────────────────────────────────────────────────────────
-- What a device should be and what it says it is. Versions rise by one with every change of their side.
create table device_shadows (
  device_id int primary key,
  tenant_id int not null references tenants,
  desired jsonb not null default '{}',
  desired_version int not null default 0,
  desired_at timestamptz(3),
  reported jsonb not null default '{}',
  reported_version int not null default 0,
  reported_at timestamptz(3),
  -- The newest desired version that the device has answered.
  answered_version int not null default 0,
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
) with (fillfactor = 70);
create type shadow_side as enum ('DESIRED', 'REPORTED');
create table shadow_history (
  id bigint generated always as identity primary key,
  tenant_id int not null references tenants,
  device_id int not null,
  side shadow_side not null,
  version int not null,
  document jsonb not null,
  -- Of a report: the desired version that it answers.
  answers int,
  -- Who asked for it; null for the device itself.
  actor text,
  at timestamptz(3) not null,
  -- The message that brought a report: a frame that comes again brings it no second time.
  receipt text,
  unique (device_id, side, version),
  unique (device_id, receipt),
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
);
create index shadow_history_device on shadow_history (tenant_id, device_id, at desc, id desc);

-- ── Jobs over many devices ───────────────────────────────────────────────────────────────────────
create type job_status as enum ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED');
create table fleet_jobs (
  id int generated always as identity primary key,
  tenant_id int not null references tenants,
  -- The mutation that asked for it, and what it asked for.
  kind text not null,
  input jsonb not null,
  status job_status not null default 'QUEUED',
  total int not null default 0,
  done int not null default 0,
  failed int not null default 0,
  actor text not null,
  created_at timestamptz(3) not null default now(),
  started_at timestamptz(3),
  finished_at timestamptz(3),
  unique (tenant_id, id)
);
create index fleet_jobs_tenant on fleet_jobs (tenant_id, id desc);
create index fleet_jobs_open on fleet_jobs (id) where status in ('QUEUED', 'RUNNING');
-- The devices of a job that are left to do, and those it failed for, with the reason. What is done is deleted.
create table fleet_job_devices (
  job_id int not null,
  device_id int not null,
  tenant_id int not null references tenants,
  error_code text,
  error text,
  primary key (job_id, device_id),
  foreign key (tenant_id, job_id) references fleet_jobs (tenant_id, id) on delete cascade,
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
);
create index fleet_job_devices_open on fleet_job_devices (job_id) where error_code is null;

-- ── Commands ─────────────────────────────────────────────────────────────────────────────────────
create type command_status as enum
  ('QUEUED', 'SENT', 'ACKNOWLEDGED', 'SUCCEEDED', 'FAILED', 'REJECTED', 'EXPIRED', 'CANCELLED');
create table device_commands (
  id bigint generated always as identity primary key,
  tenant_id int not null references tenants,
  device_id int not null,
  -- What the device knows it by.
  command_id uuid not null unique default gen_random_uuid(),
  type text not null,
  params jsonb not null,
  status command_status not null default 'QUEUED',
  actor text not null,
  job_id int,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  sent_at timestamptz(3),
  acknowledged_at timestamptz(3),
  finished_at timestamptz(3),
  details jsonb,
  unique (tenant_id, id),
  foreign key (tenant_id, device_id) references devices (tenant_id, id),
  foreign key (tenant_id, job_id) references fleet_jobs (tenant_id, id)
);
create index device_commands_device on device_commands (tenant_id, device_id, id desc);
create index device_commands_tenant on device_commands (tenant_id, id desc);
create index device_commands_job on device_commands (tenant_id, job_id) where job_id is not null;
create index device_commands_open on device_commands (device_id, id) where status in ('QUEUED', 'SENT', 'ACKNOWLEDGED');
create index device_commands_expiry on device_commands (expires_at) where status in ('QUEUED', 'SENT', 'ACKNOWLEDGED');
-- Every state a command was in, and what brought it there.
create table command_transitions (
  id bigint generated always as identity primary key,
  tenant_id int not null references tenants,
  command_id bigint not null,
  status command_status not null,
  at timestamptz(3) not null,
  details jsonb,
  foreign key (tenant_id, command_id) references device_commands (tenant_id, id)
);
create index command_transitions_command on command_transitions (tenant_id, command_id, id);

-- ── Row-level security ───────────────────────────────────────────────────────────────────────────
do $$
declare
  name text;
begin
  foreach name in array array['device_modules', 'device_sensors', 'device_transports', 'device_groups',
    'device_group_members', 'device_shadows', 'shadow_history', 'fleet_jobs', 'fleet_job_devices', 'device_commands',
    'command_transitions']
  loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy tenant on %I to fleetgraph_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant())', name);
    execute format('create policy owner on %I to fleetgraph_owner using (true) with check (true)', name);
  end loop;
  -- System templates are everybody's to read and nobody's to write.
  foreach name in array array['device_templates', 'template_versions']
  loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy visible on %I for select to fleetgraph_app using (tenant_id is null or tenant_id = current_tenant())', name);
    execute format('create policy made on %I for insert to fleetgraph_app with check (tenant_id = current_tenant())', name);
    execute format('create policy changed on %I for update to fleetgraph_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant())', name);
    execute format('create policy gone on %I for delete to fleetgraph_app using (tenant_id = current_tenant())', name);
    execute format('create policy owner on %I to fleetgraph_owner using (true) with check (true)', name);
  end loop;
end
$$;

-- ── Grants ───────────────────────────────────────────────────────────────────────────────────────
grant select, insert, update, delete on device_templates, template_versions, device_sensors, device_transports,
  device_groups, device_group_members to fleetgraph_app;
grant select, insert, update on device_modules, device_shadows, fleet_jobs, device_commands to fleetgraph_app;
grant select, insert on shadow_history, command_transitions, fleet_job_devices to fleetgraph_app;
grant delete on sites to fleetgraph_app;

grant select on device_templates, template_versions, device_modules, device_groups, device_group_members, device_transports
  to fleetgraph_worker;
grant select, insert, update on device_sensors, device_shadows, device_commands, fleet_jobs to fleetgraph_worker;
grant select, insert, delete on shadow_history, command_transitions to fleetgraph_worker;
grant select, insert, update, delete on fleet_job_devices to fleetgraph_worker;
grant delete on device_commands, fleet_jobs to fleetgraph_worker;

grant select on device_templates, template_versions, device_modules, device_sensors, device_transports, device_groups,
  device_group_members, device_shadows, shadow_history, fleet_jobs, fleet_job_devices, device_commands, command_transitions
  to fleetgraph_operator;

reset role;
