-- Sensors that were found in the data and then described by somebody.

set role fleetgraph_owner;

-- When somebody first said what a discovered sensor is. Null: nobody has.
alter table device_sensors add column modelled_at timestamptz(3);

create index device_sensors_module on device_sensors (tenant_id, module_id) where module_id is not null;
create index provisioning_tokens_site on provisioning_tokens (tenant_id, site_id) where site_id is not null;

reset role;
