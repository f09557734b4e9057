-- People of a tenant and invitations, scopes of API keys, and where and when credentials were first used.

set role fleetgraph_owner;

-- ── Members ──────────────────────────────────────────────────────────────────────────────────────
-- Who belongs to a tenant: somebody whom the provider's claims brought, or who accepted an invitation. A removed row stays, so
-- that claims do not bring the person back. `role_source`: whether the role is the claims' or was set here.
create table members (
  id int generated always as identity primary key,
  tenant_id int not null references tenants,
  issuer text not null,
  subject text not null,
  name text not null,
  email text,
  role role_name not null,
  origin text not null check (origin in ('PROVIDER', 'INVITATION')),
  role_source text not null check (role_source in ('PROVIDER', 'TENANT')),
  first_sign_in_at timestamptz(3) not null default now(),
  last_sign_in_at timestamptz(3) not null default now(),
  removed_at timestamptz(3),
  unique (tenant_id, issuer, subject)
);
create index members_person on members (issuer, subject);
create index members_name on members (tenant_id, name, id);

-- An offer to join, made to one e-mail address; its secret is kept as a hash.
create table invitations (
  id int generated always as identity primary key,
  tenant_id int not null references tenants,
  email text not null,
  role role_name not null,
  secret_hash bytea not null unique,
  invited_by text not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  accepted_at timestamptz(3),
  revoked_at timestamptz(3),
  constraint invitations_one_end check (accepted_at is null or revoked_at is null)
);
create index invitations_tenant on invitations (tenant_id, id);

-- ── Where and when credentials are used ──────────────────────────────────────────────────────────
-- Sessions whose beginning is in the audit log already; `session` is a SHA-256 of whose and which it is.
create table sign_ins (
  tenant_id int not null references tenants,
  session bytea not null,
  good_until timestamptz(3) not null,
  primary key (tenant_id, session)
);
create index sign_ins_end on sign_ins (good_until);

-- Networks that an API key was used from: /24 of IPv4, /56 of IPv6.
create table api_key_networks (
  tenant_id int not null references tenants,
  api_key_id int not null references api_keys,
  network cidr not null,
  first_used_at timestamptz(3) not null default now(),
  last_used_at timestamptz(3) not null default now(),
  primary key (tenant_id, api_key_id, network)
);

-- ── Scopes ───────────────────────────────────────────────────────────────────────────────────────
-- What of its role a key may do; empty: all of it.
alter table api_keys add column scopes text[] not null default '{}';

drop function find_api_key(text);
create function find_api_key(wanted text)
  returns table (id int, tenant_id int, tenant_slug text, tenant_status tenant_status, secret_hash bytea,
    previous_secret_hash bytea, previous_expires_at timestamptz, name text, role role_name, scopes text[],
    expires_at timestamptz, revoked_at timestamptz)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select k.id, k.tenant_id, t.slug, t.status, k.secret_hash, k.previous_secret_hash, k.previous_expires_at, k.name,
          k.role, k.scopes, k.expires_at, k.revoked_at
        from api_keys k join tenants t on t.id = k.tenant_id where k.prefix = wanted $$;

-- Nothing is known about the asker yet but who the provider says it is, or the secret it holds.
create function find_memberships(wanted_issuer text, wanted_subject text)
  returns table (id int, tenant_id int, tenant_slug text, tenant_name text, tenant_status tenant_status, role role_name,
    origin text, role_source text, removed boolean)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select m.id, m.tenant_id, t.slug, t.name, t.status, m.role, m.origin, m.role_source, m.removed_at is not null
        from members m join tenants t on t.id = m.tenant_id
        where m.issuer = wanted_issuer and m.subject = wanted_subject order by m.id $$;

create function find_invitation(wanted bytea)
  returns table (id int, tenant_id int, tenant_slug text, tenant_name text, tenant_status tenant_status, email text,
    role role_name, invited_by text, expires_at timestamptz, accepted_at timestamptz, revoked_at timestamptz)
  language sql stable security definer set search_path = public, pg_temp
  as $$ select i.id, i.tenant_id, t.slug, t.name, t.status, i.email, i.role, i.invited_by, i.expires_at, i.accepted_at, i.revoked_at
        from invitations i join tenants t on t.id = i.tenant_id where i.secret_hash = wanted $$;

revoke execute on function find_api_key(text), find_memberships(text, text), find_invitation(bytea) from public;
grant execute on function find_api_key(text), find_memberships(text, text), find_invitation(bytea) to fleetgraph_app;

do $$
declare
  name text;
begin
  foreach name in array array['members', 'invitations', 'sign_ins', 'api_key_networks'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy tenant on %I to fleetgraph_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant())', name);
    execute format('create policy owner on %I to fleetgraph_owner using (true) with check (true)', name);
  end loop;
end
$$;

grant select, insert, update on members, invitations, sign_ins to fleetgraph_app;
grant select, insert, update, delete on api_key_networks to fleetgraph_app;
grant select, delete on sign_ins to fleetgraph_worker;
grant select on members, sign_ins, api_key_networks to fleetgraph_operator;
grant select (id, tenant_id, email, role, invited_by, created_at, expires_at, accepted_at, revoked_at) on invitations
  to fleetgraph_operator;

reset role;
