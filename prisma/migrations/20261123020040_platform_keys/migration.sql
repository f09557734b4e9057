-- Keys that outlive the deployment's secret: what is hashed under them cannot be hashed anew, since nobody has kept it.
-- Each is stored sealed; a new secret seals it again, and every hash stays good.
set role fleetgraph_owner;

create table platform_keys (
  purpose text primary key,
  sealed bytea not null,
  created_at timestamptz(3) not null default now()
);
grant select, insert on platform_keys to fleetgraph_app, fleetgraph_worker;

-- How rotation finds what is sealed, wherever it is: `sealed <what for>`, with columns of the row in braces. In a jsonb column the
-- sealed values are objects with the one field "$sealed".
comment on column platform_keys.sealed is 'sealed key/{purpose}';
comment on column platform_authorities.private_key is 'sealed authority/root';
comment on column certificate_authorities.private_key is 'sealed authority/tenant/{tenant_id}';
comment on column mutation_results.result is 'sealed mutation-result/{tenant_id}';

reset role;
