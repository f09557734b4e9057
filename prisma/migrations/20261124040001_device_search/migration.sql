-- What devices are searched by: key, name, serial number and tags, in lower case.

-- Lets an index begin with the tenant where the rest of it is trigrams or labels.
create extension if not exists btree_gin;

set role fleetgraph_owner;

create function device_search_text(key text, name text, serial_number text, tags text[]) returns text
  language sql immutable parallel safe
  as $$ select lower(concat_ws(' ', key, name, serial_number, array_to_string(tags, ' '))) $$;

revoke execute on function device_search_text(text, text, text, text[]) from public;
grant execute on function device_search_text(text, text, text, text[]) to fleetgraph_app, fleetgraph_worker;

alter table devices
  add column search text generated always as (device_search_text(key, name, serial_number, tags)) stored;

drop index devices_search;
drop index devices_tags;
create index devices_search on devices using gin (tenant_id, search gin_trgm_ops);
create index devices_tags on devices using gin (tenant_id, tags);

reset role;
