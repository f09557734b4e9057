-- What lists, filters, searches, groups and sums of devices read: the same rows as row-level security lets through, by the same rule.
--
-- Without a security barrier, unlike a policy: behind a barrier PostgreSQL looks at nothing but the tenant before it has the row, so that no
-- index on tags, attributes or trigrams is ever used, and no statistics of them. A migration that gives one of these tables a column which
-- lists or filters read replaces the view.

set role fleetgraph_owner;

create view tenant_devices as select * from devices where tenant_id = current_tenant();
create view tenant_presence as select * from device_presence where tenant_id = current_tenant();
grant select on tenant_devices, tenant_presence to fleetgraph_app, fleetgraph_worker;

-- Counts by site and by status are answered by the index alone.
drop index devices_site;
create index devices_site on devices (tenant_id, site_id, status, id);
create index devices_attributes on devices using gin (tenant_id, attributes jsonb_path_ops);

reset role;
