-- The numbers that devices give their messages: what arrived, what is missing, what came again.
set role fleetgraph_owner;

-- What a batch saw, 20 bytes a message (core/db/sequence-notes.ts), written in the transaction that stored it and taken
-- away again by the fold into device_sequences. Compressing what lives for seconds would be a waste.
create table sequence_notes (
  id bigint generated always as identity primary key,
  notes bytea not null
);
alter table sequence_notes alter column notes set storage external;
alter table sequence_notes set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- One row a life (`boot`) of a device. `ranges` is [[from, to, first arrival in epoch ms], …], at most 64 (core/fleet/sequences.ts);
-- `open_gaps` is [[from, to, first seen in epoch ms], …].
create table device_sequences (
  device_id int not null,
  tenant_id int not null references tenants,
  boot int not null,
  last_seq bigint not null default 0,
  received bigint not null default 0,
  duplicates bigint not null default 0,
  out_of_order bigint not null default 0,
  missing bigint not null default 0,
  ranges jsonb not null default '[]',
  floor bigint,
  forgotten bigint not null default 0,
  open_gaps jsonb not null default '[]',
  last_at timestamptz(3) not null default 'epoch',
  settles_at timestamptz(3),
  primary key (device_id, boot),
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
) with (fillfactor = 70);
create index device_sequences_settles on device_sequences (settles_at) where settles_at is not null;

-- Gaps that were open for longer than it takes to settle. `missing` is what of them still is.
create table sequence_gaps (
  tenant_id int not null references tenants,
  device_id int not null,
  boot int not null,
  from_seq bigint not null,
  to_seq bigint not null,
  missing bigint not null,
  first_seen_at timestamptz(3) not null,
  opened_at timestamptz(3) not null,
  healed_at timestamptz(3),
  primary key (device_id, boot, from_seq),
  foreign key (tenant_id, device_id) references devices (tenant_id, id)
);
create index sequence_gaps_seen on sequence_gaps (device_id, first_seen_at desc);
create index sequence_gaps_opened on sequence_gaps (tenant_id, opened_at);

-- Numbered messages without a time of their own are the only ones whose resend is looked for by number.
alter table readings add column timeless boolean not null default false;
create index readings_timeless on readings (device_id, msg_id) where timeless;

do $$
declare
  name text;
begin
  foreach name in array array['device_sequences', 'sequence_gaps'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy tenant on %I to fleetgraph_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant())', name);
    execute format('create policy owner on %I to fleetgraph_owner using (true) with check (true)', name);
    execute format('grant select on %I to fleetgraph_app, fleetgraph_operator', name);
    execute format('grant select, insert, update, delete on %I to fleetgraph_worker', name);
  end loop;
end
$$;
-- A row is locked with `for update` before it is taken away, which asks for the right to update.
grant select, insert, update, delete on sequence_notes to fleetgraph_worker;
grant select on sequence_notes to fleetgraph_operator;

reset role;
