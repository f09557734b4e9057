-- Operators of the platform stand in the log of the tenant they looked at.
set role fleetgraph_owner;

alter table audit_entries drop constraint audit_entries_actor_kind_check,
  add constraint audit_entries_actor_kind_check check (actor_kind in ('USER', 'API_KEY', 'OPERATOR'));

reset role;
