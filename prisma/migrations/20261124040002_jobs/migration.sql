-- Jobs remember who asked for them, as the audit log names them, and what it takes to stop them. The clock works on them.

set role fleetgraph_owner;

alter table fleet_jobs
  add column changed int not null default 0,
  -- Whoever has it may stop the job.
  add column permission text not null default 'devices.write',
  add column actor_kind text not null default 'USER',
  add column actor_name text not null default '',
  add column request_id text not null default '';

grant update on devices to fleetgraph_worker;
grant insert, delete on device_group_members to fleetgraph_worker;
grant insert on audit_entries to fleetgraph_worker;
-- To lock them, so that they stay while devices come to refer to them; their ids cannot be written.
grant update (id) on sites, device_groups to fleetgraph_worker;

reset role;
