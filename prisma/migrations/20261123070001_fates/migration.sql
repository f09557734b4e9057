-- What became of every message: where each frame has been, what was turned away and what was done about it, and the sums
-- by which nothing can go missing unseen.
set role fleetgraph_owner;

-- ── Frames ───────────────────────────────────────────────────────────────────────────────────────
-- A frame and everything stored from it carry the same stored_at, that of their transaction: rows can be counted against frames.
alter table readings alter column stored_at set default now();
alter table ingest_frames
  -- Who made the frame, and who stored it.
  add column origin text,
  add column worker text,
  -- When JetStream stored it: with stream_sequence its place on the stream.
  add column streamed_at timestamptz(3),
  -- Ten bytes for each part of each message; see core/db/manifest.ts.
  add column manifest bytea,
  -- The transaction that stored it: what committed since the last fold is found by it, exactly.
  add column transaction bigint not null default pg_current_xact_id()::text::bigint;
alter table ingest_frames alter column manifest set storage external;
create index ingest_frames_transaction on ingest_frames using brin (transaction) with (pages_per_range = 16, autosummarize = on);
create index ingest_frames_stored on ingest_frames using brin (stored_at) with (pages_per_range = 16, autosummarize = on);
create index ingest_frames_sequence on ingest_frames using brin (stream_sequence) with (pages_per_range = 16, autosummarize = on);

-- A frame that was published a second time after the stream had forgotten its id: another sequence, nothing new in it.
create table ingest_repeats (
  stream_sequence bigint not null,
  streamed_at timestamptz(3) not null,
  batch_id uuid not null,
  stored_at timestamptz(3) not null default now(),
  primary key (stream_sequence, streamed_at)
);

-- ── Sums ─────────────────────────────────────────────────────────────────────────────────────────
-- What became of the readings of each tenant, by the UTC day in which that was committed; tenant 0 is nobody. The expired
-- are rows that were there and were deleted when their time was over.
create table ingest_days (
  tenant_id int not null,
  day date not null,
  accepted bigint not null default 0,
  stored bigint not null default 0,
  duplicate bigint not null default 0,
  quarantined bigint not null default 0,
  dead_lettered bigint not null default 0,
  expired_readings bigint not null default 0,
  expired_quarantined bigint not null default 0,
  expired_dead_letters bigint not null default 0,
  primary key (tenant_id, day)
);
alter table ingest_days enable row level security;
alter table ingest_days force row level security;
create policy tenant on ingest_days to fleetgraph_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy owner on ingest_days to fleetgraph_owner using (true) with check (true);

-- How far ingest_days has come: the transactions below this one are in it. One row.
create table ingest_folds (
  one boolean primary key default true check (one),
  folded_to bigint not null,
  folded_at timestamptz(3) not null default now()
);
insert into ingest_folds (folded_to) values (0);

-- Adds to the sums what committed since the last call. Safe to call from anywhere at once; returns how many frames.
create function fold_ingest_frames() returns int
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
    select stored_at, counts from ingest_frames where transaction >= low and transaction < high
  ), added as (
    insert into ingest_days as d (tenant_id, day, accepted, stored, duplicate, quarantined, dead_lettered)
    select c.key::int, (f.stored_at at time zone 'UTC')::date,
      sum((c.value ->> 'accepted')::bigint), sum((c.value ->> 'stored')::bigint), sum((c.value ->> 'duplicate')::bigint),
      sum((c.value ->> 'quarantined')::bigint), sum((c.value ->> 'deadLettered')::bigint)
    from frames f cross join lateral jsonb_each(f.counts) c
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

-- The running transaction's tenant: what its days hold and what committed since they were last added to.
create function tenant_sums()
  returns table (day date, accepted bigint, stored bigint, duplicate bigint, quarantined bigint, dead_lettered bigint)
  language sql stable security definer set search_path = public, pg_temp
  as $$
    select s.day, sum(s.accepted)::bigint, sum(s.stored)::bigint, sum(s.duplicate)::bigint, sum(s.quarantined)::bigint,
      sum(s.dead_lettered)::bigint
    from (
      select d.day, d.accepted, d.stored, d.duplicate, d.quarantined, d.dead_lettered
      from ingest_days d where d.tenant_id = current_tenant()
      union all
      select (f.stored_at at time zone 'UTC')::date, (c.value ->> 'accepted')::bigint, (c.value ->> 'stored')::bigint,
        (c.value ->> 'duplicate')::bigint, (c.value ->> 'quarantined')::bigint, (c.value ->> 'deadLettered')::bigint
      from ingest_frames f cross join lateral (select f.counts -> current_tenant()::text) c (value)
      where f.transaction >= (select folded_to from ingest_folds) and c.value is not null
    ) s
    group by s.day order by s.day $$;

-- Which of these frames are stored. Says nothing about them but that.
create function stored_batches(framed timestamptz[], batches uuid[]) returns setof uuid
  language sql stable security definer set search_path = public, pg_temp
  as $$
    select f.batch_id from unnest(framed, batches) as w (framed_at, batch_id)
    join ingest_frames f on f.framed_at = w.framed_at and f.batch_id = w.batch_id $$;

-- ── Where messages have been ─────────────────────────────────────────────────────────────────────
-- The parts of a frame that are the running tenant's, with where the frame has been. An entry of the manifest is flags (2 bytes),
-- device id (4) and the low half of the message id (4), little-endian.
create function tenant_frame_parts(framed timestamptz, batch uuid)
  returns table (framed_at timestamptz, batch_id uuid, stream_sequence bigint, origin text, worker text, streamed_at timestamptz,
    stored_at timestamptz, published_at timestamptz, device_id int, flags int, id_low bigint, item_index int, part int)
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
    select f.framed_at, f.batch_id, f.stream_sequence, f.origin, f.worker, f.streamed_at, f.stored_at, f.published_at,
      e.device_id, e.flags, e.id_low, e.item_index, e.part
    from frame f join numbered e on true join devices d on d.id = e.device_id and d.tenant_id = current_tenant()
    order by e.n $$;

-- Where a frame has been, for whoever has a message in it.
create function tenant_frame(framed timestamptz, batch uuid)
  returns table (framed_at timestamptz, batch_id uuid, stream_sequence bigint, origin text, worker text, streamed_at timestamptz,
    stored_at timestamptz, published_at timestamptz)
  language sql stable security definer set search_path = public, pg_temp
  as $$
    select f.framed_at, f.batch_id, f.stream_sequence, f.origin, f.worker, f.streamed_at, f.stored_at, f.published_at
    from ingest_frames f where f.framed_at = framed and f.batch_id = batch
      and (f.counts ? current_tenant()::text or exists (select from tenant_frame_parts(framed, batch))) $$;

-- The frames that one transaction stored something from for the running tenant: a reading knows when it was stored.
create function tenant_frames_stored_at(at timestamptz) returns table (framed_at timestamptz, batch_id uuid)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select f.framed_at, f.batch_id from ingest_frames f where f.stored_at = at and f.counts ? current_tenant()::text $$;

-- ── Quarantine ───────────────────────────────────────────────────────────────────────────────────
create type quarantine_status as enum ('OPEN', 'REPLAYING', 'REPLAYED', 'DISCARDED');
create type replay_outcome as enum ('STORED', 'DUPLICATE', 'QUARANTINED', 'ACCEPTED');

-- Many rows at once: replayed or discarded by a worker, a hundred at a time.
create table quarantine_jobs (
  id bigint generated always as identity primary key,
  tenant_id int not null references tenants,
  action text not null check (action in ('REPLAY', 'DISCARD')),
  -- {"ids": […]} or {"reasons", "deviceKey", "from", "to"}
  target jsonb not null,
  -- {"payload": base64} or {"removeField", "patch"}
  fix jsonb,
  -- Rows that came later are not meant; rows up to the place are done.
  last_id bigint not null,
  place bigint not null default 0,
  total int not null,
  handled int not null default 0,
  skipped int not null default 0,
  requested_by text not null,
  created_at timestamptz(3) not null default now(),
  finished_at timestamptz(3)
);
create index quarantine_jobs_open on quarantine_jobs (id) where finished_at is null;
create index quarantine_jobs_tenant on quarantine_jobs (tenant_id, id desc);
alter table quarantine_jobs enable row level security;
alter table quarantine_jobs force row level security;
create policy tenant on quarantine_jobs to fleetgraph_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy owner on quarantine_jobs to fleetgraph_owner using (true) with check (true);

alter table quarantine
  add column status quarantine_status not null default 'OPEN',
  -- Where in the payload the fault is; null when it is the whole of it.
  add column field text,
  add column source text not null default 'mqtt',
  add column dialect text not null default 'canonical',
  add column key_hash bytea,
  -- Whether the row stands for the whole message, not for one reading among several.
  add column whole boolean not null default true,
  -- The row whose replay ended here.
  add column replay_of bigint,
  add column job_id bigint,
  add column resolved_at timestamptz(3),
  add column outcome replay_outcome,
  add column outcome_reason text,
  add column reading_device_id int,
  add column reading_ts timestamptz(3),
  add column reading_msg_id bigint;
create index quarantine_received on quarantine (tenant_id, received_at, id);
create index quarantine_device on quarantine (tenant_id, device_key, id desc);
create index quarantine_job on quarantine (job_id) where job_id is not null;

-- ── Dead letters ─────────────────────────────────────────────────────────────────────────────────
alter table dead_letters
  add column batch_id uuid,
  add column device_key text,
  add column streamed_at timestamptz(3);
-- Sequences begin again with a new stream: two letters are the same only if their bytes are.
alter table dead_letters drop constraint dead_letters_stream_stream_sequence_item_index_reason_key;
create unique index dead_letters_same on dead_letters (stream, stream_sequence, item_index, reason, sha256(payload));
create index dead_letters_tenant on dead_letters (tenant_id, id desc) where tenant_id is not null;

-- ── Rows that expire are counted out ─────────────────────────────────────────────────────────────
create or replace function drop_partitions(parent text, before date) returns setof text
  language plpgsql security definer set search_path = public, pg_temp
  as $$
declare
  part text;
begin
  if parent not in ('readings', 'ingest_frames') then
    raise exception 'not a partitioned table of ours: %', parent using errcode = 'invalid_parameter_value';
  end if;
  for part in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = parent::regclass and c.relname ~ ('^' || parent || '_\d{8}$')
      and to_date(right(c.relname, 8), 'YYYYMMDD') < before
  loop
    if parent = 'readings' then
      execute format('lock table %I in access exclusive mode', part);
      execute format($count$
        insert into ingest_days as d (tenant_id, day, expired_readings)
        select tenant_id, (stored_at at time zone 'UTC')::date, count(*) from %I group by 1, 2
        on conflict (tenant_id, day) do update set expired_readings = d.expired_readings + excluded.expired_readings $count$, part);
    end if;
    execute format('drop table %I', part);
    return next part;
  end loop;
end
$$;

-- ── Grants ───────────────────────────────────────────────────────────────────────────────────────
revoke execute on function fold_ingest_frames(), tenant_sums(), stored_batches(timestamptz[], uuid[]),
  tenant_frame_parts(timestamptz, uuid), tenant_frame(timestamptz, uuid), tenant_frames_stored_at(timestamptz) from public;
grant execute on function fold_ingest_frames() to fleetgraph_worker;
grant execute on function tenant_sums(), stored_batches(timestamptz[], uuid[]), tenant_frame_parts(timestamptz, uuid),
  tenant_frame(timestamptz, uuid), tenant_frames_stored_at(timestamptz) to fleetgraph_app;
grant select on ingest_days, dead_letters, quarantine_jobs to fleetgraph_app;
grant insert on quarantine_jobs to fleetgraph_app;
grant select, insert, update on ingest_days to fleetgraph_worker;
grant select, insert, delete on ingest_repeats to fleetgraph_worker;
grant select, update on quarantine_jobs to fleetgraph_worker;
grant delete on quarantine_jobs to fleetgraph_worker;
grant update on quarantine to fleetgraph_worker;
grant select on ingest_folds to fleetgraph_worker;
grant select on ingest_repeats, ingest_days, ingest_folds, quarantine_jobs to fleetgraph_operator;

reset role;
