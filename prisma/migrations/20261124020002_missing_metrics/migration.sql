-- Which of the metrics that its template requires a device does not send, although it sends.
set role fleetgraph_owner;

-- `metrics_due_at`: when they are next to be looked at; in the past means: find out; null: not before the device is heard of again.
-- `metrics_since`: from when on they are expected.
alter table device_presence
  add column missing_metrics text[] not null default '{}',
  add column metrics_due_at timestamptz(3) default '-infinity',
  add column metrics_since timestamptz(3);
create index device_presence_metrics on device_presence (metrics_due_at) where metrics_due_at is not null;

create or replace function interval_changed() returns trigger
  language plpgsql security definer set search_path = public, pg_temp
  as $$
begin
  update device_presence set fades_at = '-infinity' where device_id = new.id and fades_at is not null;
  update device_presence set metrics_due_at = '-infinity' where device_id = new.id and metrics_due_at is not null;
  return null;
end
$$;

create function template_changed() returns trigger
  language plpgsql security definer set search_path = public, pg_temp
  as $$
begin
  update device_presence set metrics_due_at = '-infinity', metrics_since = null where device_id = new.id;
  return null;
end
$$;
create trigger template_changed after update of template_id, template_version on devices
  for each row when (old.template_id is distinct from new.template_id or old.template_version is distinct from new.template_version)
  execute function template_changed();
revoke execute on function template_changed() from public;

reset role;
