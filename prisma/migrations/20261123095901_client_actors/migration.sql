-- Which kinds of actors there are is told by the API's schema (AuditActorKind), where programs of the identity provider
-- come in as CLIENT; here it only looks like one.
set role fleetgraph_owner;

alter table audit_entries drop constraint audit_entries_actor_kind_check,
  add constraint audit_entries_actor_kind_check check (actor_kind ~ '^[A-Z][A-Z_]{0,30}$');

reset role;
