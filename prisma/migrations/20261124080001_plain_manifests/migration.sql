-- A manifest is numbers without repetition: compressing it cost a twentieth of all that storing readings does, and saved a few bytes
-- a message. Out of line, a frame that is noted as published is written again without it.
set role fleetgraph_owner;

alter table ingest_frames alter column manifest set storage external;

-- Partitions are stored like the table they are parts of.
create or replace function ensure_partition(parent text, day date) returns boolean
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  part text := parent || '_' || to_char(day, 'YYYYMMDD');
begin
  if parent not in ('readings', 'ingest_frames') then
    raise exception 'not a partitioned table of ours: %', parent using errcode = 'invalid_parameter_value';
  end if;
  if to_regclass(part) is not null then
    return false;
  end if;
  perform pg_advisory_xact_lock(72707371);
  if to_regclass(part) is not null then
    return false;
  end if;
  execute format('create table %I (like %I including defaults including storage)', part, parent);
  execute format('alter table %I set (autovacuum_vacuum_insert_scale_factor = 0.2)', part);
  execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, part,
    day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
  return true;
end
$$;

reset role;
