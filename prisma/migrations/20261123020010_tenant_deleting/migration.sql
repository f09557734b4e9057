-- A value of its own, before anything can mention it.
set role fleetgraph_owner;

alter type tenant_status add value 'DELETING';

reset role;
