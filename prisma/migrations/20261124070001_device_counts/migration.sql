-- What is counted of whole fleets is counted by indexes alone, and the planner knows how frequent it is what a list is filtered by.

-- Behind any policy, even the owner's that lets every row through, PostgreSQL uses no statistics for an operator that is not proven leakproof:
-- enums, labels, trigrams, attributes. So the views that lists read belong to a role that policies do not hold back. They show the rows of
-- current_tenant(), as before; the role reads these two tables, owns these two views, and nobody signs in as it. A migration that replaces
-- them lends it the right to create something in the schema, as here.
do $$
begin
  perform pg_advisory_xact_lock(72707370);
  if not exists (select from pg_roles where rolname = 'fleetgraph_views') then
    create role fleetgraph_views nologin nosuperuser bypassrls;
  end if;
  if not pg_has_role(current_user, 'fleetgraph_views', 'set') then
    execute format('grant fleetgraph_views to %I', current_user);
  end if;
end
$$;

grant create, usage on schema public to fleetgraph_views;
alter view tenant_devices owner to fleetgraph_views;
alter view tenant_presence owner to fleetgraph_views;
revoke create on schema public from fleetgraph_views;

set role fleetgraph_owner;

grant select on devices, device_presence to fleetgraph_views;

-- Everything that presence is filtered and summed by, and whose it is.
create index device_presence_states on device_presence (tenant_id, freshness, connection, credential, device_id);
create index devices_model on devices (tenant_id, model, status);
create index devices_firmware on devices (tenant_id, firmware, status);

reset role;
