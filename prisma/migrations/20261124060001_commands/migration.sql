-- What brought a command from one state to the next, each once: what comes again, or too late, changes nothing.

set role fleetgraph_owner;

create type command_event as enum
  ('queued', 'sent', 'accepted', 'ok', 'rejected', 'error', 'unsupported', 'expired', 'cancelled');

alter table command_transitions
  add column event command_event not null,
  -- Whether the command changed its state. If not, `status` is the one it stayed in.
  add column moved boolean not null default true;
drop index command_transitions_command;
create unique index command_transitions_event on command_transitions (command_id, event);
create index command_transitions_tenant on command_transitions (tenant_id, command_id);
-- For the retention of each tenant.
alter table device_commands
  -- What the details of an answer break of the schema that the device's template has for them; null when nothing.
  add column details_problem text;
create index device_commands_finished on device_commands (tenant_id, finished_at) where finished_at is not null;

reset role;
