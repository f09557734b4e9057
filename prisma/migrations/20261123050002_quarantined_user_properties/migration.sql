-- What the sender of a message said beside it (MQTT 5), as it travels in a frame (core/bus/user-properties.ts). Null for nothing.

set role fleetgraph_owner;
alter table quarantine add column user_properties bytea;
reset role;
