-- Devices by place, and how rare a searched text is.
set role fleetgraph_owner;

create index devices_place on devices (tenant_id, latitude, longitude, id);

-- Estimated by the texts of a sample that it is found in: of 100, one would make it a text of one device in a hundred, and a page of what few
-- devices have would be looked for among all of them in order.
alter table devices alter column search set statistics 400;

reset role;
