-- Frames come from several streams: telemetry, reported shadows, acknowledgements of commands. Each counts its own sequences.
set role fleetgraph_owner;

alter table ingest_frames add column stream text not null default 'TELEMETRY';
alter table ingest_repeats
  add column stream text not null default 'TELEMETRY',
  drop constraint ingest_repeats_pkey,
  add primary key (stream, stream_sequence, streamed_at);

drop function tenant_frame(timestamptz, uuid);
drop function tenant_frame_parts(timestamptz, uuid);

-- The parts of a frame that are the running tenant's, with where the frame has been. An entry of the manifest is flags (2 bytes),
-- device id (4) and the low half of the message id (4), little-endian.
create function tenant_frame_parts(framed timestamptz, batch uuid)
  returns table (framed_at timestamptz, batch_id uuid, stream text, stream_sequence bigint, origin text, worker text,
    streamed_at timestamptz, stored_at timestamptz, published_at timestamptz, device_id int, flags int, id_low bigint, item_index int, part int)
  language sql stable security definer set search_path = public, pg_temp
  as $$
    with frame as (
      select f.* from ingest_frames f where f.framed_at = framed and f.batch_id = batch
    ), entry as (
      select e.n, get_byte(f.manifest, e.n * 10) + get_byte(f.manifest, e.n * 10 + 1) * 256 as flags,
        get_byte(f.manifest, e.n * 10 + 2) + get_byte(f.manifest, e.n * 10 + 3) * 256 + get_byte(f.manifest, e.n * 10 + 4) * 65536
          + (get_byte(f.manifest, e.n * 10 + 5) & 127) * 16777216 as device_id,
        get_byte(f.manifest, e.n * 10 + 6)::bigint + get_byte(f.manifest, e.n * 10 + 7)::bigint * 256
          + get_byte(f.manifest, e.n * 10 + 8)::bigint * 65536 + get_byte(f.manifest, e.n * 10 + 9)::bigint * 16777216 as id_low
      from frame f cross join lateral generate_series(0, coalesce(length(f.manifest), 0) / 10 - 1) e (n)
    ), placed as (
      select e.*, (count(*) filter (where e.flags & 8 = 0) over (order by e.n))::int - 1 as item_index from entry e
    ), numbered as (
      select p.*, (row_number() over (partition by p.item_index order by p.n))::int - 1 as part from placed p
    )
    select f.framed_at, f.batch_id, f.stream, f.stream_sequence, f.origin, f.worker, f.streamed_at, f.stored_at, f.published_at,
      e.device_id, e.flags, e.id_low, e.item_index, e.part
    from frame f join numbered e on true join devices d on d.id = e.device_id and d.tenant_id = current_tenant()
    order by e.n $$;

-- Where a frame has been, for whoever has a message in it.
create function tenant_frame(framed timestamptz, batch uuid)
  returns table (framed_at timestamptz, batch_id uuid, stream text, stream_sequence bigint, origin text, worker text,
    streamed_at timestamptz, stored_at timestamptz, published_at timestamptz)
  language sql stable security definer set search_path = public, pg_temp
  as $$
    select f.framed_at, f.batch_id, f.stream, f.stream_sequence, f.origin, f.worker, f.streamed_at, f.stored_at, f.published_at
    from ingest_frames f where f.framed_at = framed and f.batch_id = batch
      and (f.counts ? current_tenant()::text or exists (select from tenant_frame_parts(framed, batch))) $$;

revoke execute on function tenant_frame_parts(timestamptz, uuid), tenant_frame(timestamptz, uuid) from public;
grant execute on function tenant_frame_parts(timestamptz, uuid), tenant_frame(timestamptz, uuid) to fleetgraph_app;

reset role;
