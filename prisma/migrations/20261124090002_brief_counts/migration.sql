-- What became of a tenant's part of a frame is a number where all of it was stored, and an object without zeros otherwise: with
-- many tenants in a frame the counts are most of its row, and adding them up most of what it costs. Earlier rows hold whole objects.
set role fleetgraph_owner;

create function read_counts(counts jsonb)
  returns table (tenant_id int, accepted int, stored int, duplicate int, quarantined int, dead_lettered int)
  language sql immutable
  as $$
    select c.key::int,
      case jsonb_typeof(c.value) when 'number' then c.value::int else coalesce((c.value ->> 'accepted')::int, 0) end,
      case jsonb_typeof(c.value) when 'number' then c.value::int else coalesce((c.value ->> 'stored')::int, 0) end,
      coalesce((c.value ->> 'duplicate')::int, 0), coalesce((c.value ->> 'quarantined')::int, 0),
      coalesce((c.value ->> 'deadLettered')::int, 0)
    from jsonb_each(counts) c $$;

create or replace function fold_ingest_frames() returns int
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  low bigint;
  high bigint;
  folded int;
begin
  select folded_to into low from ingest_folds for update;
  high := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
  if high <= low then
    return 0;
  end if;
  with frames as materialized (
    select (stored_at at time zone 'UTC')::date as day, counts from ingest_frames where transaction >= low and transaction < high
  ), added as (
    insert into ingest_days as d (tenant_id, day, accepted, stored, duplicate, quarantined, dead_lettered)
    select c.tenant_id, f.day, sum(c.accepted), sum(c.stored), sum(c.duplicate),
      sum(c.quarantined), sum(c.dead_lettered)
    from frames f cross join lateral read_counts(f.counts) c
    group by 1, 2
    on conflict (tenant_id, day) do update set accepted = d.accepted + excluded.accepted, stored = d.stored + excluded.stored,
      duplicate = d.duplicate + excluded.duplicate, quarantined = d.quarantined + excluded.quarantined,
      dead_lettered = d.dead_lettered + excluded.dead_lettered
  )
  select count(*) into folded from frames;
  update ingest_folds set folded_to = high, folded_at = now();
  return folded;
end
$$;

create or replace function tenant_sums()
  returns table (day date, accepted bigint, stored bigint, duplicate bigint, quarantined bigint, dead_lettered bigint)
  language sql stable security definer set search_path = public, pg_temp
  as $$
    select s.day, sum(s.accepted)::bigint, sum(s.stored)::bigint, sum(s.duplicate)::bigint, sum(s.quarantined)::bigint,
      sum(s.dead_lettered)::bigint
    from (
      select d.day, d.accepted, d.stored, d.duplicate, d.quarantined, d.dead_lettered
      from ingest_days d where d.tenant_id = current_tenant()
      union all
      select (f.stored_at at time zone 'UTC')::date, c.accepted, c.stored, c.duplicate, c.quarantined, c.dead_lettered
      from ingest_frames f cross join lateral read_counts(
        jsonb_build_object(current_tenant()::text, f.counts -> current_tenant()::text)) c
      where f.transaction >= (select folded_to from ingest_folds) and f.counts ? current_tenant()::text
    ) s
    group by s.day order by s.day $$;

-- A row that names a device of the tenant names the tenant too: one check a session and a change less, and no lock on the tenant.
alter table presence_changes drop constraint presence_changes_tenant_id_fkey;
alter table device_sessions drop constraint device_sessions_tenant_id_fkey;

revoke execute on function read_counts(jsonb) from public;
grant execute on function read_counts(jsonb) to fleetgraph_worker, fleetgraph_operator;

reset role;
