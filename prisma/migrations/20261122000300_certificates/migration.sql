-- Client certificates of devices, and the authorities that sign them. Private keys are stored sealed only
-- (core/auth/secrets.ts); gateways and operators may not even read those.

set role fleetgraph_owner;

-- The platform's root: belongs to no tenant. One a generation, so that two that begin at once agree.
create table platform_authorities (
  generation int primary key,
  certificate bytea not null,
  private_key bytea not null,
  not_after timestamptz(3) not null,
  created_at timestamptz(3) not null default now()
);

create table certificate_authorities (
  tenant_id int not null references tenants,
  generation int not null,
  certificate bytea not null,
  private_key bytea not null,
  not_after timestamptz(3) not null,
  created_at timestamptz(3) not null default now(),
  primary key (tenant_id, generation)
);
alter table certificate_authorities enable row level security;
alter table certificate_authorities force row level security;
create policy tenant on certificate_authorities to fleetgraph_app
  using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy owner on certificate_authorities to fleetgraph_owner using (true) with check (true);

-- A certificate is a credential like a token: `secret_hash` is the SHA-256 of the whole certificate, `hint` the end of it
-- in hexadecimal, `expires_at` its notAfter.
alter table device_credentials
  add column serial text,
  add column not_before timestamptz(3),
  add column revocation_reason text check (revocation_reason in ('UNSPECIFIED', 'KEY_COMPROMISE', 'AFFILIATION_CHANGED',
    'SUPERSEDED', 'CESSATION_OF_OPERATION', 'PRIVILEGE_WITHDRAWN')),
  add constraint device_credentials_certificate check (kind <> 'CERTIFICATE'
    or (serial is not null and not_before is not null and expires_at is not null));
create unique index device_credentials_fingerprint on device_credentials (secret_hash) where kind = 'CERTIFICATE';
create index device_credentials_revoked on device_credentials (tenant_id) where kind = 'CERTIFICATE' and revoked_at is not null;

grant select, insert on platform_authorities, certificate_authorities to fleetgraph_app;
grant select (tenant_id, generation, certificate, not_after) on certificate_authorities to fleetgraph_worker, fleetgraph_operator;
grant select (generation, certificate, not_after) on platform_authorities to fleetgraph_worker, fleetgraph_operator;

reset role;
