-- How much a tenant and each of its devices may send, where that differs from the plan, and what was sent.

set role fleetgraph_owner;

-- Only what differs, by the names of core/fleet/limits.ts: {"deviceMessagesPerSecond": 10}.
alter table tenants add column limits jsonb not null default '{}' check (jsonb_typeof(limits) = 'object');

-- Whoever changes them, every gateway and API process hears of it. Shard 0 always exists.
create function announce_limits() returns trigger
  language plpgsql security definer set search_path = public, pg_temp
  as $$
begin
  insert into outbox (tenant_id, shard, subject, payload) values (new.id, 0, 'control.limits',
    convert_to(json_build_object('tenant', new.slug, 'tenantId', new.id, 'id', new.slug, 'version', 0)::text, 'UTF8'));
  return null;
end
$$;
create trigger announce_limits after update of limits on tenants
  for each row when (old.limits is distinct from new.limits) execute function announce_limits();

-- Before a tenant is set there is only its name.
create function find_tenant_limits(slugs text[]) returns table (slug text, limits jsonb)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select t.slug, t.limits from tenants t where t.slug = any(slugs) $$;

-- One row a tenant and minute in which it sent something.
create table tenant_usage (
  tenant_id int not null references tenants,
  minute timestamptz(3) not null,
  messages bigint not null,
  bytes bigint not null,
  throttled bigint not null,
  refused bigint not null,
  primary key (tenant_id, minute)
) with (fillfactor = 80);
create index tenant_usage_minute on tenant_usage using brin (minute);
alter table tenant_usage enable row level security;
alter table tenant_usage force row level security;
create policy tenant on tenant_usage to fleetgraph_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy owner on tenant_usage to fleetgraph_owner using (true) with check (true);

-- Which of its reports each process has delivered, so that one that is sent again counts once.
create table usage_sources (
  source text primary key,
  sequence bigint not null,
  reported_at timestamptz(3) not null default now()
);

create function add_usage(reporter text, report bigint, tenants int[], minutes timestamptz[], messages bigint[], bytes bigint[],
  throttled bigint[], refused bigint[]) returns void
  language plpgsql volatile security definer set search_path = public, pg_temp
  as $$
begin
  insert into usage_sources as s (source, sequence) values (reporter, report)
    on conflict (source) do update set sequence = excluded.sequence, reported_at = now() where s.sequence < excluded.sequence;
  if not found then
    return;
  end if;
  insert into tenant_usage as u
    -- A tenant that is gone meanwhile is passed over.
    select r.* from unnest(tenants, minutes, messages, bytes, throttled, refused) as r (tenant_id, minute)
    where exists (select from public.tenants t where t.id = r.tenant_id) order by r.tenant_id, r.minute
    on conflict (tenant_id, minute) do update set messages = u.messages + excluded.messages, bytes = u.bytes + excluded.bytes,
      throttled = u.throttled + excluded.throttled, refused = u.refused + excluded.refused;
end
$$;

revoke execute on function find_tenant_limits(text[]), announce_limits(),
  add_usage(text, bigint, int[], timestamptz[], bigint[], bigint[], bigint[], bigint[]) from public;
grant execute on function find_tenant_limits(text[]), add_usage(text, bigint, int[], timestamptz[], bigint[], bigint[], bigint[], bigint[])
  to fleetgraph_app, fleetgraph_worker;
grant select on tenant_usage to fleetgraph_app;
grant select, delete on tenant_usage, usage_sources to fleetgraph_worker;
grant select on tenant_usage, usage_sources to fleetgraph_operator;
grant update (limits) on tenants to fleetgraph_operator;

reset role;
