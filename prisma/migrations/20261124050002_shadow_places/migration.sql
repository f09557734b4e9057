-- Where the newest report of a device lay on the stream of reports: an older one that comes later changes nothing.
set role fleetgraph_owner;

alter table device_shadows
  add column reported_streamed_at timestamptz(3),
  add column reported_sequence bigint,
  add check ((reported_streamed_at is null) = (reported_sequence is null));

reset role;
