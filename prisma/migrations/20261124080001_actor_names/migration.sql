-- What somebody is called who desired or sent something: as the log has it, newest first.
set role fleetgraph_owner;
create index audit_entries_actor on audit_entries (tenant_id, actor_id, at);
reset role;
