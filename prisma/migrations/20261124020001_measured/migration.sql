-- What is wrong with the values of a reading by its device's template, and by what its resend is told where a map changed them.
set role fleetgraph_owner;

-- `flags`: {"metric": code} of the metrics that are not as they should be; null when all are.
-- `sent_digest`: of the metrics as they were sent, where only content tells a resend and a map has changed it.
alter table readings
  add column flags jsonb,
  add column sent_digest bigint;

create or replace view tenant_readings with (security_barrier) as
  select device_id, ts, msg_id, received_at, stored_at, latitude, longitude, dup_possible, metrics, flags
  from readings where tenant_id = current_tenant();

reset role;
